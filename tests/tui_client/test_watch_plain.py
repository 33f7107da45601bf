"""The view of Spaces that have none of their own, and five seats in the lobby and in the title."""

from __future__ import annotations

import random
import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server.protocol import LobbyView, QueueCard, SeatCard, SessionCard, SessionView, Snapshot
from spaces import registry
from spaces.seed import Streams
from tests.tui_client.painted import FORBIDDEN, words_on
from tui_client import screenshot
from tui_client.recording import bridged
from tui_client.recording.cast import FIVE
from tui_client.screenshot import folded
from tui_client.state import Open, State
from tui_client.text import block_lines, wrap_block
from tui_client.widgets.lobby.live import against, paint_live, paint_recent
from tui_client.widgets.lobby.queues import paint_queues
from tui_client.widgets.lobby.standings import paint_standings
from tui_client.widgets.session.plain import paint_plain
from tui_client.widgets.session.reading import airy, read
from tui_client.widgets.session.title import paint_title, seats

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
words = st.one_of(
    st.text(max_size=60),
    st.text("\x1b[]/\u202e\u0301\u200d\n\r\t\x9b👩🏽🇩你 ab", max_size=200),
    st.sampled_from(["[@click=app.quit]x[/]", "\x1b[2J\x1b[1;1Hgone", "a\n b\n  c", "Player 0"]),
)
leaves = st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**63), words)
pairs = st.lists(st.tuples(st.one_of(st.integers(-2, 9), words), words).map(list), max_size=6)
values = st.one_of(
    pairs, st.recursive(leaves, lambda each: st.lists(each, max_size=3), max_leaves=6)
)
keys = st.one_of(
    words,
    st.sampled_from(["position", "told", "moves", "to_act", "returns_milli", "board", "seats"]),
)


def watching(view: SessionView) -> State:
    return folded([Open(view.session), Snapshot(f"session:{view.session}", "e", 1, view)])


@unhurried
@given(
    st.dictionaries(keys, values, max_size=8),
    st.lists(words, max_size=12),
    st.sampled_from(["live", "ended", "void"]),
    st.integers(20, 140),
    st.integers(4, 40),
    st.integers(0, 50),
)
def test_any_observation_is_painted_in_its_place(
    state: dict[str, Any], names: list[str], status: Any, width: int, height: int, scroll: int
) -> None:
    cards = [SeatCard(seat, "a", name, "v") for seat, name in enumerate(names)]
    view = msgspec.structs.replace(
        bridged.talk_view(), space="x", state=state, seats=cards, status=status
    )
    rows = paint_plain(msgspec.structs.replace(watching(view), scroll=scroll), width, height)
    assert len(rows) <= height
    assert {row.cell_len for row in rows} <= {width}
    assert not {unicodedata.category(each) for row in rows for each in row.plain} & FORBIDDEN


def test_a_board_is_shown_as_it_is_written_and_moves_by_their_seats() -> None:
    shown = words_on(paint_plain(folded(screenshot.openspiel()), 120, 29))
    assert "│ 8 b b b b b b b b" in shown
    assert "│   a b c d e f g h" in shown
    assert "0 c7d6   1 g2g3" in shown
    assert "to move 0:2" in shown.split("1 Nova")[1].split("\n")[0]


def test_a_game_that_talks_shows_its_last_board_and_who_said_what() -> None:
    shown = words_on(paint_plain(folded(screenshot.textarena()), 120, 29))
    assert "│  X | O | X" in shown
    assert "│ ---+---+---" in shown
    assert "Hawk: I take [8]" in shown
    assert "Game: Player 1 placed their symbol (X) in cell 2." in shown
    assert "Player 0: " not in shown


def test_the_end_of_a_game_tells_who_won_what() -> None:
    view = bridged.position_view()
    over = {**view.state, "to_act": [], "returns_milli": [-1_000, 1_000], "termination": "complete"}
    outcome = {"termination": "complete", "returns": [-1_000, 1_000]}
    ended = msgspec.structs.replace(view, state=over, status="ended", outcome=outcome, decisions=[])
    shown = words_on(paint_plain(watching(ended), 120, 29))
    assert "NOVA WINS" in shown
    assert "+1 " in shown
    assert "-1 " in shown


