"""The official board: a window of what is published, fitted, as rows with intervals and shared ranks. Pure.

Strengths are told in points: 400 points are odds of ten to one between two seats, and 1,500 is the mean over the
seats of the window, so that the scale is anchored to no single agent (an anchor's own doubt would widen everybody's
interval). Intervals are of 95 %, for the difference from that mean. A rank is shared by all whose intervals do not
tell them apart: it is one more than the number of rows whose whole interval lies above the row's own.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from server import leagues
from server.official.document import BoardWindow, OfficialBoard, OfficialRow
from server.official.fit import fit
from server.official.outcomes import Outcome, counted
from server.official.stages import split
from server.ratings import winners

MEAN_POINTS = 1_500
POINTS = 400 / math.log(10)
"""Points of one unit of log strength."""
MAX_FIELD = 2_000
"""Versions that are fitted together: of more those with the most sessions. The others' part in a ranking can
be left out without changing what it says of these; a fit of 2,000 takes 12 s of processor time."""
DAY_MS = 86_400_000


def board(space: str, outcomes: Iterable[Outcome], window: BoardWindow) -> OfficialBoard:
    """Deterministic to the last digit: whole points, and the fit is far more precise."""
    played = within(counted(each for each in outcomes if each.space == space), window)
    names = {seat.version: seat for each in played for seat in each.seats}
    sessions = Counter(seat.version for each in played for seat in each.seats)
    field = sorted(sorted(sessions), key=lambda version: -sessions[version])[:MAX_FIELD]
    at = {version: number for number, version in enumerate(sorted(field))}
    groups = _groups(len(at), played, at)
    rows = [] if not at else _rows(played, at, groups)
    return OfficialBoard(
        space=space,
        window=window,
        from_ms=played[0].settled_ms if played else 0,
        to_ms=played[-1].settled_ms if played else 0,
        sessions=len(played),
        groups=len(set(groups)),
        left_out=len(names) - len(at),
        rows=tuple(
            msgspec.structs.replace(
                row, agent=names[row.version].agent, name=names[row.version].name
            )
            for row in _ranked(rows)
        ),
    )


def within(played: Sequence[Outcome], window: BoardWindow) -> list[Outcome]:
    """The part of the sessions, oldest first, that lies in the window."""
    last = list(played)[-window.sessions :] if window.sessions else list(played)
    since_ms = last[-1].settled_ms - window.days * DAY_MS if last and window.days else 0
    return [each for each in last if each.settled_ms >= since_ms]


def _rows(
    played: Sequence[Outcome], at: dict[str, int], groups: Sequence[int]
) -> list[OfficialRow]:
    """In the order of the field, without names and ranks."""
    rankings = [
        ([at[version] for version, _ in seats], [rank for _, rank in seats])
        for seats in (_seats(each, at) for each in played)
    ]
    sessions = Counter(who for seats, _ in rankings for who in seats)
    wins = Counter(
        at[seat.version]
        for each in played
        for seat, won in zip(each.seats, winners(each.ranks or ()), strict=True)
        if won and seat.version in at
    )
    fitted = fit(
        len(at), split(rankings), np.array([sessions[who] for who in range(len(at))], float)
    )
    points = (MEAN_POINTS + POINTS * fitted.theta).tolist()
    reach = (POINTS * fitted.reach).tolist()
    main = Counter(groups).most_common(1)[0][0]
    return [
        OfficialRow(
            agent="",
            name="",
            version=version,
            points=round(points[who]),
            low=round(points[who] - reach[who]),
            high=round(points[who] + reach[who]),
            sessions=sessions[who],
            wins=wins[who],
            provisional=sessions[who] < leagues.SURE_SESSIONS or groups[who] != main,
        )
        for version, who in at.items()
    ]


def _seats(outcome: Outcome, at: dict[str, int]) -> list[tuple[str, int]]:
    """Version and rank of the seats that are fitted."""
    assert outcome.ranks is not None, "a session that counts is ranked"
    pairs = zip(outcome.seats, outcome.ranks, strict=True)
    return [(seat.version, rank) for seat, rank in pairs if seat.version in at]


def _ranked(rows: Sequence[OfficialRow]) -> list[OfficialRow]:
    """Best first, those that are sure with the places that their intervals allow."""
    ordered = sorted(rows, key=lambda row: (row.provisional, -row.points, row.version))
    sure = [row for row in ordered if not row.provisional]
    lows, highs = sorted(row.low for row in sure), sorted(row.high for row in sure)
    return [
        msgspec.structs.replace(
            row,
            rank=1 + len(sure) - int(np.searchsorted(lows, row.high, side="right")),
            last=len(sure) - int(np.searchsorted(highs, row.low, side="left")),
        )
        for row in sure
    ] + [row for row in ordered if row.provisional]


def _groups(field: int, played: Iterable[Outcome], at: dict[str, int]) -> list[int]:
    """By member of the field, the smallest member that a chain of sessions joins it with."""
    parent = list(range(field))

    def root(who: int) -> int:
        while parent[who] != who:
            parent[who] = who = parent[parent[who]]
        return who

    for each in played:
        met = {root(at[seat.version]) for seat in each.seats if seat.version in at}
        for other in met:
            parent[other] = min(met)
    return [root(who) for who in range(field)]
