"""The reducer: whatever the wire does, the same state in the end, and no gap without a question."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.protocol import (
    Error,
    Event,
    Position,
    ServerMessage,
    SessionView,
    Snapshot,
    Update,
    Watching,
    Welcome,
    Writing,
)
from tui_client import recording
from tui_client.spectated import FROM_THE_MIDDLE, HOLE, Spectated
from tui_client.state import (
    Back,
    Connected,
    Disconnected,
    Input,
    Link,
    Move,
    NextSpace,
    Open,
    State,
    Tick,
    ToggleFollow,
    reduce,
    session_channel,
    wanted,
)

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A loaded machine is slow, which is no failure."""

RAP_CHANNEL = session_channel(recording.RAP)
BOARD_CHANNEL = session_channel(recording.BOARD)


def fold(state: State, *happened: Input) -> State:
    for one in happened:
        state = reduce(state, one)
    return state


def watched(state: State) -> Spectated:
    assert state.spectated is not None
    return state.spectated


def rap_updates() -> list[Update]:
    ending = [m for m in recording.rap_ending() if isinstance(m, Update)]
    return [*(recording.rap_verse(verse) for verse in range(5)), *ending]


def board_updates() -> list[Update]:
    return [update for number in range(5) for update in recording.board_auction(number)]


class Gateway:
    """What a gateway would answer: resumes when it holds the events, else a snapshot."""

    def __init__(self, start: Snapshot, updates: list[Update]) -> None:
        self.start = start
        self.updates = updates
        self.head = 0
        """Updates that have happened."""
        self.held = True

    def subscribe(self, since: Position | None) -> list[ServerMessage]:
        if since is not None and self.held:
            return [u for u in self.updates[: self.head] if u.offset > since.offset]
        last = self.updates[self.head - 1] if self.head else self.start
        assert last.view is not None
        return [Snapshot(last.channel, last.epoch, last.offset, last.view, since is not None)]


steps = st.lists(
    st.sampled_from(["next", "next", "next", "lose", "again", "cut", "forget", "tick", "stale"]),
    max_size=40,
)


