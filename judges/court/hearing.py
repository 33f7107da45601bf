"""One hearing: who is drawn, binds itself, and shows what it has found; and what the clock does meanwhile. Pure.

Feed it what happens in the order in which it happens, with the time: `opened`, then `commit` and `reveal` of judges, `passed` whenever
time has gone by, `due_ms` says when that matters next. A deadline strikes before a message of the same millisecond: late is late.

    committing --(all who sit, or commit_by: reserves are called in, once; then all, or commit_by again)--> revealing, or failed
    revealing  --(all who have committed, or reveal_by)--> decided, or failed

What reveals say is not here and stays with whoever keeps it: it may be told when `told` is true, never before.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence

import msgspec

from judges.court.reckoning import Seat as Means
from judges.court.terms import BPS, TERMS, Terms, quorum


class Phase(enum.StrEnum):
    COMMITTING = "committing"
    """Judges have until `by_ms` to bind themselves."""
    REVEALING = "revealing"
    """Those who did have until `by_ms` to show it."""
    DECIDED = "decided"
    """Enough have shown it. For good."""
    FAILED = "failed"
    """Too few have committed or revealed. For good."""


class SeatState(enum.StrEnum):
    DRAWN = "drawn"
    """Has done nothing yet; a reserve that nobody has called stays so."""
    COMMITTED = "committed"
    REVEALED = "revealed"
    ABSENT = "absent"
    """Did not commit in time, or did and has not revealed in time."""
    REPLACED = "replaced"
    """Did not commit in time, and a reserve sits in its place."""


class Seat(msgspec.Struct, frozen=True):
    """A judge, by any name that is its own."""

    judge: str
    reserve: bool = False
    state: SeatState = SeatState.DRAWN
    bound: bool = False
    """It has committed: hiding what it found costs more than not having looked."""


class Refused(Exception):
    """A message that changes nothing. `word` is for programs, the text for people."""

    def __init__(self, word: str, reason: str) -> None:
        super().__init__(reason)
        self.word = word


class Hearing(msgspec.Struct, frozen=True):
    seats: int
    """k."""
    bench: tuple[Seat, ...]
    """The k who are seated, then the reserves, each in the order of the draw."""
    phase: Phase
    by_ms: int
    """The phase's deadline, unix milliseconds; what arrives then is late."""
    commit_ms: int
    reveal_ms: int
    """How long the phases are."""
    called: bool = False
    """Reserves have been called in, or there was nobody to be called: the next deadline for commitments is the last."""

    @property
    def over(self) -> bool:
        return self.phase in (Phase.DECIDED, Phase.FAILED)

    @property
    def told(self) -> bool:
        """What reveals say may be told, all at once."""
        return self.over

    @property
    def due_ms(self) -> int | None:
        """When the clock matters next."""
        return None if self.over else self.by_ms

    def sits(self, judge: str) -> bool:
        """It is this judge's turn to judge: seated, and not replaced, or a reserve that was called in."""
        return any(each.judge == judge for each in self.sitting())

    def sitting(self) -> list[Seat]:
        called = sum(each.state is SeatState.REPLACED for each in self.bench)
        reserves = [each for each in self.bench if each.reserve][:called]
        seated = [each for each in self.bench if not each.reserve]
        return [each for each in (*seated, *reserves) if each.state is not SeatState.REPLACED]

    def revealed(self) -> list[str]:
        """Who has, in the order of the draw."""
        return [each.judge for each in self.bench if each.state is SeatState.REVEALED]

    def missing(self) -> list[str]:
        """Who was to sit and did not do its part, once the hearing is over."""
        gone = (SeatState.ABSENT, SeatState.REPLACED)
        return [each.judge for each in self.bench if each.state in gone]


def opened(
    judges: Sequence[str], reserves: Sequence[str], commit_ms: int, reveal_ms: int, now_ms: int
) -> Hearing:
    """The panel was drawn just now."""
    bench = (
        *(Seat(each) for each in judges),
        *(Seat(each, reserve=True) for each in reserves),
    )
    return Hearing(len(judges), bench, Phase.COMMITTING, now_ms + commit_ms, commit_ms, reveal_ms)


def commit(hearing: Hearing, judge: str, now_ms: int) -> Hearing:
    """Raises Refused."""
    hearing = passed(hearing, now_ms)
    seat = _seat(hearing, judge)
    if seat.bound:
        raise Refused("twice", "a judge commits once to a hearing: another commitment is a fault")
    if (
        seat.state in (SeatState.ABSENT, SeatState.REPLACED)
        or hearing.phase is not Phase.COMMITTING
    ):
        raise Refused("late", "the time for commitments is over")
    if not hearing.sits(judge):
        raise Refused("not-called", "a reserve judges when it is called in, and not before")
    seat = msgspec.structs.replace(seat, state=SeatState.COMMITTED, bound=True)
    return passed(_with(hearing, seat), now_ms)


