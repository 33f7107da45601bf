"""A judge's own look at the chain before it judges: is it filed as we are told, and are we drawn."""

from __future__ import annotations

from typing import Protocol

from chain.client.node import Reverted
from chain.court.commitment import Court
from chain.court.snapshot import Snapshot
from judges.node.duty import Told
from judges.node.node import Never, NotNow
from server.judging.arena import Arena
from server.judging.seating import Batch, Misfiled, Shown, bound_of, check_told, panel_of, shown_of
from server.outside.asking import Unreadable
from server.protocol import CaseView

SNAPSHOTS_KEPT = 8
MAX_ORDINAL = 2**32
"""Hearings that no judge sits in. A higher one is none that an arena has counted, and would be the judge's for good."""


class Records(Protocol):
    """The contracts, read. Raise OSError, LookupError for what they do not have."""

    async def batch(self, number: int) -> Batch: ...

    async def snapshot(self, number: int) -> Snapshot:
        """Its lists, held against the digest that the registry keeps."""
        ...


class Docket:
    """Of one judge."""

    def __init__(self, judge: str, court: Court, arena: Arena, records: Records) -> None:
        self._judge = judge
        self._court = court
        self._arena = arena
        self._records = records
        self._snapshots: dict[int, Snapshot] = {}
        self._checked: dict[tuple[str, int], Shown] = {}

    async def check(self, told: Told) -> int:
        """See `judges.node.node.Docket`."""
        try:
            view = await self._arena.case(told.session)
            least = (await self._arena.judge(self._judge)).next_ordinal
        except Unreadable as error:
            raise NotNow(str(error)) from None
        if not 0 <= least < MAX_ORDINAL:
            raise NotNow("the arena names an ordinal that nobody can have reached")
        shown, panel = await self._drawn(told, view)
        if self._judge.lower() not in (each.lower() for each in panel):
            raise Never("by the chain's draw we are not on this panel; the arena says that we are")
        self._keep(told, shown)
        return least

    async def bound(self, told: Told) -> None:
        """See `judges.node.node.Docket`."""
        try:
            view = await self._arena.case(told.session)
        except Unreadable as error:
            raise NotNow(str(error)) from None
        shown, panel = await self._drawn(told, view)
        committed = bound_of(self._court, shown, view.panel, panel)
        if len(committed) < shown.filing.seats:
            raise NotNow(
                f"{len(committed)} of {shown.filing.seats} seats are shown to have committed, each by its signature"
            )

    async def _drawn(self, told: Told, view: CaseView) -> tuple[Shown, list[str]]:
        """What is filed on the chain of this hearing, and who is drawn by it. Raises NotNow."""
        if view.hearing != told.hearing:
            raise NotNow(f"hearing {view.hearing} has begun")
        try:
            shown = shown_of(view.filing)
            check_told(told, shown.filing.filing())
            panel = panel_of(
                shown,
                await self._batch(shown.filed.batch),
                await self._snapshot(shown.filing.snapshot),
            )
        except Misfiled as error:
            # The chain may be behind what the arena tells; a lie is found out again each time.
            raise NotNow(str(error)) from None
        return shown, panel

    def filing(self, told: Told) -> Shown:
        """What `check` has found right. Raises KeyError for what it has not."""
        return self._checked[told.key]

    def _keep(self, told: Told, shown: Shown) -> None:
        while len(self._checked) >= 64:
            self._checked.pop(next(iter(self._checked)))
        self._checked[told.key] = shown

    async def _batch(self, number: int) -> Batch:
        try:
            return await self._records.batch(number)
        except (OSError, LookupError, Reverted) as error:
            raise NotNow(f"batch {number} of the chain cannot be had: {error}") from None

    async def _snapshot(self, number: int) -> Snapshot:
        found = self._snapshots.get(number)
        if found is None:
            try:
                found = await self._records.snapshot(number)
            except (OSError, LookupError, ValueError, Reverted) as error:
                raise NotNow(f"snapshot {number} cannot be had: {error}") from None
            while len(self._snapshots) >= SNAPSHOTS_KEPT:
                self._snapshots.pop(next(iter(self._snapshots)))
            self._snapshots[number] = found
        return found
