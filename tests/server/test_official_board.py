"""The official board: what counts, who shares a rank, and the same to the last digit whoever computes it."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pyarrow  # type: ignore[import-untyped]
import pytest
from pyarrow import parquet

from server.official.board import MEAN_POINTS, board
from server.official.document import BoardWindow, OfficialBoard, differences, path_of
from server.official.outcomes import HOUSE, Outcome, SeatOutcome, counted, not_counted, numbered
from server.official.results import BadResults, ResultsWriter, read, source_of

DAY_MS = 86_400_000
FIRST_MS = 1_800_000_000_000
SPACE = "logic"
_ids = itertools.count()


def outcome(
    names: Sequence[str], ranks: Sequence[int] | None, *, day: float = 0, **changes: object
) -> Outcome:
    seats = tuple(
        SeatOutcome(
            seat=i,
            agent=f"agent-{name}",
            version=f"agent-{name}@v1",
            name=name.title(),
            owner=i,
            rank=None if ranks is None else ranks[i],
            score_milli=1_000,
            entry_micros=1_000_000,
            won_micros=0,
        )
        for i, name in enumerate(names)
    )
    made = Outcome(
        session=f"s{next(_ids):08}",
        space=SPACE,
        rules="logic/1",
        tier_micros=0,
        asset="play",
        status="void" if ranks is None else "settled",
        reason=None,
        season=1,
        opened_ms=FIRST_MS,
        sealed_ms=FIRST_MS,
        settled_ms=FIRST_MS + int(day * DAY_MS),
        digest="d" * 64,
        rated=None,
        seats=seats,
    )
    return msgspec.structs.replace(made, **changes)


def owned(made: Outcome, *owners: int) -> Outcome:
    seats = zip(made.seats, owners, strict=True)
    replaced = tuple(msgspec.structs.replace(seat, owner=owner) for seat, owner in seats)
    return msgspec.structs.replace(made, seats=replaced)


def ladder(sessions: int, names: Sequence[str] = "abcdef") -> list[Outcome]:
    """Who comes earlier in the alphabet is better, mostly."""
    rng = random.Random(5)
    return [
        outcome(pair, (1, 2) if (pair[0] < pair[1]) == (rng.random() < 0.9) else (2, 1))
        for pair in (rng.sample(list(names), 2) for _ in range(sessions))
    ]


def made_of(outcomes: Sequence[Outcome], **window: int) -> OfficialBoard:
    return board(SPACE, outcomes, BoardWindow(**window))


def test_owners_are_told_by_number_within_a_session() -> None:
    assert numbered(["ann", "bo", "ann", "house", "house"]) == (0, 1, 0, HOUSE, HOUSE)


@pytest.mark.parametrize(
    ("made", "why_not"),
    [
        (outcome("ab", (1, 2)), ""),
        (owned(outcome("ab", (1, 2)), HOUSE, HOUSE), ""),
        (owned(outcome("abc", (1, 2, 3)), 0, 1, 0), "one account had several seats"),
        (outcome("aa", (1, 2)), "one version had several seats"),
        (outcome("ab", None, reason="the judge was away"), "void: the judge was away"),
        (outcome("a", (1,)), "it had one seat"),
    ],
)
def test_what_does_not_count_says_why(made: Outcome, why_not: str) -> None:
    assert not_counted(made) == why_not
    assert counted([made]) == ([] if why_not else [made])


def test_the_better_stand_higher_and_their_intervals_hold_their_points() -> None:
    found = made_of(ladder(600))
    assert [row.name for row in found.rows] == list("ABCDEF")
    assert found.rows[0].points > MEAN_POINTS > found.rows[-1].points
    assert all(row.low < row.points < row.high for row in found.rows)
    assert [row.sessions for row in found.rows] == [
        sum(row.version in {s.version for s in each.seats} for each in ladder(600))
        for row in found.rows
    ]
    assert found.rows[0].wins > found.rows[-1].wins
    assert (found.sessions, found.groups, found.left_out) == (600, 1, 0)


def test_ranks_are_shared_where_intervals_overlap() -> None:
    few, many = made_of(ladder(60)), made_of(ladder(3_000))
    assert [(row.rank, row.last) for row in many.rows] == [(i, i) for i in range(1, 7)]
    for found in (few, many):
        for row in found.rows:
            assert row.rank == 1 + sum(other.low > row.high for other in found.rows)
            assert row.last == 6 - sum(other.high < row.low for other in found.rows)
    assert few.rows[0].rank == few.rows[1].rank == 1


def test_who_has_played_little_is_provisional_at_the_end_and_never_hidden() -> None:
    newcomer = [outcome(("z", "a"), (1, 2))] * 3
    found = made_of([*ladder(300), *newcomer])
    row = found.rows[-1]
    assert (row.name, row.provisional, row.rank, row.wins) == ("Z", True, None, 3)
    assert {each.rank for each in found.rows[:-1]} <= set(range(1, 7))


def test_who_has_met_nobody_of_the_field_is_provisional_however_much_he_plays() -> None:
    apart = [outcome("yz", (1, 2)) for _ in range(100)]
    found = made_of([*ladder(300), *apart])
    assert found.groups == 2
    assert {row.name: row.provisional for row in found.rows} == {
        **dict.fromkeys("ABCDEF", False),
        **dict.fromkeys("YZ", True),
    }


def test_the_window_is_of_days_before_the_newest_and_of_last_sessions() -> None:
    played = [outcome("ab", (1, 2), day=day) for day in range(200)]
    assert made_of(played).sessions == 91
    assert made_of(played, days=10).from_ms == FIRST_MS + 189 * DAY_MS
    assert made_of(played, sessions=7).sessions == 7
    assert made_of(played, days=10).to_ms == FIRST_MS + 199 * DAY_MS
    assert made_of(list(reversed(played)), days=10) == made_of(played, days=10)


def test_an_empty_board_is_a_board() -> None:
    found = made_of([outcome("ab", None)])
    assert (found.rows, found.sessions, found.groups, found.to_ms) == ((), 0, 0, 0)


def test_a_board_can_be_compared_with_what_was_published() -> None:
    found = made_of(ladder(100))
    same = msgspec.json.decode(msgspec.json.encode(found), type=OfficialBoard)
    assert differences(msgspec.structs.replace(same, computed_ms=7), found) == []
    row = msgspec.structs.replace(found.rows[0], points=found.rows[0].points + 1)
    forged = msgspec.structs.replace(found, rows=(row, *found.rows[1:]))
    [said] = differences(forged, found)
    assert row.version in said
    assert differences(msgspec.structs.replace(found, sessions=3), found) == [
        "sessions: published 3, computed 100"
    ]


def test_a_results_file_tells_everything_again(tmp_path: Path) -> None:
    played = [*ladder(50), outcome("abcde", (1, 1, 3, 4, 4)), outcome("ab", None, reason="away")]
    writer = ResultsWriter(tmp_path)
    writer.add(played[:20])
    writer.add(played[20:])
    source = writer.finish()
    path = path_of(tmp_path, source.digest)
    assert read(path) == played
    assert source_of(path) == source
    assert (source.sessions, source.rows) == (52, 107)
    assert [each.name for each in tmp_path.iterdir()] == [path.name], "nothing half-written is left"
    assert made_of(read(path)) == made_of(played)


def test_the_same_results_have_the_same_digest(tmp_path: Path) -> None:
    played = ladder(30)
    found = set()
    for _ in range(2):
        writer = ResultsWriter(tmp_path)
        writer.add(played)
        found.add(writer.finish().digest)
    assert len(found) == 1


def test_what_is_no_results_file_is_refused_by_name(tmp_path: Path) -> None:
    missing, words, other = (tmp_path / name for name in ("missing", "words", "other.parquet"))
    words.write_text("not parquet")
    parquet.write_table(pyarrow.table({"session": ["s"]}), other)
    for path in (missing, words, other):
        with pytest.raises(BadResults, match=path.name):
            read(path)


def test_an_abandoned_file_leaves_nothing(tmp_path: Path) -> None:
    writer = ResultsWriter(tmp_path)
    writer.add(ladder(3))
    writer.abandon()
    assert list(tmp_path.iterdir()) == []
