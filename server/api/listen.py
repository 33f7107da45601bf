"""Listening for HTTP: uvicorn without its own signal handlers, on a socket that is bound up front."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette

BACKLOG = 1_024
DRAIN_S = 3


class CannotListen(OSError):
    """The address cannot be bound; the message names it and the knob."""


class ApiServer:
    """The HTTP API on one address. The address is taken at construction; raises CannotListen."""

    def __init__(self, app: Starlette, host: str, port: int) -> None:
        self._socket = _bind(host, port)
        self._server = _Uvicorn(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                ws="none",
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=DRAIN_S,
            )
        )
        shown = f"[{host}]" if ":" in host else host
        self.address = f"http://{shown}:{self._socket.getsockname()[1]}"

    async def run(self) -> None:
        """Serve until `drain` or cancelled."""
        await self._server.serve(sockets=[self._socket])

    async def drain(self) -> None:
        """Take no new connection; requests under way get DRAIN_S to be answered."""
        self._server.should_exit = True


class _Uvicorn(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the composition root handles signals, once for all roles


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise CannotListen(
            f"cannot listen on {host}:{port} ({error.strerror}): another arena may run there; "
            "set AGON_API_HOST or AGON_API_PORT"
        ) from None
    listener.setblocking(False)
    return listener
