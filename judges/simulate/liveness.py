"""Whether a case gets its verdict when judges do not come: the hearing's own state machine, fed with absences."""

from __future__ import annotations

import math

import msgspec

from judges.court.escalation import FAILURES
from judges.court.hearing import Phase, commit, opened, passed, reveal
from judges.court.terms import quorum, reserves
from judges.simulate.world import Chance

PHASE_MS = 1_000


class Liveness(msgspec.Struct, frozen=True):
    absent: float
    """The chance that a judge does not commit; a fifth of it: that one that has does not reveal."""
    seats: int
    quorum: float
    """P(the hearing decides), in closed form."""
    played: float
    """The same, by `judges.court.hearing`."""
    void: float
    """P(the case has no verdict): as many hearings fail in a row as are held."""


def liveness(
    chance: Chance, absences: tuple[float, ...], panels: tuple[int, ...], hearings: int
) -> list[Liveness]:
    return [_liveness(chance, absent, seats, hearings) for seats in panels for absent in absences]


def _liveness(chance: Chance, absent: float, seats: int, hearings: int) -> Liveness:
    decides = closed(absent, absent / 5, seats)
    played = sum(_decides(chance, absent, absent / 5, seats) for _ in range(hearings)) / hearings
    return Liveness(absent, seats, decides, played, (1 - decides) ** FAILURES)


def closed(no_commit: float, no_reveal: float, seats: int) -> float:
    """P(quorum): who does not commit is replaced once, as far as there are reserves; then all who have committed reveal or do not."""
    whole = 0.0
    for first in range(seats + 1):
        called = min(seats - first, reserves(seats))
        for more in range(called + 1):
            bound = first + more
            if bound < quorum(seats):
                continue
            reveals = sum(
                _binomial(bound, shown, 1 - no_reveal) for shown in range(quorum(seats), bound + 1)
            )
            whole += (
                _binomial(seats, first, 1 - no_commit)
                * _binomial(called, more, 1 - no_commit)
                * reveals
            )
    return whole


def _binomial(of: int, those: int, chance: float) -> float:
    return math.comb(of, those) * chance**those * (1 - chance) ** (of - those)


def _decides(chance: Chance, no_commit: float, no_reveal: float, seats: int) -> bool:
    names = [str(at) for at in range(seats + reserves(seats))]
    comes = dict(zip(names, chance.random(len(names)) >= no_commit, strict=True))
    shows = dict(zip(names, chance.random(len(names)) >= no_reveal, strict=True))
    hearing = opened(names[:seats], names[seats:], PHASE_MS, PHASE_MS, 0)
    now = 0
    while not hearing.over:
        for seat in hearing.sitting():
            if hearing.phase is Phase.COMMITTING and comes[seat.judge] and not seat.bound:
                hearing = commit(hearing, seat.judge, now)
        for seat in hearing.sitting():
            if hearing.phase is Phase.REVEALING and seat.bound and shows[seat.judge]:
                hearing = reveal(hearing, seat.judge, now)
        now = hearing.by_ms
        hearing = passed(hearing, now)
    return hearing.phase is Phase.DECIDED
