"""An adapter before the gate: the candidate is the agent's own spec with the adapter, and the arena plays the gate until it is over.

What a verdict leads to is `store.lineages`': who passes plays from then on, in one transaction with the verdict.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import msgspec

from server.agents import spec as specs
from server.store import Store
from server.store.agents import UnknownAgent
from server.store.gates import GateRow
from server.training.opening import AT_ONCE, POOL_PAIRS, open_gate
from server.training.players import Rival
from training.gate.sprt import Bounds

POLL_S = 1.0


async def judged(
    store: Store,
    gate: str,
    agent: str,
    space: str,
    adapter: str,
    *,
    rivals: Sequence[Rival] | None = None,
    pool_pairs: int = POOL_PAIRS,
    bounds: Bounds = Bounds(),  # noqa: B008 # frozen
    at_once: int = AT_ONCE,
    poll_s: float = POLL_S,
) -> GateRow:
    """The gate of the adapter with this card, once it has ended: opened under the id `gate`, or gone on with where that stands already.

    Cancelling it leaves the gate running. Raises as `open_gate`.
    """
    row = await store.gates.get(gate)
    if row is None:
        owned = await store.owned.get(agent)
        if owned is None:
            raise UnknownAgent(f"unknown agent {agent!r}")
        candidate = msgspec.structs.replace(specs.read(owned.spec), adapter=adapter)
        row = await open_gate(
            store,
            agent,
            space,
            candidate,
            gate=gate,
            rivals=rivals,
            pool_pairs=pool_pairs,
            bounds=bounds,
            at_once=at_once,
        )
    while row.status == "running":
        await asyncio.sleep(poll_s)
        found = await store.gates.get(gate)
        assert found is not None, "nothing is ever deleted"
        row = found
    return row


def promoted(row: GateRow) -> str | None:
    """The version that plays by this gate; None: what was there is kept. Pure."""
    passed = row.verdict is not None and row.verdict.decision == "promote"
    return row.candidate if passed else None
