"""Tells this process's runner whom of the owners' agents it is to play, and gives it keys and specs.

The runner itself knows nothing but the public websocket; this is the only thread between it and the store.
Several runners share the agents by claims in Redis (`live.hosting`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from bots.brains.llm import is_small
from bots.errors import HostFault
from bots.hosted import Guest, Part
from chain.content import cid
from chain.content.cid import NotACid
from server.agents import spec as specs
from server.agents.spec import VersionSpec
from server.clock import Clock, unix_ms
from server.live.hosting import Claims
from server.store.agents import HOST_KEY_MS
from server.store.hosting import Due
from training.adapters import names
from training.adapters.names import NotAName


class UnknownVersion(LookupError):
    """There is no such version of an agent."""


class AdapterAway(HostFault):
    """Nobody here serves the adapter that a version plays with: it is not played without."""

    public_reason = "its adapter cannot be served"


class HostingStore(Protocol):
    """What is used of `store.hosting.Hosting`."""

    async def due(self) -> list[Due]: ...
    async def spec(self, version: str) -> str | None: ...
    async def key(self, agent: str) -> str: ...
    async def revoke(self, keys: Sequence[str]) -> None: ...


class ModelServer(msgspec.Struct, frozen=True):
    """Where hosted agents think."""

    url: str
    model: str
    """The arena's own, for specs that name none."""
    api_key: str = ""
    base: str = ""
    """Where the model is an adapter: the model that it is on."""


class Hosted:
    """The source of one runner (`bots.hosted.Source`)."""

    def __init__(
        self,
        store: HostingStore,
        claims: Claims,
        server: ModelServer,
        *,
        capacity: int,
        adapters: Callable[[], ModelServer] | None = None,
        clock: Clock = unix_ms,
    ) -> None:
        """`capacity`: agents that this process plays at once, at most; what is left is for others. `adapters` gives the model
        gateway, whose `model` is the base there; it is asked when a version plays with an adapter."""
        self._store = store
        self._claims = claims
        self._server = server
        self._capacity = capacity
        self._adapters = adapters
        self._clock = clock
        self._mine: set[str] = set()
        self._keys: dict[str, tuple[str, int]] = {}
        """By agent, with the time at which each was made."""

    async def guests(self) -> list[Guest]:
        """Whom to play now. Raises what the store and Redis raise; claims then last for a while."""
        due = {each.agent: each for each in await self._store.due()}
        await self._let_go(self._mine - due.keys())
        # Those that it plays already come first, then the others by age, as far as there is room.
        wanted = sorted(due, key=lambda agent: (agent not in self._mine, agent))
        mine: set[str] = set()
        while wanted and (room := self._capacity - len(mine)) > 0:
            mine |= await self._claims.claim(wanted[:room])
            del wanted[:room]
        self._mine = mine
        return [Guest(agent, due[agent].name) for agent in sorted(self._mine)]

    async def key(self, agent: str) -> str:
        """Raises UnknownAgent."""
        now_ms = self._clock()
        known, made_ms = self._keys.get(agent, ("", 0))
        if now_ms - made_ms < HOST_KEY_MS // 2:
            return known
        key = await self._store.key(agent)
        self._keys[agent] = key, now_ms
        if known:
            await self._store.revoke([known])
        return key

    def refused(self, agent: str) -> None:
        """E.g. after the database was brought back from a copy that is older than the key."""
        self._keys.pop(agent, None)

    async def part(self, version: str, space: str) -> Part:
        """Raises UnknownVersion, AdapterAway."""
        text = await self._store.spec(version)
        if text is None:
            raise UnknownVersion(f"no version {version!r}")
        spec = specs.read(text)
        return part_of(spec, space, self._server_of(version, spec))

    def _server_of(self, version: str, spec: VersionSpec) -> ModelServer:
        if spec.adapter is None:
            return self._server
        if self._adapters is None:
            raise AdapterAway(
                f"{version} plays with the adapter {spec.adapter}, and none is served here"
            )
        try:
            name = names.of_version(version, cid.parse(spec.adapter))
        except (NotACid, NotAName) as error:
            raise AdapterAway(str(error)) from None
        gateway = self._adapters()
        return ModelServer(gateway.url, name, gateway.api_key, base=gateway.model)

    async def close(self) -> None:
        """The keys and claims of this process end with it."""
        keys = [key for key, _ in self._keys.values()]
        self._keys.clear()
        await self._store.revoke(keys)
        await self._claims.drop(self._mine)

    async def _let_go(self, agents: set[str]) -> None:
        # Their keys end later, with the process or by themselves: a live session of theirs may need one.
        await self._claims.drop(agents)


def part_of(spec: VersionSpec, space: str, server: ModelServer) -> Part:
    """What plays a spec in a Space. Pure. The address of the model is the arena's, never the owner's; of a spec with an
    adapter it is the model gateway's, and `server.model` the adapter."""
    assert (spec.adapter is not None) == bool(server.base), "an adapter is never played as its base"
    if spec.brain != "llm":
        return Part(spec.brain)
    said: Mapping[str, Any] = {
        "system": specs.prompt_for(spec, space) or None,
        "temperature": spec.temperature,
        "top_p": spec.top_p,
        "max_tokens": spec.max_tokens,
    }
    settings = {name: value for name, value in said.items() if value is not None}
    if server.base:
        # An adapter's name does not say how large its model is, and it is asked as the base is.
        settings["rhyme_sheet"] = is_small(server.base)
    model = server.model if server.base else spec.model or server.model
    return Part("llm", {"url": server.url, "model": model, "api_key": server.api_key, **settings})
