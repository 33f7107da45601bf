"""The clerk: makes the HTTP calls that the state asks for, and dispatches what came of them.

Holds no state of the arena, as the connection does not. A call that nobody wants any more is given up, unless it is an
order. Each has a time-out, and an answer that is too large or cannot be read is a problem like any other.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec

from tui_client.owner.calls import UNAUTHORIZED, UNREACHED, Answered, Call, Problem, Refused
from tui_client.owner.logins import Login, SignedIn, SignedOut
from tui_client.owner.pixels import Pixels, read_png
from tui_client.text import clean

TIMEOUT_S = 10.0
SLOW_TIMEOUT_S = 90.0
"""For what a language model answers."""
CONNECT_TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 4 * 1024 * 1024
MAX_RETRY_AFTER_S = 600
LOGIN_EVERY_S = 1.0
"""How often it is looked who is signed in, while the desk is open."""
INSECURE_VARIABLE = "AGON_INSECURE"
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class _ProblemDocument(msgspec.Struct, frozen=True):
    """RFC 9457, as far as we look at it."""

    code: str = ""
    detail: str = ""
    title: str = ""


class Clerk:
    """One client's calls. `run` it as a task; call `changed` when `wanted` may differ."""

    def __init__(
        self,
        *,
        api_url: str,
        dispatch: Callable[[Answered | Refused | SignedIn | SignedOut], None],
        wanted: Callable[[], Sequence[Call]],
        at_desk: Callable[[], bool],
        login: Callable[[], Login | SignedOut],
        nonce: str,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """`login` reads the kept one, only while `at_desk`: who just watches needs none. `nonce` makes this
        client's idempotency keys its own."""
        self._url = api_url.rstrip("/")
        self._dispatch = dispatch
        self._wanted = wanted
        self._at_desk = at_desk
        self._login = login
        self._nonce = nonce
        self._timeout_s = timeout_s
        self._changed = asyncio.Event()
        self._known: Login | SignedOut | None = None
        self._told: Login | SignedOut | None = None
        self._rejected = ""
        """A token that the arena does not take any more."""

    def changed(self) -> None:
        """Compare what is being asked with what is wanted, soon."""
        self._changed.set()

    async def run(self) -> None:
        """Make calls until cancelled."""
        made: dict[str, asyncio.Task[None]] = {}
        host = urlsplit(self._url).hostname
        timeout = httpx.Timeout(SLOW_TIMEOUT_S, connect=CONNECT_TIMEOUT_S)
        async with (
            httpx.AsyncClient(timeout=timeout, trust_env=host not in _LOOPBACK) as client,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(self._watch_login(), name="owner-login")
            while True:
                self._changed.clear()
                if self._told is None:
                    self._look()
                wanted = {call.id: call for call in self._wanted()}
                for call_id in made.keys() - wanted.keys():
                    task = made.pop(call_id)
                    if call_id.startswith("GET "):
                        task.cancel()
                for call_id, call in wanted.items():
                    if call_id not in made:
                        work = self._make(client, call)
                        made[call_id] = tasks.create_task(work, name=call_id)
                await self._changed.wait()

    # ------------------------------------------------------------------ who we are

    async def _watch_login(self) -> None:
        """Tell who is signed in, and again whenever that changes."""
        while True:
            self._look()
            await asyncio.sleep(LOGIN_EVERY_S)

    def _look(self) -> None:
        if not self._at_desk():
            return
        found = self._login()
        if isinstance(found, Login) and found.token == self._rejected:
            found = SignedOut("the arena does not know your login any more")
        if isinstance(found, Login) and (clear := in_clear(self._url)):
            found = SignedOut(clear)
        self._known = found
        if found != self._told:
            self._told = found
            self._dispatch(found.who if isinstance(found, Login) else found)

    # ------------------------------------------------------------------ one call

    async def _make(self, client: httpx.AsyncClient, call: Call) -> None:
        login = self._known
        token = login.token if isinstance(login, Login) else ""
        try:
            async with asyncio.timeout(SLOW_TIMEOUT_S if call.slow else self._timeout_s):
                came = await self._answer(client, call, token)
        except TimeoutError:
            came = Problem(UNREACHED, "time-out", "no answer in time")
        except httpx.HTTPError as error:
            came = Problem(UNREACHED, "unreached", f"no answer ({type(error).__name__})")
        except (UnicodeError, httpx.InvalidURL):  # half a surrogate pair, say
            came = Problem(400, "unsendable", "it holds characters that cannot be sent")
        if not isinstance(came, Problem):
            self._dispatch(Answered(call.id, came))
            return
        if came.status == UNAUTHORIZED:
            self._rejected = token
            self._look()
            if isinstance(self._known, Login):  # somebody has signed in meanwhile
                came = Problem(UNREACHED, "signed-in-again", "the login has changed")
        self._dispatch(Refused(call.id, came))

    async def _answer(self, client: httpx.AsyncClient, call: Call, token: str) -> Any:
        """What the call is answered with, or a Problem."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if call.key:
            headers["Idempotency-Key"] = f"{self._nonce}-{call.key}"
        content = None
        if call.body is not None:
            content = msgspec.json.encode(call.body)
            headers["Content-Type"] = "application/json"
        url = self._url + call.path
        async with client.stream(call.method, url, content=content, headers=headers) as response:
            body = bytearray()
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > MAX_ANSWER_BYTES:
                    return Problem(response.status_code, "too-large", "the answer is too large")
        if not response.is_success:
            return _problem(response, bytes(body))
        return _read(call.answer, bytes(body), response.status_code)


def _read(answer: Any, body: bytes, status: int) -> Any:
    if answer is None or not body:
        return None
    if answer is Pixels:
        pixels = read_png(body)
        return pixels if pixels is not None else Problem(status, "unreadable", "no picture of ours")
    try:
        return msgspec.json.decode(body, type=answer)
    except msgspec.MsgspecError as error:
        return Problem(status, "unreadable", f"an answer that this client cannot read: {error}")


def _problem(response: httpx.Response, body: bytes) -> Problem:
    try:
        told = msgspec.json.decode(body, type=_ProblemDocument)
    except msgspec.MsgspecError:
        told = _ProblemDocument()
    after = response.headers.get("Retry-After", "")
    wait_s = min(int(after), MAX_RETRY_AFTER_S) if after.isdecimal() else 0
    detail = told.detail or told.title or f"the arena answered {response.status_code}"
    return Problem(response.status_code, told.code, detail, wait_s * 1_000)


def in_clear(api_url: str) -> str:
    """Why a login must not be sent to an arena; empty where it may."""
    parts = urlsplit(api_url)
    if parts.scheme == "https" or parts.hostname in _LOOPBACK:
        return ""
    if os.environ.get(INSECURE_VARIABLE) == "1":
        return ""
    return (
        f"{clean(api_url, 80)} is another machine: your login would go there in clear; "
        f"use https://, or set {INSECURE_VARIABLE}=1 if you trust the network between"
    )