@pytest.mark.parametrize("space", ["openspiel:tic_tac_toe", "textarena:tictactoe-v0"])
def test_a_game_as_the_bridge_shows_it(space: str) -> None:
    pytest.importorskip("pyspiel" if space.startswith("openspiel") else "textarena")
    game, streams = registry.get(space), Streams(bytes(32))
    state, rng = game.initial(game.params_type(), streams), random.Random(1)
    for _ in range(3):
        due = game.decisions(state)[0]
        told = game.random_answer(due.kind, game.observe(state, due.seat), due.seat, rng)
        state = game.apply(state, due.seat, game.parse(due.kind, told), streams)
    view = msgspec.structs.replace(
        bridged.talk_view(), space=space, state=game.observe(state, None), decisions=[]
    )
    shown = words_on(paint_plain(watching(view), 120, 29))
    assert "to move" in shown.split("1 Nova")[1].split("\n")[0]
    assert "{" not in shown
    assert "[[" not in shown


def test_only_boards_of_one_character_a_square_get_air() -> None:
    assert airy(["..o", "xx.", ".o."]) == [". . o", "x x .", ". o ."]
    assert airy([" 0 | 1", "---+--", " 3 | 4"]) == [" 0 | 1", "---+--", " 3 | 4"]
    assert airy(["a", "bcd", "e"]) == ["a", "bcd", "e"]
    assert airy(["1 2 pp"]) == ["1 2 pp"]


def test_a_block_keeps_its_blanks_and_nothing_else_that_is_odd() -> None:
    assert block_lines("\n\n  a  b\x1b[2J\n\n\tc \n\n") == ["  a  b[2J", "", "    c"]
    assert wrap_block(["  a  b", "one two three"], 7) == ["  a  b", "one two", "three"]


def test_pairs_are_sayings_and_what_is_told_by_the_seats_is_no_fact() -> None:
    state = {"moves": [[0, "a"], [5, "b"]], "to_act": [1], "plies": 2, "none": None, "seats": 2}
    reading = read(state, 2)
    assert [(each.seat, each.speaker) for each in reading.sayings] == [(0, ""), (None, "5")]
    assert reading.to_act == {1}
    assert reading.facts == (("plies", "2"),)


def _five(name: str = "") -> SessionCard:
    cards = [SeatCard(c.seat, c.agent, name or c.name, c.version) for c in FIVE]
    return SessionCard("s", "writing", cards, "3/5 in", 0)


def test_many_seats_are_named_as_far_as_there_is_room() -> None:
    assert against(_five(), 80).plain == "Nova, Tortoise, Hawk, Quill, Bear"
    assert against(_five(), 28).plain == "Nova, Tortoise, Hawk +2"
    assert against(_five("W" * 90), 24).plain == "WWWW…, WWWW… +3"
    for width in range(16, 60):
        assert against(_five(), width).cell_len <= width


def test_the_title_cuts_many_names_alike() -> None:
    assert seats(FIVE, 80).plain == "A Nova  B Tortoise  C Hawk  D Quill  E Bear"
    assert seats(FIVE, 40).plain == "A Nova  B Tort…  C Hawk  D Quill  E Bear"
    for made in (screenshot.logic, screenshot.writing):
        row = paint_title(folded(made()), 80)[0]
        assert row.cell_len == 80
        assert all(f"{mark} " in row.plain for mark in "ABCDE")
        assert "watching" in row.plain


def test_the_lobby_has_room_for_many_spaces() -> None:
    spaces = ("rap-battle", "bid-tac-toe", "logic", "writing", "trade-wars", "prediction")
    queues = [QueueCard(space, 0, int(space == "prediction"), 3) for space in spaces]
    arena = LobbyView([_five()], [_five()], queues, 1, 0)
    state = folded([Snapshot("lobby", "e", 1, arena)])
    shown = words_on(paint_queues(state, 40, 5))
    assert "prediction" in shown, "who waits stands first"
    assert "3 more" in shown
    assert "1/6" in words_on(paint_standings(state, 40, 8))
    for paint in (paint_live, paint_recent):
        assert "Nova, Tortoise" in words_on(paint(state, 76, 8))
