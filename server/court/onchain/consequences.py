"""Brings to the chain what follows from epochs that count: what hearings cost their judges, one by one and for twenty in a row, and
what judges have earned.

Anybody may, so nobody's stake or pay hangs on the arena; the arena does, as it has the documents at hand.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from eth_utils.address import to_checksum_address

from chain.client.contract import Invocation
from chain.client.court import CourtContract, Heard, Terms
from chain.client.node import Head
from chain.court.anchor import NO_ORDINAL, AnchorTree, EarnedLeaf, SeatLeaf
from chain.documents import court_epoch
from chain.documents.court_epoch import CourtEpoch
from judges.court import rolling
from judges.court.terms import WINDOW
from server.court.onchain.proofs import Proofs
from server.operators.acting import Acts
from server.store.court_epochs import CourtEpochs, Seat
from server.store.court_logs import CourtLogs

CLAIMS_AT_ONCE = 16
"""Judges whose pay is brought in one round, each by a transaction."""
KEPT = 4
"""Epochs that are remembered, read."""


class Read(NamedTuple):
    """An epoch and its trees."""

    epoch: CourtEpoch
    cases: AnchorTree
    earned: AnchorTree | None


class Consequences:
    """By any key; two at once act under the same names."""

    def __init__(
        self,
        *,
        court: CourtContract,
        logs: CourtLogs,
        epochs: CourtEpochs,
        proofs: Proofs,
        acts: Acts,
        terms: Callable[[], Awaitable[Terms]],
        least_micros: int,
    ) -> None:
        """`terms`: the court's. `least_micros`: what is to come to a judge before it is brought to it."""
        self._court = court
        self._logs = logs
        self._epochs = epochs
        self._proofs = proofs
        self._acts = acts
        self._terms = terms
        self._least_micros = least_micros
        self._prefix = f"court:{court.address[2:10]}"
        self._read: dict[str, Read] = {}

    async def round(self, head: Head) -> None:
        """Raises OSError, and what the store raises."""
        counting = await self._logs.counting(head.timestamp)
        if counting is None or counting.ordinal is None:
            return
        read = await self._epoch(counting.ordinal)
        if read is None or read.epoch.cases_root != counting.fields["cases_root"].hex():
            return  # somebody else's: `epochs` tells of it
        await self._claim(read)
        for epoch in await self._epochs.undone(counting.ordinal):
            if await self._charge(epoch) or await self._is_over(epoch, head):
                await self._epochs.done(epoch)

    async def _is_over(self, epoch: int, head: Head) -> bool:
        """Whether stake that it costs may be gone by now, so that nobody tries any more what the contract refuses."""
        said = await self._logs.newest("Anchored", ordinal=epoch)
        record_s = (await self._terms()).record_s
        return said is not None and head.timestamp > said.fields["counts_at"] + record_s

    async def _epoch(self, number: int) -> Read | None:
        row = await self._epochs.get(number)
        if row is None:
            return None
        if row.cases_root not in self._read:
            if len(self._read) >= KEPT:
                self._read.clear()
            self._read[row.cases_root] = await asyncio.to_thread(_read, row.document)
        return self._read[row.cases_root]

    # ----------------------------------------------------------------------- pay

    async def _claim(self, read: Read) -> None:
        """For everybody who has enough to come, by the newest root that counts: sums are cumulative, so nothing is missed."""
        brought = 0
        for account in read.epoch.accounts:
            if brought == CLAIMS_AT_ONCE:
                return
            if account.earned < self._least_micros or read.earned is None:
                continue
            judge = to_checksum_address(account.judge)
            if account.earned - await self._logs.claimed(judge) < self._least_micros:
                continue
            proof = read.earned.proof(EarnedLeaf(account.judge, account.earned))
            name = f"claim:{account.judge[2:]}:{account.earned}"
            call = self._court.claim(read.epoch.epoch, judge, account.earned, proof)
            brought += await self._act(name, call)

    # ----------------------------------------------------------------------- what is lost

    async def _charge(self, epoch: int) -> bool:
        """Whether there is nothing to be taken any more for the hearings of an epoch."""
        slashes = await self._epochs.slashes(epoch)
        for seat in slashes:
            heard = await self._heard(seat)
            if heard is not None:
                name = f"slash:{epoch}:{heard.filing.case.hex()[:24]}:{seat.hearing}:{seat.judge[2:26]}"
                await self._act(name, self._court.slash(heard))
        rows = [
            row for judge in await self._epochs.judges(epoch) for row in await self._rows(judge)
        ]
        for row in rows:
            await self._act(
                f"rolling:{row[0].seat.judge[2:]}:{row[0].seat.ordinal}",
                self._court.slash_rolling(row),
            )
        return not slashes and not rows

    async def _rows(self, judge: str) -> list[list[Heard]]:
        """Twenty hearings in a row of a judge, below the floor, that were not counted yet."""
        rolled = await self._logs.newest("Rolled", judge=to_checksum_address(judge))
        first = 0 if rolled is None else rolled.fields["first"] + WINDOW
        seats = {
            each.ordinal: each for each in await self._epochs.history(judge, first, NO_ORDINAL - 1)
        }
        history = [rolling.Heard(ordinal, seats[ordinal].skill) for ordinal in sorted(seats)]
        found = []
        for row in rolling.rows_below(history, first):
            heard = [await self._heard(seats[each.ordinal]) for each in row]
            whole = [each for each in heard if each is not None]
            if len(whole) == len(row):
                found.append(whole)
        return found

    async def _heard(self, seat: Seat) -> Heard | None:
        """The leaf and both its proofs; None where the batch, or the epoch, is not on the chain now."""
        read = await self._epoch(seat.epoch)
        line = None if read is None else _line(read.epoch, seat)
        if read is None or line is None:
            return None
        standing = await self._proofs.of(line.case, seat.hearing)
        if standing is None:
            return None
        return Heard(
            standing.batch,
            standing.filing,
            standing.proof,
            seat.epoch,
            line,
            tuple(read.cases.proof(line)),
        )

    async def _act(self, name: str, call: Invocation) -> bool:
        """Whether it was begun just now."""
        name = f"{self._prefix}:{name}"
        if await self._acts.standing(name) is not None:
            return False

        async def made() -> Invocation:
            return call

        await self._acts.act(name, made)
        return True


def _read(document: bytes) -> Read:
    epoch = court_epoch.read(document)
    return Read(
        epoch,
        court_epoch.cases_tree(epoch.hearings),
        court_epoch.earned_tree(epoch.accounts),
    )


def _line(epoch: CourtEpoch, seat: Seat) -> SeatLeaf | None:
    at = (seat.session, seat.hearing)
    line = next((each for each in epoch.hearings if (each.session, each.hearing) == at), None)
    leaves: Sequence[SeatLeaf] = () if line is None else line.seat_leaves()
    return next((each for each in leaves if each.judge == seat.judge), None)