def reveal(hearing: Hearing, judge: str, now_ms: int) -> Hearing:
    """Raises Refused."""
    hearing = passed(hearing, now_ms)
    seat = _seat(hearing, judge)
    if seat.state is SeatState.REVEALED:
        raise Refused("twice", "the judge has revealed already")
    if hearing.over:
        raise Refused("late", "the time for reveals is over")
    if not seat.bound:
        raise Refused("no-commitment", "the judge has not committed to this hearing")
    if hearing.phase is Phase.COMMITTING:
        raise Refused("early", "reveal when all have committed: others could still follow you")
    seat = msgspec.structs.replace(seat, state=SeatState.REVEALED)
    return passed(_with(hearing, seat), now_ms)


def passed(hearing: Hearing, now_ms: int) -> Hearing:
    """What has come of it by then. Idempotent."""
    if hearing.phase is Phase.COMMITTING:
        waits = any(each.state is SeatState.DRAWN for each in hearing.sitting())
        if not waits:
            return _committed(hearing, now_ms)
        if now_ms < hearing.by_ms:
            return hearing
        if not hearing.called:
            return passed(_call(hearing, now_ms), now_ms)
        return _committed(_all(hearing, SeatState.DRAWN, SeatState.ABSENT), now_ms)
    if hearing.phase is Phase.REVEALING:
        waits = any(each.state is SeatState.COMMITTED for each in hearing.bench)
        if waits and now_ms < hearing.by_ms:
            return hearing
        hearing = _all(hearing, SeatState.COMMITTED, SeatState.ABSENT)
        enough = _enough(hearing, len(hearing.revealed()))
        return msgspec.structs.replace(hearing, phase=Phase.DECIDED if enough else Phase.FAILED)
    return hearing


def _call(hearing: Hearing, now_ms: int) -> Hearing:
    """The reserves sit for those who have not committed, as far as there are any, and have as long as these had."""
    free = sum(each.reserve for each in hearing.bench)
    late = [
        each.judge for each in hearing.bench if not each.reserve and each.state is SeatState.DRAWN
    ]
    states = dict.fromkeys(late, SeatState.ABSENT)
    states |= dict.fromkeys(late[:free], SeatState.REPLACED)
    bench = tuple(
        msgspec.structs.replace(each, state=states.get(each.judge, each.state))
        for each in hearing.bench
    )
    by_ms = now_ms + hearing.commit_ms
    return msgspec.structs.replace(hearing, bench=bench, by_ms=by_ms, called=True)


def _committed(hearing: Hearing, now_ms: int) -> Hearing:
    if not _enough(hearing, sum(each.bound for each in hearing.bench)):
        return msgspec.structs.replace(hearing, phase=Phase.FAILED)
    return msgspec.structs.replace(hearing, phase=Phase.REVEALING, by_ms=now_ms + hearing.reveal_ms)


def _enough(hearing: Hearing, judges: int) -> bool:
    """A panel of one has found nothing where nobody has."""
    return judges >= max(1, quorum(hearing.seats))


def _seat(hearing: Hearing, judge: str) -> Seat:
    for each in hearing.bench:
        if each.judge == judge:
            return each
    raise Refused("not-seated", "the judge was not drawn for this hearing")


def _with(hearing: Hearing, seat: Seat) -> Hearing:
    bench = tuple(seat if each.judge == seat.judge else each for each in hearing.bench)
    return msgspec.structs.replace(hearing, bench=bench)


def _all(hearing: Hearing, was: SeatState, now: SeatState) -> Hearing:
    """Of those who sit."""
    sitting = {each.judge for each in hearing.sitting()}
    bench = tuple(
        msgspec.structs.replace(each, state=now)
        if each.state is was and each.judge in sitting
        else each
        for each in hearing.bench
    )
    return msgspec.structs.replace(hearing, bench=bench)


def missing(lock: int, *, bound: bool, terms: Terms = TERMS) -> Means:
    """What a hearing means for a judge who was to sit and did not do its part. Who has committed and hides what it found has the
    least skill there is, so that it cannot break a row of bad ones so; nobody is paid, or owes pay, for nothing."""
    slash = lock * (terms.no_reveal_bps if bound else terms.no_commit_bps) // BPS
    return Means(terms.skill_floor if bound else 0, 0, slash)
