"""The calls of the HTTP API that a bot needs: where is the gateway, who am I, and what is to be signed.

Uses httpx; every call has a time-out. Loopback addresses never go through a proxy of the environment.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from bots.errors import UNREADABLE, ArenaUnreachable, NotAnArena, RequestRefused, WouldSendInClear
from bots.journal import plain

T = TypeVar("T")

INSECURE_VARIABLE = "AGON_INSECURE"
DEFAULT_URL = "http://127.0.0.1:8600"
TIMEOUT_S = 10.0
REASON_CHARS = 300
MAX_RETRY_AFTER_S = 300.0


class Credentials(msgspec.Struct, frozen=True):
    """An agent and the key that speaks for it. Keys are shown once, by registration."""

    agent: str
    key: str
    owner_key: str | None = None
    """Manages the account that the registration has made; `agon login --agent` needs it once."""

    def __repr__(self) -> str:
        return f"Credentials(agent={self.agent!r}, key=…)"


class _Gateway(msgspec.Struct, frozen=True):
    url: str


class Domain(msgspec.Struct, frozen=True):
    """On which chain, and for which escrow, signatures of an arena's documents are."""

    chain_id: int
    escrow: str


class _Chain(msgspec.Struct, frozen=True):
    chain_id: int | None = None
    escrow: str | None = None


def arena_url(url: str | None = None) -> str:
    """The API's address: the argument, else AGON_URL, else this machine; without a trailing slash.

    Raises NotAnArena for what is no http(s) address.
    """
    found = (url or os.environ.get("AGON_URL") or DEFAULT_URL).rstrip("/")
    if not _is_http(found):
        raise NotAnArena(f"{found!r} is no http(s) address; expected e.g. {DEFAULT_URL}")
    return found


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        httpx.URL(url)
        host, _ = (parts.hostname or "").encode("idna"), parts.port  # what cannot be connected to
    except (ValueError, httpx.InvalidURL):
        return False
    return parts.scheme in ("http", "https") and bool(host)


def is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def check_private(url: str) -> None:
    """Raises WouldSendInClear for http:// and ws:// to another machine, unless AGON_INSECURE=1."""
    if urlsplit(url).scheme not in ("http", "ws") or os.environ.get(INSECURE_VARIABLE) == "1":
        return
    if not (is_loopback(url) or _is_any_address(url)):
        raise WouldSendInClear(
            f"{url} is another machine: the agent's key would go there in clear; use https:// and "
            f"wss://, or set {INSECURE_VARIABLE}=1 if you trust the network between"
        )


def _is_any_address(url: str) -> bool:
    """0.0.0.0 or [::], what a server listens on; who connects there reaches this machine."""
    try:
        return ip_address(urlsplit(url).hostname or "").is_unspecified
    except ValueError:
        return False


def no_answer(url: str, error: httpx.HTTPError) -> str:
    """Why nothing came back from `url`, and what to look at."""
    causes = set(map(type, _causes(error)))
    if socket.gaierror in causes:
        return f"there is no host {urlsplit(url).hostname!r}: is {url} right?"
    if any(issubclass(cause, ssl.SSLError) for cause in causes):
        return f"no trusted TLS at {url}: is its certificate good, or is it http://?"
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return f"nothing answers at {url}: is `agon serve` running there?"
    if isinstance(error, httpx.TimeoutException):
        return f"{url} took too long to answer; try again"
    return f"{url} broke off instead of answering: is it an arena's HTTP API?"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


class Api:
    """The arena's HTTP API at one address. Keeps no connection between calls.

    Every call raises WouldSendInClear, see `check_private`.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    async def gateway(self) -> str:
        """Where to connect now. Raises ArenaUnreachable (try again later) or NotAnArena (do not)."""
        answer = await self._call("GET", "/v1/gateway")
        found = self._read(answer, _Gateway).url
        scheme = urlsplit(found).scheme
        if scheme not in ("ws", "wss"):
            raise NotAnArena(f"{self.url} names {found!r} as its gateway; expected ws:// or wss://")
        check_private(found)
        return found

    async def register(self, name: str) -> Credentials:
        """Make a new agent. Raises ArenaUnreachable, NotAnArena, or RequestRefused with the reason."""
        answer = await self._call("POST", "/v1/agents", json={"name": name})
        return self._read(answer, Credentials)

    async def domain(self) -> Domain | None:
        """None where the arena settles on no chain. Raises as `gateway`."""
        found = self._read(await self._call("GET", "/v1/chain"), _Chain)
        if found.chain_id is None or found.escrow is None:
            return None
        return Domain(found.chain_id, found.escrow)

    async def transcript(self, session: str) -> bytes | None:
        """The sealed bytes; None while there are none to be had. Raises as `gateway`."""
        path = f"/v1/sessions/{quote(session, safe='')}/transcript"
        answer = await self._call("GET", path, may_be_missing=True)
        return None if answer.status_code == 404 else answer.content

    async def _call(
        self, method: str, path: str, *, may_be_missing: bool = False, **content: Any
    ) -> httpx.Response:
        check_private(self.url)
        try:
            async with httpx.AsyncClient(
                timeout=TIMEOUT_S, trust_env=not is_loopback(self.url)
            ) as http:
                answer = await http.request(method, self.url + path, **content)
        except httpx.HTTPError as error:
            raise ArenaUnreachable(no_answer(self.url, error)) from error
        if answer.status_code in (429, 500, 502, 503, 504):
            after = answer.headers.get("Retry-After", "")
            raise ArenaUnreachable(
                f"{self.url}{path}: {_reason(answer)}",
                retry_after_s=min(float(after), MAX_RETRY_AFTER_S) if after.isdecimal() else 0.0,
            )
        if answer.status_code == 404 and may_be_missing:
            return answer
        if answer.status_code == 404:
            raise NotAnArena(f"{self.url}{path} does not exist; is this an arena's HTTP API?")
        if answer.status_code >= 400:
            raise RequestRefused(f"{self.url}{path}: {_reason(answer)}")
        return answer

    def _read(self, answer: httpx.Response, type_: type[T]) -> T:
        try:
            return msgspec.json.decode(answer.content, type=type_)
        except UNREADABLE as error:
            raise NotAnArena(f"{answer.url} does not answer as an arena does: {error}") from None


def _reason(answer: httpx.Response) -> str:
    """What a problem+json answer says (RFC 9457), or just the status."""
    try:
        problem = msgspec.json.decode(answer.content)
        words = problem.get("detail") or problem.get("title") or ""
    except (*UNREADABLE, AttributeError):
        words = ""
    return f"{answer.status_code} {plain(str(words), REASON_CHARS)}".strip()
