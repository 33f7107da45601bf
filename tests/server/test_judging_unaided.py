"""A hearing that somebody has put on the chain is found by its judges without the arena."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chain.client.hearings import Course, Hearings, Put, Seat
from chain.client.hearings import Stage as Forced
from judges.node.duty import Sat, Stage, Told
from judges.node.journal import Journal, Signed
from server.judging.forced import ForcedHearings
from server.judging.unaided import AT_ONCE, YOUNG_MS, Unaided, joined
from tests.judges.node.hearings import SCORED, journal_at

OWN = "0x" + "aa" * 20
OTHERS = [f"0x{number:040x}" for number in range(1, 5)]
NOW_MS = 1_000_000_000
COURSE = Course(
    state=Forced.COMMITTING, at=1_600, size=0, seats=5, drawn=7, called=0, committed=0, due=0,
    revealed=0, failures=0, differed=False, upheld=False, settled=False,
)  # fmt: skip
ZERO = bytes(32)
NOT_PUT = Put(ZERO, 0, 0, OWN, 0, 0, ZERO, ZERO, 0)


class Chain(Hearings):
    """Hearings as they are put there; our seat is the last of the panel's."""

    def __init__(self) -> None:
        self.address = "0x" + "cc" * 20
        self.courses: dict[tuple[bytes, int], Course] = {}
        self.asked = 0

    async def put(self, case: bytes) -> int:
        self.asked += 1
        return max((number + 1 for of, number in self.courses if of == case), default=0)

    async def hearing(self, case: bytes, hearing: int) -> tuple[Put, Course]:
        gone = msgspec.structs.replace(COURSE, state=Forced.ELSEWHERE, drawn=0)
        return NOT_PUT, self.courses.get((case, hearing), gone)

    async def seat(self, case: bytes, hearing: int, number: int) -> Seat:
        judge = OWN if number == 4 else OTHERS[number % 4]
        return Seat(judge, ZERO, 0, (0, 0, 0, 0), 0)


class Node:
    async def head(self) -> Any:
        return msgspec.defstruct("Head", [("timestamp", int)])(1_000)


def unaided(chain: Chain, journal: Journal) -> Unaided:
    async def acts(stack: AsyncExitStack) -> Any:
        raise AssertionError("nothing is sent by looking")

    node: Any = Node()
    forced = ForcedHearings(judge=OWN, rpc=node, hearings=chain, acts=acts, clock=lambda: NOW_MS)
    return Unaided(journal=journal, hearings=chain, forced=forced, clock=lambda: NOW_MS)


def case(number: int) -> str:
    return f"0x{number:064x}"


def seal(journal: Journal, number: int, hearing: int = 0, at_ms: int = NOW_MS) -> None:
    journal.seal(
        session=f"S{number}",
        case=case(number),
        hearing=hearing,
        space="rap-battle",
        scored=SCORED,
        salt=b"salt",
        sign=lambda ordinal: Signed(b"h", b"c", b"s"),
        least_ordinal=0,
        now_ms=at_ms,
    )


async def test_only_what_is_on_the_chain_and_young_is_found(tmp_path: Path) -> None:
    journal, chain = journal_at(tmp_path / "judge.sqlite"), Chain()
    for number in (1, 2):
        seal(journal, number)
    seal(journal, 3, at_ms=NOW_MS - YOUNG_MS - 1)
    for number in (2, 3):
        chain.courses[bytes.fromhex(case(number)[2:]), 0] = COURSE
    (found,) = await unaided(chain, journal).look()
    assert (found.session, found.key, found.forced) == ("S2", (case(2), 0), True)
    assert (found.stage, found.seat) == (Stage.COMMITTING, Sat.DRAWN)
    assert found.commit_by_ms == NOW_MS + 600_000
    journal.close()


async def test_every_hearing_is_asked_for_in_turn_and_what_is_found_stays_until_it_is_over(
    tmp_path: Path,
) -> None:
    journal, chain = journal_at(tmp_path / "judge.sqlite"), Chain()
    for number in range(AT_ONCE + 3):
        seal(journal, number)
    looking, oldest = unaided(chain, journal), bytes.fromhex(case(0)[2:])
    chain.courses[oldest, 0] = COURSE
    assert await looking.look() == []
    assert chain.asked == AT_ONCE
    assert [each.session for each in await looking.look()] == ["S0"]
    assert [each.session for each in await looking.look()] == ["S0"]  # though others were asked for
    chain.courses[oldest, 0] = msgspec.structs.replace(COURSE, state=Forced.DECIDED)
    assert await looking.look() == []
    journal.close()


@pytest.mark.parametrize("seat", [Sat.DRAWN, Sat.COMMITTED])
def test_the_chain_counts_whatever_the_arena_says(seat: Sat) -> None:
    def told(number: int, seat: Sat, **more: Any) -> Told:
        return Told(
            session=f"S{number}", case=case(number), hearing=0, space="rap-battle", transcript="",
            stage=Stage.COMMITTING, seat=seat, **more,
        )  # fmt: skip

    mine = told(1, seat, forced=True)
    assert joined([told(1, Sat.LOST), told(2, Sat.DRAWN)], [mine]) == [mine, told(2, Sat.DRAWN)]
    assert joined([], [mine]) == [mine]
    later = told(1, Sat.REVEALED, forced=True)
    assert joined([later], [mine]) == [later]
    hidden = told(1, Sat.NONE, forced=True)
    assert joined([hidden], [mine]) == [mine]
    assert joined([told(1, Sat.DRAWN)], [hidden]) == [told(1, Sat.DRAWN)]
