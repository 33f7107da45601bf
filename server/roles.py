"""Runs the chosen roles in one loop, from the first service to the last drain.

`agon serve` runs all roles in one process, `agon serve --role R` some of them; the code is the same.
What the roles are made of is constructed in `parts`.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import structlog

from server import garbage
from server.config import Config, ConfigError
from server.parts import Parts, open_parts
from server.role import Role, Running
from spaces import registry

_log = structlog.get_logger()

DRAIN_ORDER = (
    *(Role.TRAINER, Role.RUNNER, Role.MODELS, Role.MATCHMAKER),
    *(Role.GATEWAY, Role.API, Role.HOST, Role.WORKER),
)
"""Who makes work stops before who does it, and who tells clients before who serves them."""


_COMMA = re.compile(r",(?![^()]*\))")
"""One that is not in the parameters of a game, e.g. of `openspiel:leduc_poker(players=3,…)`."""
_QUOTA = re.compile(r"(.*?)(?: *= *(\d{1,9}))?", re.DOTALL)


def parse_roles(names: Iterable[str] | None, *, trains: bool = False) -> frozenset[Role]:
    """Roles from repeated or comma-separated names; none means all but `models`, which runners have with them, and `trainer`, unless this
    process `trains`. Raises ConfigError."""
    chosen = [part.strip() for name in names or () for part in name.split(",") if part.strip()]
    known = [role.value for role in Role]
    unknown = [name for name in chosen if name not in known]
    if unknown:
        raise ConfigError(f"no role {', '.join(unknown)}; there are: {', '.join(known)}")
    unasked = {Role.MODELS} if trains else {Role.MODELS, Role.TRAINER}
    return frozenset(Role(name) for name in chosen) or frozenset(Role) - unasked


def parse_house(text: str) -> dict[str, int]:
    """Which Spaces the house plays, and how many sessions (0: without end). The id of a game of another project
    may be any spelling of it; the arena has to offer it. Raises ConfigError."""
    if text in ("all", "none"):
        return {space.id: 0 for space in registry.offered()} if text == "all" else {}
    quotas: dict[str, int] = {}
    for part in map(str.strip, _COMMA.split(text)):
        found = _QUOTA.fullmatch(part)
        assert found is not None  # it matches anything
        space, count = found.groups()
        try:
            quotas[_offered(space)] = int(count or 0)
        except registry.UnknownSpace as error:
            form = "; expected SPACE or SPACE=COUNT" if "=" in space.rpartition(")")[2] else ""
            raise ConfigError(f"--house {part!r}: {error}{form}") from None
    return quotas


def _offered(space: str) -> str:
    """The id of a Space in any spelling. Raises UnknownSpace, also where this arena does not offer it."""
    id_ = registry.get(space).id
    if id_ not in {each.id for each in registry.offered()}:
        raise registry.UnknownSpace(id_, f"{id_} is not offered here; name it in AGON_SPACES, too")
    return id_


async def serve(
    config: Config,
    chosen: frozenset[Role],
    *,
    house: Mapping[str, int],
    ready_file: Path | None = None,
    stop_with_stdin: bool = False,
) -> None:
    """Run the chosen roles until SIGTERM, SIGINT, or one of them fails; then drain them in order.

    `ready_file` is written, as JSON with the addresses, once everything serves.
    """
    os.umask(0o077)  # records and logs are the user's alone
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if stop_with_stdin:
        loop.add_reader(sys.stdin.fileno(), _read_until_end, stop)
    _log.info(
        "starting", roles=[role.value for role in Role if role in chosen], data=config.data_dir
    )
    async with open_parts(config, chosen) as parts:
        roles = await parts.roles(chosen, house)
        try:
            await _run(parts, roles, stop, ready_file)
        finally:
            await parts.end_hosting()


def _read_until_end(stop: asyncio.Event) -> None:
    if not os.read(sys.stdin.fileno(), 4_096):
        asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        stop.set()


async def _run(
    parts: Parts, roles: dict[Role, list[Running]], stop: asyncio.Event, ready_file: Path | None
) -> None:
    async with asyncio.TaskGroup() as group:
        background = [group.create_task(work) for work in parts.background()]
        tasks: list[asyncio.Task[None]] = []
        # The gateway first: from its first answer on, the API names the gateway's address.
        for role in sorted(roles, key=lambda role: role is not Role.GATEWAY):
            tasks += [group.create_task(each.run(), name=role.value) for each in roles[role]]
            if role is Role.GATEWAY:
                await parts.gateway_ready()
        garbage.tune()
        parts.announce(ready_file)
        await stop.wait()  # or the group's first failure, which cancels this
        _log.info("draining", roles=[role.value for role in roles])
        for role in DRAIN_ORDER:
            for running in roles.get(role, ()):
                await running.drain()
        for task in (*tasks, *background):
            task.cancel()
