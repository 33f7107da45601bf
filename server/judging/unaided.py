"""Hearings of ours that somebody has put on the chain, found without the arena: it may be silent, or say nothing of them."""

from __future__ import annotations

from collections.abc import Callable

from chain.client.hearings import Hearings
from judges.node.duty import Sat, Stage, Told
from judges.node.journal import Journal, Sealed
from server.judging.forced import ForcedHearings

YOUNG_MS = 7 * 24 * 3_600_000
"""Since a sheet was sealed: by then its hearing is anchored and counts (`anchor_s` and `window_s` of the contract), or is not forced any
more."""
AT_ONCE = 16
"""Hearings that one look asks for anew; the next look goes on with older ones, then from the newest again."""


class Unaided:
    """Of one judge. What it looks for is in its journal: with the arena's help it has judged these already."""

    def __init__(
        self,
        *,
        journal: Journal,
        hearings: Hearings,
        forced: ForcedHearings,
        clock: Callable[[], int],
    ) -> None:
        self._journal = journal
        self._hearings = hearings
        self._forced = forced
        self._clock = clock
        self._below: int | None = None
        self._put: dict[tuple[str, int], Sealed] = {}

    async def look(self) -> list[Told]:
        """Those in which a message of ours may be due. Raises OSError, LookupError, and what the chain refuses."""
        since_ms = self._clock() - YOUNG_MS
        young = self._journal.since(since_ms, below=self._below, limit=AT_ONCE)
        for each in young:
            case = bytes.fromhex(each.case.removeprefix("0x"))
            if await self._hearings.put(case) > each.hearing:
                self._put[each.case, each.hearing] = each
        self._below = young[-1].ordinal if len(young) == AT_ONCE else None
        found = [await self._told(each) for each in list(self._put.values())]
        return [each for each in found if each is not None]

    async def _told(self, sealed: Sealed) -> Told | None:
        bare = Told(
            session=sealed.session,
            case=sealed.case,
            hearing=sealed.hearing,
            space=sealed.space,
            transcript="",
            stage=Stage.EARLY,
            seat=Sat.NONE,
            forced=True,
        )
        told = await self._forced.told(bare, None)
        if told.stage is Stage.OVER:
            del self._put[told.key]
        return told if told.stage in (Stage.COMMITTING, Stage.REVEALING) else None


def joined(arena: list[Told], chain: list[Told]) -> list[Told]:
    """What the arena tells, but for hearings that the chain has: there only the chain counts."""
    own = {each.key: each for each in chain if each.seat is not Sat.NONE}
    for each in arena:
        if each.forced and each.seat is not Sat.NONE:
            own[each.key] = each  # read of the chain, and later
        else:
            own.setdefault(each.key, each)
    return list(own.values())
