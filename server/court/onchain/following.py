"""What follows from the logs of `court`, `hearings` and `judge_registry`: rows, written with the logs and taken back with them.

Each row is made by one log, and changed by none: what the contracts have said of something is the rows of its logs in their order,
so to take a log back is to forget its rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from chain.client.abi import Event
from chain.client.contract import Contract
from chain.client.node import Log
from server.court.onchain import standing
from server.store import court_logs as rows
from server.store.court_logs import Said

READER = "court"
NOBODY = "0x" + "00" * 20
_ORDINALS = ("batch", "snapshot", "epoch")
"""By what events number what they tell of."""


class CourtFollower:
    """A `server.store.chain_logs.Follower`."""

    def __init__(self, *, court: Contract, registry: Contract, hearings: Contract) -> None:
        self._court = court
        self._registry = registry
        self._hearings = hearings

    @property
    def addresses(self) -> list[str]:
        """Whose logs are to be read."""
        return [self._court.address, self._registry.address, self._hearings.address]

    async def follow(self, tx: AsyncConnection, logs: Sequence[Log]) -> None:
        for log in logs:
            event = self._understood(log)
            if event is None:
                continue
            await rows.add(tx, said(event))
            if log.address == self._registry.address and event.name in standing.CHANGES:
                await self._stand(tx, event)

    async def undo(self, tx: AsyncConnection, logs: Sequence[Log]) -> None:
        for log in logs:
            await rows.forget(tx, log.number, log.index)

    def _understood(self, log: Log) -> Event | None:
        """None for what is no event of theirs: roles of theirs, say, in an ABI of later."""
        contracts = (self._court, self._registry, self._hearings)
        return next(filter(None, (each.event(log) for each in contracts)), None)

    async def _stand(self, tx: AsyncConnection, event: Event) -> None:
        judge, at = event.fields["judge"], (event.log.number, event.log.index)
        before = await rows.standing_of(tx, judge)
        after = standing.after(before, event.name, event.fields)
        if after != before:
            await rows.add_standing(tx, judge, *at, after)
        other = event.fields.get("displaced", NOBODY)
        if event.name == "Placed" and other not in (NOBODY, judge):
            gone = standing.displaced(await rows.standing_of(tx, other))
            await rows.add_standing(tx, other, *at, gone)


def said(event: Event) -> Said:
    """The row of an event."""
    fields = event.fields
    case = fields.get("case")
    return Said(
        number=event.log.number,
        log_index=event.log.index,
        block_hash=event.log.block_hash,
        tx=event.log.tx,
        name=event.name,
        ordinal=next((fields[each] for each in _ORDINALS if each in fields), None),
        case=case.hex() if isinstance(case, bytes) else None,
        hearing=fields.get("hearing"),
        judge=fields.get("judge"),
        fields=fields,
    )
