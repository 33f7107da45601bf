"""What every command is made of: its options, its loop, its failures. Imports nothing heavy."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
import uvloop

from server import config as configuration
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
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class CommandError(Exception):
    """Something the user can act on: printed as one line, exit status 1."""


def run_async(work: Callable[[], Coroutine[None, None, T]]) -> T:
    """Run a command's coroutine on uvloop; an error group of known errors shows its first."""
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
    from spaces import registry

    settings = configuration.load(file, data_dir=data_dir)
    try:
        registry.offer(settings.spaces)
    except (registry.UnknownSpace, ValueError) as error:
        raise CommandError(str(error)) from None
    return settings


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
