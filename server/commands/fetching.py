"""Where a verifier's documents come from: files first, then the arena."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from chain.verify.session import Documents
from server.commands.running import CommandError

MAX_BYTES = 8 << 20
TIMEOUT_S = 20.0
NO_EPOCH = "no epochs yet: settlement here is simulated, no chain holds a root"


def documents(session: str | None, url: str | None, files: Mapping[str, Path | None]) -> Documents:
    """What can be had of a transcript, a result and an epoch. Raises CommandError for a file that cannot be read and an
    arena that does not answer."""
    given = {name: _read(name, file) for name, file in files.items() if file is not None}
    missing = {"epoch": NO_EPOCH}
    if session is not None:
        for name in ("transcript", "result"):
            if name not in given:
                fetched = _fetch(session, url, name)
                if isinstance(fetched, bytes):
                    given[name] = fetched
                else:
                    missing[name] = fetched
    return Documents(missing=missing, **given)


def _read(name: str, file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1).removesuffix(b"\n")  # editors add one
    except OSError as error:
        raise CommandError(f"--{name} {file}: cannot be read: {error.strerror}") from None


def _fetch(session: str, url: str | None, name: str) -> bytes | str:
    """The document, or why the arena does not give it."""
    import httpx

    from bots.api import arena_url, no_answer

    arena = arena_url(url)
    path = f"{arena}/v1/sessions/{quote(session, safe='')}/{name}"
    try:
        answer = httpx.get(path, timeout=TIMEOUT_S, trust_env=False)
    except httpx.HTTPError as error:
        raise CommandError(no_answer(arena, error)) from None
    if answer.is_success:
        return answer.content
    return problem_of(answer)


def problem_of(answer: Any) -> str:
    """An arena's refusal, in its words."""
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the arena answered {answer.status_code}"
