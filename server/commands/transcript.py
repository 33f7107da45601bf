"""`agon transcript`: what was played, as anybody may check it."""

from __future__ import annotations

import sys
from typing import Any

from server.commands.running import DEFAULT_URL, ApiUrl, CommandError


def transcript(session: str, url: ApiUrl = DEFAULT_URL) -> None:
    """Print the transcript of a session.

    Bytes as they were sealed: `agon replay` checks them, so save them as they are.
    """
    import httpx

    try:
        answer = httpx.get(f"{url}/v1/sessions/{session}/transcript", timeout=10, trust_env=False)
    except httpx.HTTPError as error:
        raise CommandError(f"no arena at {url} ({error}): start one with `agon serve`") from None
    if not answer.is_success:
        raise CommandError(_problem(answer))
    sys.stdout.buffer.write(answer.content)


def _problem(answer: Any) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the arena answered {answer.status_code}"
