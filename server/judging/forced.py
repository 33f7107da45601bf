"""A hearing that somebody has put on the chain, for one of its judges: how far it is there, and our messages brought there ourselves.

What a judge has signed for the clerk counts there as well, so its sheet, its salt and its ordinal stay what they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import msgspec

from chain.client.contract import Invocation
from chain.client.hearings import Course, Hearings, Seat, Stage
from chain.client.node import Reverted
from chain.client.rpc import Rpc
from chain.court.commitment import reasons_digest
from chain.court.messages import Commit
from judges.node import duty
from judges.node.duty import Sat, Told
from judges.node.journal import Sealed
from judges.node.node import NotNow

if TYPE_CHECKING:
    from server.operators.acting import Acts

NONE_YET = "the chain has not drawn its panel yet"


class ForcedHearings:
    """Of one judge. `acts` opens what sends for it, the first time that something is to be sent; entered once."""

    def __init__(
        self,
        *,
        judge: str,
        rpc: Rpc,
        hearings: Hearings,
        acts: Callable[[AsyncExitStack], Awaitable[Acts]],
        clock: Callable[[], int],
    ) -> None:
        self.hearings = hearings
        self._judge = judge.lower()
        self._rpc = rpc
        self._open = acts
        self._clock = clock
        self._acts: Acts | None = None
        self._seats: dict[tuple[str, int], int] = {}
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()

    async def __aenter__(self) -> ForcedHearings:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def told(self, told: Told, place: int | None) -> Told:
        """How far it is by the chain alone. `place`: of our seat among those drawn, as we are told; where it is not there, or None,
        it is looked for. Raises OSError, and what the chain refuses."""
        case = bytes.fromhex(told.case.removeprefix("0x"))
        _, course = await self.hearings.hearing(case, told.hearing)
        sits = await self._sits(told, case, course, place)
        if sits is None:
            return msgspec.structs.replace(told, stage=_stage(course), seat=Sat.NONE)
        place, seat = sits
        self._seats[told.key] = place
        # The chain's clock is the chain's; what is left of the step is what counts.
        left_s = course.at - (await self._rpc.head()).timestamp
        by_ms = self._clock() + left_s * 1_000
        return msgspec.structs.replace(
            told,
            stage=_stage(course),
            seat=_sat(course, seat, place),
            all_committed=course.stage is Stage.REVEALING,
            commit_by_ms=by_ms,
            reveal_by_ms=by_ms,
        )

    async def _sits(
        self, told: Told, case: bytes, course: Course, place: int | None
    ) -> tuple[int, Seat] | None:
        """Our seat and its place; None where we have none, or the panel is not drawn yet."""
        likely = (place, self._seats.get(told.key))
        first = [each for each in likely if each is not None and each < course.drawn]
        for number in dict.fromkeys((*first, *range(course.drawn))):
            seat = await self.hearings.seat(case, told.hearing, number)
            if seat.judge.lower() == self._judge:
                return number, seat
        return None

    async def commit(self, told: Told, sealed: Sealed) -> None:
        """See `judges.node.node.Ear`."""
        message = Commit(
            bytes.fromhex(told.case.removeprefix("0x")),
            sealed.hearing,
            sealed.commitment,
            sealed.ordinal,
        )
        call = self.hearings.commit(self._place(told), message, sealed.signature)
        await self._bring("commit", told, call)

    async def reveal(self, told: Told, sealed: Sealed) -> None:
        call = self.hearings.reveal(
            bytes.fromhex(told.case.removeprefix("0x")),
            sealed.hearing,
            self._place(told),
            sealed.scored.flat,
            reasons_digest(sealed.scored.reasons),
            sealed.salt,
        )
        await self._bring("reveal", told, call)

    def _place(self, told: Told) -> int:
        try:
            return self._seats[told.key]
        except KeyError:
            raise NotNow(NONE_YET) from None

    async def _bring(self, what: str, told: Told, call: Invocation) -> None:
        async def made() -> Invocation:
            return call

        name = f"{self.hearings.address[2:10]}:{what}:{told.case[2:34]}:{told.hearing}"
        try:
            async with self._opening:
                if self._acts is None:
                    self._acts = await self._open(self._stack)
            sent = await self._acts.act(name, made)
        except (OSError, Reverted) as error:
            raise NotNow(f"the chain does not take it: {error}") from None
        if sent is None:
            raise NotNow("the chain does not take it now")


def _stage(course: Course) -> duty.Stage:
    match course.stage:
        case Stage.COMMITTING | Stage.RECOMMITTING:
            return duty.Stage.COMMITTING
        case Stage.REVEALING:
            return duty.Stage.REVEALING
        case Stage.ELSEWHERE | Stage.FORCED:
            return duty.Stage.EARLY
        case _:
            return duty.Stage.OVER


def _sat(course: Course, seat: Seat, place: int) -> Sat:
    if seat.revealed:
        return Sat.REVEALED
    if seat.committed:
        return Sat.COMMITTED
    reserve = place >= course.seats
    if course.stage is Stage.COMMITTING:
        return Sat.NONE if reserve else Sat.DRAWN
    if course.stage is Stage.RECOMMITTING:
        called = reserve and place < course.seats + course.called
        return Sat.DRAWN if called else Sat.NONE if reserve else Sat.LOST
    return Sat.LOST