@pytest.mark.parametrize("game", ["rap", "board"])
@unhurried
@given(steps=steps)
def test_any_delivery_ends_where_a_straight_run_ends(game: str, steps: list[str]) -> None:
    updates = rap_updates() if game == "rap" else board_updates()
    first = (recording.rap_start() if game == "rap" else recording.board_start())[0]
    assert isinstance(first, Snapshot)
    session = recording.RAP if game == "rap" else recording.BOARD
    straight = watched(fold(State(), Connected(), Open(session), first, *updates))

    gateway = Gateway(first, updates)
    state = fold(State(), Connected(), Open(session), first)
    asked, bridged = 0, False

    def answer_questions() -> None:
        nonlocal state, asked, bridged
        want = wanted(state)[session_channel(session)]
        if want.asks != asked:
            asked = want.asks
            bridged |= not gateway.held
            state = fold(state, *gateway.subscribe(want.since))

    for what in steps:
        if what in ("next", "lose") and gateway.head < len(updates):
            gateway.head += 1
            if what == "next":
                state = fold(state, updates[gateway.head - 1])
        elif what == "again" and gateway.head:
            state = fold(state, updates[gateway.head // 2])
        elif what == "cut":
            since = wanted(state)[session_channel(session)].since
            bridged |= not gateway.held
            state = fold(state, Disconnected(), Connected(), *gateway.subscribe(since))
        elif what == "forget":
            gateway.held = not gateway.held
        elif what == "tick":
            state = fold(state, Tick(state.now_ms + 100))
        elif what == "stale":
            state = fold(state, Writing(session_channel(session), 0, 0, 0, "from a turn long gone"))
        assert_never_ahead(watched(state), gateway)
        answer_questions()

    gateway.head = len(updates)
    state = fold(state, updates[-1])
    answer_questions()
    final = watched(state)
    assert final.view == straight.view
    assert final.place.position == straight.place.position
    assert not final.place.lost
    assert final.drafts == straight.drafts
    if not bridged:
        assert final.notes == straight.notes


def assert_never_ahead(spectated: Spectated, gateway: Gateway) -> None:
    """The shown view is the one of the offset that the place says: nothing was skipped silently."""
    position = spectated.place.position
    if position is None:
        return
    views = {gateway.start.offset: gateway.start.view} | {u.offset: u.view for u in gateway.updates}
    assert spectated.view == views[position.offset]


def test_a_gap_is_asked_for_once_and_nothing_is_folded_until_it_is_filled() -> None:
    first, (one, two, three, *_) = recording.rap_start()[0], rap_updates()
    state = fold(State(), Open(recording.RAP), first, one)
    gap = fold(state, three)
    assert watched(gap).view == watched(state).view
    assert watched(gap).place.lost
    assert wanted(gap)[RAP_CHANNEL] == msgspec.structs.replace(wanted(state)[RAP_CHANNEL], asks=1)
    assert wanted(fold(gap, three))[RAP_CHANNEL].asks == 1
    filled = fold(gap, two, three)
    assert watched(filled).view == three.view
    assert not watched(filled).place.lost


def test_another_epoch_starts_from_nothing() -> None:
    first, (one, *_) = recording.rap_start()[0], rap_updates()
    other = msgspec.structs.replace(one, epoch="e2")
    state = fold(State(), Open(recording.RAP), first, other)
    assert wanted(state)[RAP_CHANNEL].since is None
    assert wanted(state)[RAP_CHANNEL].asks == 1


def test_a_snapshot_that_bridges_lost_events_says_so() -> None:
    first, (one, two, *_) = recording.rap_start()[0], rap_updates()
    assert two.view is not None
    bridge = Snapshot(RAP_CHANNEL, recording.EPOCH, two.offset, two.view, resync=True)
    state = fold(State(), Open(recording.RAP), first, one, bridge)
    assert "missed" in watched(state).notes[-1].text


def test_an_update_without_a_view_moves_the_place_and_keeps_the_last_view() -> None:
    first, (one, two, *_) = recording.rap_start()[0], rap_updates()
    part = msgspec.structs.replace(one, view=None)
    state = fold(State(), Open(recording.RAP), first, part)
    assert isinstance(first, Snapshot)
    assert watched(state).view == first.view
    assert watched(fold(state, two)).view == two.view


def test_a_verse_appears_as_it_is_written_and_gives_way_to_the_verse() -> None:
    first, (one, *_) = recording.rap_start()[0], rap_updates()
    pieces = list(recording.rap_writing(0, 60))
    state = fold(State(), Open(recording.RAP), first, *pieces)
    draft = watched(state).draft_of(0)
    assert draft is not None
    assert draft.text == recording.VERSES[0][:60]
    done = watched(fold(state, one))
    assert done.draft_of(0) is None
    assert done.drafts == ()


def piece(at: int, text: str, turn: int = 1) -> Writing:
    return Writing(RAP_CHANNEL, 0, turn, at, text)


def written(*pieces: Writing) -> str:
    state = fold(State(), Open(recording.RAP), recording.rap_start()[0], *pieces)
    draft = watched(state).draft_of(0)
    return draft.text if draft else ""


def test_pieces_behind_what_is_there_are_dropped() -> None:
    assert (
        written(piece(0, "one "), piece(4, "two "), piece(4, "two "), piece(2, "x")) == "one two "
    )


def test_a_lost_piece_leaves_a_visible_hole() -> None:
    assert written(piece(0, "one "), piece(8, "three")) == f"one {HOLE}three"


def test_a_late_joiner_sees_the_rest_after_a_hole() -> None:
    assert written(piece(40, "the rest")) == f"{FROM_THE_MIDDLE}the rest"
    assert written(piece(40, "the"), piece(60, "end")) == f"{FROM_THE_MIDDLE}the{HOLE}end"


def test_a_piece_at_zero_starts_anew() -> None:
    assert written(piece(0, "first try"), piece(0, "second")) == "second"


def test_drafts_of_one_answer_are_counted() -> None:
    def number(*pieces: Writing) -> int:
        draft = watched(
            fold(State(), Open(recording.RAP), recording.rap_start()[0], *pieces)
        ).draft_of(0)
        assert draft is not None
        return draft.number

    assert number(piece(0, "one"), piece(3, " more")) == 1
    assert number(piece(0, "one"), piece(0, "two"), piece(3, " more")) == 2
    assert number(piece(40, "one"), piece(0, "two")) == 2
    assert number(piece(0, ""), piece(0, "one")) == 1


def test_pieces_of_an_earlier_turn_are_dropped() -> None:
    state = fold(State(), Open(recording.RAP), recording.rap_start(2)[0], piece(0, "late", turn=2))
    assert watched(state).drafts == ()


def test_pieces_of_the_next_turn_wait_for_its_view() -> None:
    early = Writing(RAP_CHANNEL, 1, 2, 0, "early")
    state = fold(State(), Open(recording.RAP), recording.rap_start()[0], early)
    assert watched(state).draft_of(1) is None
    draft = watched(fold(state, recording.rap_verse(0))).draft_of(1)
    assert draft is not None
    assert draft.text == "early"


def test_the_arenas_clock_is_told_apart_from_ours() -> None:
    state = fold(State(), Tick(1_000), Welcome("c", None, 61_000, 20), Tick(2_000))
    assert state.arena_ms == 62_000


def test_a_lost_connection_keeps_the_picture() -> None:
    state = fold(
        State(), Connected(), *recording.lobby_start(), Open(recording.RAP), *recording.rap_start()
    )
    lost = fold(state, Disconnected("gone"))
    assert lost.link is Link.RECONNECTING
    assert lost.spectated == state.spectated
    assert fold(lost, Connected()).link is Link.LIVE
    assert fold(State(), Disconnected("refused")).link is Link.CONNECTING
    assert fold(state, Disconnected("go away", final=True)).link is Link.CLOSED


def test_an_unknown_session_is_said_and_no_longer_asked_for() -> None:
    state = fold(
        State(), Open("nope"), Error("unknown-channel", "no such session", ref="session:nope")
    )
    told = "no such session; if it was played, `agon transcript nope` has it"
    assert watched(state).trouble == told
    assert "session:nope" not in wanted(state)


def test_an_error_that_passes_is_not_trouble() -> None:
    state = fold(State(), Open("s"), Error("unavailable", "no redis", 500, ref="session:s"))
    assert watched(state).trouble == ""
    assert "session:s" in wanted(state)


def test_the_cursor_moves_within_the_cards_and_survives_a_new_lobby() -> None:
    state = fold(State(), *recording.lobby_start())
    ids = [card.session for card in state.cards()]
    assert state.cursor == ids[0]
    assert fold(state, Move(1)).cursor == ids[1]
    assert fold(state, Move(-5)).cursor == ids[0]
    assert fold(state, Move(500)).cursor == ids[-1]
    moved = fold(state, Move(1))
    assert moved.lobby is not None
    later = msgspec.structs.replace(moved.lobby, live=moved.lobby.live[::-1])
    event = Event(8, 0, "changed")
    assert fold(moved, Update("lobby", recording.EPOCH, 8, [event], later)).cursor == ids[1]
    gone = msgspec.structs.replace(moved.lobby, live=[], recent=[])
    assert fold(moved, Update("lobby", recording.EPOCH, 8, [event], gone)).cursor is None


def test_another_space_has_another_leaderboard() -> None:
    state = fold(State(), *recording.lobby_start())
    assert state.board is not None
    other = fold(state, NextSpace())
    assert other.board is None
    assert "leaderboard:bid-tac-toe" in wanted(other)
    assert "leaderboard:rap-battle" not in wanted(other)
    assert fold(other, recording.lobby_start()[2]).board is None


def test_what_belongs_to_a_closed_session_is_ignored() -> None:
    state = fold(State(), Open(recording.RAP), *recording.rap_start(), Back())
    after = fold(state, recording.rap_verse(0), Watching(RAP_CHANNEL, 7), piece(0, "x"))
    assert after == state


def test_watching_is_counted() -> None:
    assert watched(fold(State(), Open(recording.RAP), *recording.rap_start())).watching == 48


def test_the_log_of_a_board_is_told_in_words() -> None:
    state = fold(State(), Open(recording.BOARD), recording.board_start()[0], *board_updates())
    told = [note.text for note in watched(state).notes]
    assert "Solver takes b2" in told
    assert told[-1] == "play is over: three in a line"


def test_a_persons_choice_ends_following() -> None:
    state = fold(State(), ToggleFollow())
    assert state.follow
    assert not fold(state, Open("s")).follow
    assert not fold(state, Back()).follow


any_input = st.one_of(
    st.sampled_from(
        [*recording.lobby_start(), *recording.rap_start(), *recording.board_start(), *rap_updates()]
    ),
    st.sampled_from(board_updates()),
    st.builds(
        Writing,
        st.just(RAP_CHANNEL),
        st.integers(0, 3),
        st.integers(0, 8),
        st.integers(0, 99),
        st.text(),
    ),
    st.builds(Open, st.sampled_from([recording.RAP, recording.BOARD, "other"])),
    st.builds(Move, st.integers(-3, 3)),
    st.builds(NextSpace, st.integers(-1, 1)),
    st.builds(Disconnected, st.text(max_size=5), st.booleans()),
    st.builds(Tick, st.integers(0, 10**6)),
    st.builds(Error, st.text(max_size=5), st.text(max_size=5), st.just(0), st.just(RAP_CHANNEL)),
    st.sampled_from([Back(), Connected(), ToggleFollow()]),
)


@unhurried
@given(st.lists(any_input, max_size=30))
def test_no_order_of_inputs_breaks_the_state(happened: list[Input]) -> None:
    state = fold(State(), *happened)
    assert "lobby" in wanted(state)
    if state.spectated is not None and state.spectated.view is not None:
        assert isinstance(state.spectated.view, SessionView)
        assert state.spectated.place.position is not None or state.spectated.place.lost
