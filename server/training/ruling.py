"""The gate as a room of a training: under the job's own id, so that a trainer that comes after another goes on with the same gate."""

from __future__ import annotations

from server.jobs.faults import NotNow, Permanent
from server.store import Store
from server.store.adapters import AdapterRow
from server.store.agents import UnknownAgent
from server.store.gates import GateRow, GateRunning, NotGated
from server.store.training_jobs import JobRow
from server.training import promotion
from server.training.flow import Ruling


class Gate:
    """`flow.Gates`: the matches are formed by who plays gates, the matchmaker; here their end is waited for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def rule(self, job: JobRow, adapter: AdapterRow) -> Ruling:
        """Raises NotNow while another gate of the agent runs, Permanent where it cannot be tested as it is. Cancelling it leaves the gate
        running."""
        try:
            row = await promotion.judged(self._store, job.id, job.agent, job.space, adapter.card)
        except GateRunning as error:
            raise NotNow(str(error)) from None
        except (NotGated, UnknownAgent) as error:
            raise Permanent(str(error)) from None
        return Ruling(promoted=promotion.promoted(row), gate=row.gate, reason=_reason(row))


def _reason(row: GateRow) -> str:
    assert row.verdict is not None, "it has ended"
    return "; ".join(row.verdict.reasons) or row.verdict.decision
