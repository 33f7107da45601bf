from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.channel import Afresh, DelayLine, Gap, History, Item, Replay, Start, joined
from server.live.records import Appended, LogEvent, Piece, ViewSet
from server.protocol import LobbyView, Position


def event(i: int, act: str | None = None) -> LogEvent:
    return LogEvent(t=i, by="seat:0", type="action", act=act)


def events(first: int, count: int) -> tuple[LogEvent, ...]:
    return tuple(event(i) for i in range(first, first + count))


def views(offset: int) -> ViewSet:
    return ViewSet.of(offset, LobbyView([], [], [], live_count=max(0, offset)))


def batch(first: int, count: int, *, epoch: str = "e", viewed: bool = True) -> Appended:
    view = views(first + count - 1) if viewed else None
    return Appended("lobby", epoch, first, events(first, count), view)


def history(offset: int = -1, limit: int = 4) -> History:
    return History("e", views(offset), limit)


def test_a_history_goes_on_where_its_views_stand() -> None:
    h = history(offset=6)
    assert (h.next, h.last) == (7, 6)
    assert h.take(batch(7, 2)) == Replay(7, events(7, 2))
    assert (h.last, h.views.offset) == (8, 8)


def test_what_is_known_already_is_skipped() -> None:
    h = history()
    h.take(batch(0, 3))
    assert h.take(batch(0, 2)) == Replay(3, ())
    assert h.take(batch(1, 4)) == Replay(3, events(3, 2))


@pytest.mark.parametrize("item", [batch(5, 1), batch(3, 1, epoch="other")])
def test_what_does_not_continue_is_a_gap_and_changes_nothing(item: Appended) -> None:
    h = history()
    h.take(batch(0, 3))
    assert h.take(item) == Gap()
    assert (h.last, h.views.offset) == (2, 2)


def test_a_new_subscriber_gets_the_views_and_what_follows_them() -> None:
    h = history()
    h.take(batch(0, 3))
    h.take(batch(3, 2, viewed=False))
    assert h.since(None) == Afresh(views(2), events(3, 2), resync=False)


@pytest.mark.parametrize(
    ("position", "owed"),
    [
        (Position("e", 9), Replay(10, ())),
        (Position("e", 7), Replay(8, events(8, 2))),
        (Position("e", 5), Replay(6, events(6, 4))),
        (Position("e", 4), Afresh(views(9), (), resync=True)),
        (Position("e", -1), Afresh(views(9), (), resync=True)),
        (Position("e", 10), Afresh(views(9), (), resync=True)),
        (Position("x", 9), Afresh(views(9), (), resync=True)),
    ],
)
def test_a_replay_is_whole_or_a_resync(position: Position, owed: Replay | Afresh) -> None:
    h = history(limit=4)
    h.take(batch(0, 10))
    assert h.since(position) == owed


def test_events_that_no_view_holds_yet_are_never_dropped() -> None:
    h = history(limit=2)
    h.take(batch(0, 1))
    h.take(batch(1, 9, viewed=False))
    assert h.since(None) == Afresh(views(0), events(1, 9), resync=False)
    h.take(batch(10, 1))
    assert h.first == 9


def test_a_start_brings_older_events_along() -> None:
    h = History.begun(Start("e", views(9), 5, events(5, 5), resync=False), limit=3)
    assert h.since(Position("e", 6)) == Replay(7, events(7, 3))
    assert h.take(batch(10, 1)) == Replay(10, events(10, 1))


def test_older_events_that_do_not_join_are_left_out() -> None:
    h = History.begun(Start("e", views(9), 2, events(2, 3), resync=False), limit=9)
    assert h.first == h.next == 10


def test_an_action_is_found_by_author_and_id_while_it_is_held() -> None:
    h = history(limit=2)
    h.take(Appended("s", "e", 0, (event(0, "a"), event(1, "b")), views(1)))
    assert h.answer("seat:0", "b") == (1, event(1, "b"))
    assert h.answer("seat:1", "b") is None
    h.take(batch(2, 2))
    assert h.answer("seat:0", "a") is None


def test_neighbours_are_joined_and_never_reordered() -> None:
    items: list[Item] = [
        batch(0, 2, viewed=False),
        batch(2, 1),
        Piece("s", 0, 3, 0, "one "),
        Piece("s", 0, 3, 4, "two"),
        Piece("s", 1, 3, 0, "other"),
        batch(3, 1),
    ]
    merged = list(joined(items))
    assert merged == [
        Appended("lobby", "e", 0, events(0, 3), views(2)),
        Piece("s", 0, 3, 0, "one two"),
        Piece("s", 1, 3, 0, "other"),
        batch(3, 1),
    ]


def test_batches_with_a_hole_between_them_stay_apart() -> None:
    apart: list[Item] = [batch(0, 1), batch(2, 1)]
    assert list(joined(apart)) == apart


def test_pieces_are_joined_up_to_a_bound() -> None:
    pieces: list[Item] = [Piece("s", 0, 1, at, "x" * 2_048) for at in range(0, 16_384, 2_048)]
    merged = list(joined(pieces))
    assert 1 < len(merged) < len(pieces)
    assert "".join(piece.text for piece in merged if isinstance(piece, Piece)) == "x" * 16_384


@given(st.integers(1, 20), st.lists(st.tuples(st.integers(0, 40), st.integers(1, 6)), max_size=60))
def test_any_delivery_leaves_a_contiguous_history(
    limit: int, deliveries: list[tuple[int, int]]
) -> None:
    """Batches may come again, late, or with holes: nothing out of place is ever told."""
    h = history(limit=limit)
    told: list[int] = []
    for first, count in deliveries:
        taken = h.take(batch(first, count))
        if isinstance(taken, Replay) and taken.events:
            assert taken.first == len(told)
            told += [e.t for e in taken.events]
    assert told == list(range(h.next))
    for at in range(-1, h.next):
        owed = h.since(Position("e", at))
        if isinstance(owed, Replay):
            assert [e.t for e in owed.events] == told[at + 1 :]
        else:
            assert owed.resync
            assert owed.views.offset == h.last


def test_the_delay_line_lets_out_what_is_due_in_order() -> None:
    line: DelayLine[str] = DelayLine()
    line.push(100, "a")
    line.push(90, "b")  # the clock stepped back: still not before a
    line.push(200, "c")
    assert (list(line.due(99)), line.next_due()) == ([], 100)
    assert list(line.due(150)) == ["a", "b"]
    assert (line.next_due(), len(line)) == (200, 1)
    assert list(line.due(200)) == ["c"]
    assert line.next_due() is None
