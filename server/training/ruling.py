"""The gate as a room of a training: under the job's own id, so that a trainer that comes after another goes on with the same gate."""

from __future__ import annotations

from server.agents import spec as specs
from server.jobs.faults import NotNow, Permanent
from server.store import Store
from server.store.adapters import AdapterRow
from server.store.agents import UnknownAgent
from server.store.gates import GateRow, GateRunning, NotGated, results_of
from server.store.training_jobs import JobRow
from server.training import promotion
from server.training.flow import Ruling
from training.gate import progress


class Gate:
    """`flow.Gates`: the matches are formed by who plays gates, the matchmaker; here their end is waited for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def ruled(self, job: JobRow) -> Ruling | None:
        """Raises Permanent where it could not be played."""
        row = await self._store.gates.get(job.id)
        return None if row is None or row.status == "running" else await self._ruling(row)

    async def rule(self, job: JobRow, adapter: AdapterRow) -> Ruling:
        """Raises NotNow while another gate of the agent runs, Permanent where it cannot be tested as it is, or where so many matches were void that
        nothing was found out: that is no failed gate. Cancelling it leaves the gate running."""
        await self._check(job)
        try:
            row = await promotion.judged(self._store, job.id, job.agent, job.space, adapter.card)
        except GateRunning as error:
            raise NotNow(str(error)) from None
        except (NotGated, UnknownAgent) as error:
            raise Permanent(str(error)) from None
        return await self._ruling(row)

    async def _check(self, job: JobRow) -> None:
        """The candidate is what plays now, with the adapter: of another model it would be a version that never was trained."""
        owned = await self._store.owned.get(job.agent)
        if owned is None or await self._store.gates.get(job.id) is not None:
            return
        was = specs.read(await self._store.training_jobs.spec(job.version))
        now = specs.read(owned.spec)
        if (now.brain, now.model) != (was.brain, was.model):
            raise Permanent("its owner has changed its brain or its model since the training began")
        if now.adapter != was.adapter:
            raise Permanent(
                "it plays with another adapter than when the training began: what that one has learned would be lost"
            )

    async def _ruling(self, row: GateRow) -> Ruling:
        found = promotion.promoted(row)
        if found is None:
            matches = await self._store.gates.matches(row.gate)
            given_up = progress.standing(row.plan, results_of(matches)).seen.given_up
            if given_up > progress.MOST_GIVEN_UP:
                raise Permanent(_reason(row))
        return Ruling(promoted=found, gate=row.gate, reason=_reason(row))


def _reason(row: GateRow) -> str:
    assert row.verdict is not None, "it has ended"
    return "; ".join(row.verdict.reasons) or row.verdict.decision
