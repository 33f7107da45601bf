"""The public API as an owner uses it: any path, with a login or a key of the account.

What the arena refuses is a BotError with the arena's own words. Each call has a connection and a time-out of
its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from bots.api import REASON_CHARS, check_private, is_loopback, no_answer
from bots.errors import UNREADABLE, ArenaUnreachable, BotError
from bots.journal import plain

TIMEOUT_S = 30.0
MAX_RETRY_AFTER_S = 300.0


class Refused(BotError):
    """The arena will not do it; the message is the problem's own words."""

    def __init__(self, status: int, code: str, reason: str, field: str = "") -> None:
        super().__init__(reason)
        self.status = status
        self.code = code
        """The problem's, e.g. `insufficient-scope`; empty where the answer was no problem document."""
        self.field = field
        """What of the body or query it is about, e.g. `spec.temperature`; empty where it is about the whole."""


class OwnerApi:
    """One arena, seen by one account.

    `get`, `post`, … return the decoded JSON of the answer, its bytes where it is of another media type,
    and None where it is empty. They raise Refused (status 4xx), ArenaUnreachable (no answer, 429 or 5xx:
    trying again later may help) and WouldSendInClear.
    """

    def __init__(self, url: str, token: str | None = None, *, if_unknown: str = "") -> None:
        """`url` as `bots.api.arena_url` gives it; `token` is a login or a key, None to act as nobody.
        `if_unknown` is what its owner is told when the arena does not know it: where it came from, what to do;
        empty: the arena's own words."""
        self.url = url
        self._token = token
        self._if_unknown = if_unknown

    async def get(self, path: str, **query: Any) -> Any:
        """Parameters that are None are left out."""
        given = {name: value for name, value in query.items() if value is not None}
        return await self._call("GET", path, params=given)

    async def post(self, path: str, body: Any = None, *, idempotency_key: str | None = None) -> Any:
        """With a key of one's own making, the same call made again is answered as the first was."""
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        return await self._call("POST", path, body, headers=headers)

    async def put(self, path: str, body: Any) -> Any:
        return await self._call("PUT", path, body)

    async def patch(self, path: str, body: Any) -> Any:
        return await self._call("PATCH", path, body)

    async def delete(self, path: str) -> Any:
        return await self._call("DELETE", path)

    async def _call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] = MappingProxyType({}),
        params: Mapping[str, Any] | None = None,
    ) -> Any:
        check_private(self.url)
        content, media_type = _encoded(body)
        sent = dict(headers) | ({"Content-Type": media_type} if content is not None else {})
        if self._token is not None:
            sent["Authorization"] = f"Bearer {self._token}"
        try:
            async with httpx.AsyncClient(
                timeout=TIMEOUT_S, trust_env=not is_loopback(self.url)
            ) as http:
                answer = await http.request(
                    method, self.url + path, headers=sent, content=content, params=params
                )
        except httpx.HTTPError as error:
            raise ArenaUnreachable(no_answer(self.url, error)) from error
        if answer.status_code >= 400:
            raise self._refusal(answer)
        return _decoded(answer)

    def _refusal(self, answer: httpx.Response) -> BotError:
        """What a problem+json answer says (RFC 9457), or just the status."""
        try:
            problem = msgspec.json.decode(answer.content)
            words = plain(str(problem.get("detail") or problem.get("title") or ""), REASON_CHARS)
            code, field = (plain(str(problem.get(name, "")), 64) for name in ("code", "field"))
        except (*UNREADABLE, AttributeError):
            words = code = field = ""
        reason = words or f"{answer.url} answered {answer.status_code}: is it an arena's HTTP API?"
        if answer.status_code == 401 and self._if_unknown:
            reason = self._if_unknown
        if answer.status_code == 429 or answer.status_code >= 500:
            after = answer.headers.get("Retry-After", "")
            wait_s = min(float(after), MAX_RETRY_AFTER_S) if after.isdecimal() else 0.0
            return ArenaUnreachable(reason, retry_after_s=wait_s)
        return Refused(answer.status_code, code, reason, field)


async def own_agent(api: OwnerApi, named: str) -> str:
    """The id of the account's agent with this id, or else this name; what is given where there is none.

    Safe as a part of a path. Raises as `OwnerApi` does.
    """
    own = (await api.get("/v1/me/agents"))["agents"]
    ids = [each["agent"] for each in own if each["agent"] == named]
    names = [each["agent"] for each in own if each["name"].casefold() == named.casefold()]
    return quote(next(iter((*ids, *names)), named), safe="")


def _encoded(body: Any) -> tuple[bytes | None, str]:
    """Bytes go as they are (an image, say); anything else as JSON."""
    if body is None or isinstance(body, bytes):
        return body, "application/octet-stream"
    return msgspec.json.encode(body), "application/json"


def _decoded(answer: httpx.Response) -> Any:
    if not answer.content:
        return None
    if answer.headers.get("Content-Type", "").partition(";")[0] != "application/json":
        return answer.content
    try:
        return msgspec.json.decode(answer.content)
    except UNREADABLE as error:
        raise Refused(answer.status_code, "", f"{answer.url} answered no JSON: {error}") from None
