"""Opening a gate: the candidate's version, whom it meets, under which settings; bound by a commitment before the first match."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from bots import brains
from server.agents import spec as specs
from server.agents.spec import VersionSpec
from server.clock import Clock, unix_ms
from server.identity import new_id
from server.store import Store
from server.store.gates import GateRow, NotGated, Wanted
from server.training.players import Rival
from spaces import registry
from spaces.seed import SEED_BYTES
from training.gate import pairing
from training.gate.pairing import Plan
from training.gate.sprt import Bounds

SCRIPTED = ("random", "bidder")
"""Brains of the pool, where they play the Space: nothing about them ever changes."""
AT_ONCE = 4
POOL_PAIRS = 10


async def open_gate(
    store: Store,
    agent: str,
    space: str,
    candidate: VersionSpec,
    *,
    gate: str | None = None,
    params: Mapping[str, Any] | None = None,
    rivals: Sequence[Rival] | None = None,
    pool_pairs: int = POOL_PAIRS,
    bounds: Bounds = Bounds(),  # noqa: B008 # frozen
    at_once: int = AT_ONCE,
    clock: Clock = unix_ms,
) -> GateRow:
    """Test a candidate against the version that plays now. The arena's own call: it is what lets an adapter in. Idempotent by `gate`.

    `rivals` is the pool; None: `pool_of`. `at_once`: pairs that are played side by side. Raises GateRunning, NotGated, UnknownAgent,
    pairing.BadPlan, and what `Space.params` raises.
    """
    gate = gate or new_id()
    standing = await store.gates.get(gate)
    if standing is not None:
        return standing
    rules = registry.get(space)
    rules.params(params or {})
    text = specs.canonical(specs.tidy(candidate))
    if (why := specs.unplayed(text, space)) is not None:
        raise NotGated(why)
    pool = pool_of(space) if rivals is None else tuple(rivals)
    wanted = Wanted(gate=gate, agent=agent, spec=text, rivals=pool, at_once=at_once)
    seated = await store.gates.seat(wanted)
    plan = pairing.check(
        Plan(
            space=space,
            seats=rules.seats,
            params=dict(params or {}),
            candidate=seated.candidate,
            current=seated.current,
            pool=tuple(player.version for player in seated.players[pairing.FIRST_RIVAL :]),
            pool_pairs=pool_pairs,
            bounds=bounds,
        )
    )
    seed = secrets.token_bytes(SEED_BYTES)
    return await store.gates.open(
        GateRow(
            gate=gate,
            agent=agent,
            space=space,
            status="running",
            created_ms=clock(),
            ended_ms=None,
            candidate=seated.candidate,
            current=seated.current,
            adapter=candidate.adapter,
            plan=plan,
            players=seated.players,
            seed=seed,
            seed_commit=pairing.committed(gate, plan, seed),
            at_once=at_once,
            verdict=None,
        )
    )


def pool_of(space: str) -> tuple[Rival, ...]:
    """The pool where none is named: scripted brains where rules decide between two, as many agents without words of their own as the seats
    of a larger table need, nobody where judges decide between two."""
    rules, able = registry.get(space), brains.playing()
    if rules.seats > 2:
        arena = specs.canonical(specs.EMPTY)
        return tuple(Rival(f"sparring {number}", arena) for number in range(1, rules.seats - 1))
    if rules.decided_by == "judges":
        return ()  # no script says anything that were worth judging
    return tuple(
        Rival(brain, specs.canonical(VersionSpec(brain=brain, spaces=(space,))))
        for brain in SCRIPTED
        if brain in able and space in (able[brain] or (space,))
    )
