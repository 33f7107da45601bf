"""What is watched when nobody chooses."""

from __future__ import annotations

import msgspec

from server.protocol import Error, LobbyView, SeatCard, SessionCard, Snapshot, Step
from tui_client import recording
from tui_client.director import (
    JOIN_MS,
    JUDGES_MS,
    RESULT_MS,
    STAY_MS,
    STILL_MS,
    VERDICT_MS,
    VERSE_MS,
    step,
)
from tui_client.state import Input, Open, State, Tick, ToggleFollow

SEATS = [SeatCard(0, "a", "A", "v1"), SeatCard(1, "b", "B", "v1")]


def card(session: str, space: str, opened_ms: int) -> SessionCard:
    return SessionCard(session, space, SEATS, "", opened_ms)


def lobby(*live: SessionCard) -> Snapshot:
    return Snapshot("lobby", "e", 1, LobbyView(list(live), [], [], len(live)))


def after(state: State, *happened: Input) -> State:
    for one in happened:
        state = step(state, one)
    return state


def watched(state: State) -> str | None:
    return state.spectated.session if state.spectated else None


BOARD_CARD = card(recording.BOARD, "bid-tac-toe", 900)
RAP_CARD = card(recording.RAP, "rap-battle", 100)
OTHER = card("other", "bid-tac-toe", 50)


def test_nothing_is_chosen_without_following() -> None:
    assert watched(after(State(), lobby(RAP_CARD))) is None


def test_a_rap_battle_comes_first_then_the_newest() -> None:
    assert watched(after(State(), ToggleFollow(), lobby(BOARD_CARD, RAP_CARD))) == recording.RAP
    assert watched(after(State(), ToggleFollow(), lobby(OTHER, BOARD_CARD))) == recording.BOARD


def test_a_running_match_is_watched_to_its_end_where_there_is_nothing_else() -> None:
    state = after(State(), ToggleFollow(), lobby(BOARD_CARD), recording.board_start()[0])
    assert watched(after(state, Tick(3_600_000), lobby(BOARD_CARD))) == recording.BOARD


def test_a_match_has_its_time_and_comes_round_again() -> None:
    auctions = [recording.board_auction(number) for number in range(3)]
    state = after(State(), ToggleFollow(), lobby(BOARD_CARD), recording.board_start()[0])
    state = after(state, lobby(BOARD_CARD, RAP_CARD), Tick(STILL_MS - 1), *auctions[0])
    state = after(state, Tick(2 * STILL_MS - 2), *auctions[1], Tick(STAY_MS - 1), *auctions[2])
    assert watched(state) == recording.BOARD
    state = after(state, Tick(STAY_MS))
    assert watched(state) == recording.RAP
    state = after(state, recording.rap_start()[0], Tick(2 * STAY_MS))
    assert watched(state) == recording.BOARD


def test_a_match_in_which_nothing_happens_is_left_sooner() -> None:
    state = after(State(), ToggleFollow(), lobby(RAP_CARD, OTHER), recording.rap_start()[0])
    assert watched(after(state, Tick(STILL_MS - 1))) == recording.RAP
    assert watched(after(state, Tick(STILL_MS))) == "other"


def test_a_verse_is_heard_to_its_end_but_not_for_ever() -> None:
    state = after(State(), ToggleFollow(), lobby(RAP_CARD, OTHER), *recording.rap_start())
    pieces = list(recording.rap_writing(0, 240))
    for number, piece in enumerate(pieces):
        state = after(state, Tick(number * STILL_MS // 2), piece)
        if state.now_ms >= STAY_MS + VERSE_MS:
            break
        assert watched(state) == recording.RAP
    assert watched(state) == "other"


def test_another_space_comes_before_another_of_the_same() -> None:
    more = card("more-rap", "rap-battle", 800)
    state = after(State(), ToggleFollow(), lobby(RAP_CARD, more, OTHER))
    assert watched(state) == "more-rap"
    view = msgspec.structs.replace(recording.rap_view(1), session="more-rap")
    state = after(state, Snapshot("session:more-rap", "e", 1, view), Tick(STILL_MS))
    assert watched(state) == "other"


def test_a_result_stands_a_few_seconds() -> None:
    games = [update for number in range(5) for update in recording.board_auction(number)]
    state = after(State(), ToggleFollow(), lobby(BOARD_CARD), recording.board_start()[0], *games)
    state = after(state, lobby(BOARD_CARD, OTHER), Tick(RESULT_MS - 1))
    assert watched(state) == recording.BOARD
    assert watched(after(state, Tick(RESULT_MS))) == "other"


def test_the_judges_are_waited_for_but_not_for_ever() -> None:
    verses = [recording.rap_verse(verse) for verse in range(5)]
    ending = recording.rap_ending()
    state = after(State(), ToggleFollow(), lobby(RAP_CARD), recording.rap_start()[0], *verses)
    state = after(state, *ending[:2], lobby(RAP_CARD, OTHER), Tick(JUDGES_MS - 1))
    assert watched(state) == recording.RAP
    assert watched(after(state, Tick(JUDGES_MS))) == "other"
    told = after(state, *ending[2:], Tick(JUDGES_MS - 1 + VERDICT_MS - 1))
    assert watched(told) == recording.RAP
    assert watched(after(told, Tick(JUDGES_MS - 1 + VERDICT_MS))) == "other"


def test_failed_judges_are_not_waited_for() -> None:
    over = recording.rap_view(
        6, status="ended", outcome={"termination": "complete", "returns": None}
    )
    failed = msgspec.structs.replace(over, steps=[Step("judged", "failed")])
    shown = Snapshot(f"session:{recording.RAP}", "e", 9, failed)
    state = after(State(), ToggleFollow(), lobby(RAP_CARD, OTHER), shown, Tick(RESULT_MS))
    assert watched(state) == "other"


def test_the_last_result_stays_while_there_is_nothing_else() -> None:
    games = [update for number in range(5) for update in recording.board_auction(number)]
    state = after(State(), ToggleFollow(), lobby(BOARD_CARD), recording.board_start()[0], *games)
    assert watched(after(state, lobby(), Tick(60_000))) == recording.BOARD


def test_a_session_that_cannot_be_watched_is_left() -> None:
    state = after(State(), ToggleFollow(), lobby(RAP_CARD, OTHER))
    silent = after(state, Tick(JOIN_MS))
    assert watched(silent) == "other"
    refused = after(state, Error("unknown-channel", "gone", ref=f"session:{recording.RAP}"))
    assert watched(refused) == "other"


def test_a_session_is_shown_once() -> None:
    state = after(State(), ToggleFollow(), lobby(RAP_CARD, OTHER), Tick(JOIN_MS))
    assert watched(state) == "other"
    assert watched(after(state, Tick(3 * JOIN_MS))) == "other"


def test_following_again_after_a_choice_stays_with_it() -> None:
    state = after(State(), lobby(RAP_CARD, BOARD_CARD), Open(recording.BOARD))
    state = after(state, recording.board_start()[0], ToggleFollow())
    assert watched(state) == recording.BOARD
