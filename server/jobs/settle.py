"""The step `settle`: from ranks to money, or the entries back when the session is void."""

from __future__ import annotations

from server.jobs.aftermath import Aftermath, Change, step_change
from server.jobs.faults import Permanent
from server.jobs.fence import Fence
from server.jobs.ranks import ranking
from server.ledger import tiers
from server.protocol import Step
from server.store import Store
from server.store.results import Voided
from server.store.sessions import SessionRow
from server.store.settling import ResultRow

NAME = "settle"
SHOWN = "settled"
TIMEOUT_S = 30.0


class SettleStep:
    name = NAME
    timeout_s = TIMEOUT_S

    def __init__(self, *, store: Store, aftermath: Aftermath) -> None:
        self._store = store
        self._aftermath = aftermath

    async def run(self, session: str, fence: Fence) -> dict[str, object]:
        row = await self._store.sessions.get(session)
        if row is None:
            raise Permanent("there is no such session")
        result = await self._settle(row)
        words = _words(result, row)
        await fence.check()
        await self._aftermath.tell(session, _told(result, words), once="settled")
        return {"status": result.status, "pot_micros": result.pot_micros, "asset": result.asset}

    async def give_up(self, session: str, reason: str) -> None:
        await self._aftermath.tell(
            session, step_change(Step(SHOWN, "failed", f"not settled: {reason}"))
        )

    async def _settle(self, row: SessionRow) -> ResultRow:
        if row.status == "void":
            reason = str((row.outcome or {}).get("reason", "void"))
            return await self._store.results.void(row.session, reason)
        found = await ranking(self._store, row)
        try:
            return await self._store.results.settle(row.session, found.ranks, found.scores_milli)
        except Voided:  # this moment; another attempt there may not be
            now = await self._store.sessions.get(row.session)
            assert now is not None, "found before, and nothing is ever deleted"
            return await self._settle(now)


def _told(result: ResultRow, words: str) -> Change:
    body = {
        "status": result.status,
        "asset": result.asset,
        "pot_micros": result.pot_micros,
        "payouts": [{"to": each.to, "amount": each.amount} for each in result.payouts],
        "fees_micros": result.fees.total,
    }
    return Change("settled", "host", body, (Step(SHOWN, "done", words),))


def _words(result: ResultRow, row: SessionRow) -> str:
    """For spectators: who got what."""
    if not result.pot_micros:
        return "nothing was at stake"
    names = {f"{result.asset}:agent:{seat.agent}": seat.name for seat in row.seats}
    if result.status == "void" or not result.fees.total:
        return f"{tiers.money(result.pot_micros, result.asset)} went back to who paid it"
    return ", ".join(
        f"{names[each.to]} {tiers.money(each.amount, result.asset)}" for each in result.payouts
    )
