"""Which model a server has, where its owner has not named one."""

from __future__ import annotations

import httpx
import msgspec

from judges.faults import JudgeUnavailable

TIMEOUT_S = 10.0


class _Model(msgspec.Struct, frozen=True):
    id: str


class _Models(msgspec.Struct, frozen=True):
    data: list[_Model]


async def first_model(url: str, key: str) -> str:
    """The first of `GET {url}/models`. Raises JudgeUnavailable."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as http:
            answer = await http.get(f"{url.rstrip('/')}/models", headers=headers)
        models = msgspec.json.decode(answer.raise_for_status().content, type=_Models).data
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.DecodeError) as error:
        raise JudgeUnavailable(f"{url} does not say which models it has ({type(error).__name__})") from None  # fmt: skip
    if not models:
        raise JudgeUnavailable(f"{url} has no model")
    return models[0].id
