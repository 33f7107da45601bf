"""What every command is made of: its options, its loop, its failures. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import msgspec
import typer

from server import knobs
from server.config import Config

if TYPE_CHECKING:
    from redis.asyncio import Redis

    from server.store import Store

T = TypeVar("T")

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", help="A TOML file of knobs; default: ./agon.toml if it exists."),
]
DataDir = Annotated[
    str | None, typer.Option("--data-dir", help="Where the embedded services keep their files.")
]
ApiUrl = Annotated[str, typer.Option("--url", envvar="AGON_URL", help="The arena's HTTP API.")]
DEFAULT_URL = "http://127.0.0.1:8600"
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class CommandError(Exception):
    """Something the user can act on: printed as one line, exit status 1."""


def run_async(work: Callable[[], Coroutine[None, None, T]]) -> T:
    """Run a command's coroutine on uvloop; an error group of known errors shows its first."""
    import asyncio

    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(work())
        except BaseExceptionGroup as group:
            raise _first(group) from None


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def load(file: Path | None, data_dir: str | None) -> Config:
    """The knobs of the arena that the command is about, with the Spaces that it offers.

    Raises ConfigError and CommandError.
    """
    return load_arena(file, data_dir=data_dir)


def load_arena(
    file: Path | None, *, offering: Iterable[str] = (), data_dir: str | None = None
) -> Config:
    """The same for an arena that is to be started. Games of other projects among `offering` are offered, too,
    however their ids are written. Raises ConfigError and CommandError."""
    from spaces import registry

    settings = knobs.load(file, data_dir=data_dir)
    bridged = [each for each in offering if ":" in each and each not in settings.spaces]
    try:
        registry.offer((*settings.spaces, *bridged))
    except (registry.UnknownSpace, ValueError) as error:
        raise CommandError(str(error)) from None
    return msgspec.structs.replace(settings, spaces=(*settings.spaces, *bridged))


def on_records(settings: Config, work: Callable[[Store], Awaitable[T]]) -> T:
    """Do something on the arena's database. Raises StoreError, besides what it raises."""
    from server.commands.opening import records

    async def opened() -> T:
        async with records(settings) as store:
            return await work(store)

    return run_async(opened)


def on_live_state(settings: Config, work: Callable[[Store, Redis], Awaitable[T]]) -> T:
    """The same with Redis. Raises StoreError and CommandError, besides what it raises."""
    from redis.exceptions import RedisError

    from server.commands.opening import live_state, records

    async def opened() -> T:
        async with records(settings) as store, live_state(settings) as redis:
            try:
                return await work(store, redis)
            except RedisError as error:
                raise CommandError(f"redis does not answer: {error}; see `agon doctor`") from None

    return run_async(opened)
