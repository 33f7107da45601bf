"""Who may speak with the store: processes of its user, and no page in a browser.

A loopback port is open to every user and every web page of the machine. So each request carries the password that lies
in the store's folder, which its user alone can read; and what a browser sends (`Origin`, `Referer`, a host name that
somebody else may have pointed here) is refused, as Kubo does.
"""

from __future__ import annotations

import base64
import hmac
import os
import secrets
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

USER = "agon"
TOKEN_FILE = "token"  # noqa: S105 - a file's name
_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


def token_of(folder: Path) -> str:
    """The password of the store in that folder, made when it is first asked for. Safe when several ask at once."""
    path = folder / TOKEN_FILE
    own = folder / f".{TOKEN_FILE}.{os.getpid()}.{secrets.token_hex(4)}"
    if not path.exists():
        file = os.open(own, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(file, "w") as written:
            written.write(secrets.token_urlsafe(24))
        try:
            os.link(own, path)  # whoever is first; it is never replaced
        except FileExistsError:
            pass
        finally:
            own.unlink()
    return path.read_text(encoding="ascii")


class OnlyOurs:
    """ASGI: lets through what has the password and no browser's marks."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = b"Basic " + base64.b64encode(f"{USER}:{token}".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (refusal := self._refusal(Headers(scope=scope))):
            await PlainTextResponse(f"403 - Forbidden: {refusal}\n", 403)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _refusal(self, headers: Headers) -> str:
        host = headers.get("host", "").rpartition(":")[0] or headers.get("host", "")
        if "origin" in headers or "referer" in headers or host not in _HOSTS:
            return "this port is not for browsers"
        given = headers.get("authorization", "").encode()
        if not hmac.compare_digest(given, self._expected):
            return f"the password is in the store's folder, in the file {TOKEN_FILE!r}"
        return ""
