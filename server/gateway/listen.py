"""How the gateway listens: websockets' server with every default set that would not do here."""

from __future__ import annotations

import logging
import resource
import socket
from collections.abc import Awaitable, Callable, Sequence
from typing import cast

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

from server.config import Config
from server.gateway.connection import CLOSE_GRACE_S, Peer
from server.protocol import MAX_INBOUND_BYTES

OPEN_TIMEOUT_S = 10.0
"""For the opening handshake."""
BACKLOG = 4_096
"""TCP connections the kernel holds while we are busy: spectators come in crowds."""
KERNEL_BUFFER_BYTES = 128 * 1024
"""Asked of the kernel for each connection's send buffer. Left alone, Linux lets it grow to 4 MiB, which
a reader that does not read would fill before our own bound is even looked at."""
WRITE_LIMIT = 64 * 1024
"""websockets' own flow control, which only pauses its own sends (close frames, pongs)."""
SPARE_FILES = 100
"""Open files besides connections: Redis, database, logs."""

_log = structlog.get_logger()


def raise_file_limit(connections: int) -> None:
    """Let this process open as many files as it may; warn when they are too few for `connections`."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    except (
        ValueError,
        OSError,
    ):  # some systems call their hard limit infinite and take no such value
        pass
    if soft != resource.RLIM_INFINITY and soft < connections + SPARE_FILES:
        _log.warning(
            "fewer open files are allowed than connections; raise `ulimit -n` or lower max_connections",
            files=soft,
            max_connections=connections,
        )


def listen(
    config: Config, visit: Callable[[Peer], Awaitable[None]], make_peer: Callable[..., Peer]
) -> Server:
    """A server to be used as a context manager. Raises OSError when it cannot bind.

    `make_peer` takes (protocol, server, **options), like `ServerConnection`; `visit` gets what it made.
    """
    quiet = logging.getLogger("agon.gateway.websockets")
    # Failed handshakes are other people's port scans; our own log line says how a connection went.
    quiet.setLevel(logging.CRITICAL)
    return serve(
        cast(Callable[[ServerConnection], Awaitable[None]], visit),
        sock=_listener(config.gateway_host, config.gateway_port),
        select_subprotocol=_negotiate,
        create_connection=cast(type[ServerConnection], make_peer),
        compression=None,
        server_header=None,
        open_timeout=OPEN_TIMEOUT_S,
        ping_interval=None,  # see chores.Keepalive
        close_timeout=CLOSE_GRACE_S,
        max_size=MAX_INBOUND_BYTES,
        write_limit=WRITE_LIMIT,
        logger=quiet,
    )


def address(server: Server) -> str:
    """`ws://host:port` of a listening server."""
    host, port = server.sockets[0].getsockname()[:2]
    return f"ws://[{host}]:{port}" if ":" in host else f"ws://{host}:{port}"


def _listener(host: str, port: int) -> socket.socket:
    """Raises OSError. Accepted connections inherit the options."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, KERNEL_BUFFER_BYTES)
    return listener


def _negotiate(connection: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    assert isinstance(connection, Peer)
    chosen = connection.negotiate(offered)
    # Without a common subprotocol the handshake still succeeds, so that the client can be told why
    # by a close code: HTTP errors of a failed handshake are invisible to browsers.
    connection.supported = chosen is not None or not offered
    return chosen
