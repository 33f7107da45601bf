"""Painters: exact widths and plain characters, whatever agents are called and whatever they write."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.text import Text

from server.protocol import (
    BoardRow,
    BoardView,
    Evidence,
    LobbyView,
    QueueCard,
    RubricLine,
    SeatCard,
    SessionCard,
    Snapshot,
    Step,
    VerdictView,
)
from tests.tui_client.painted import assert_fills, words_on
from tui_client import recording, theme
from tui_client.director import step
from tui_client.screenshot import bid_tac_toe, bid_tac_toe_result, folded, lobby, rap, verdict
from tui_client.state import Connected, Input, Open, State, Tick, reduce
from tui_client.text import clean
from tui_client.widgets.board.auction import paint_auction
from tui_client.widgets.board.grid import paint_grid
from tui_client.widgets.board.log import paint_log
from tui_client.widgets.board.money import paint_money
from tui_client.widgets.canvas import bar, fit, frame, line, rail, spread
from tui_client.widgets.footer import paint_footer
from tui_client.widgets.header import paint_header
from tui_client.widgets.help import paint_help
from tui_client.widgets.lobby.live import paint_live, paint_recent
from tui_client.widgets.lobby.queues import paint_queues
from tui_client.widgets.lobby.standings import paint_standings
from tui_client.widgets.rap.verdict import paint_verdict
from tui_client.widgets.rap.verses import paint_verses
from tui_client.widgets.session.plain import paint_plain
from tui_client.widgets.session.ticker import paint_ticker
from tui_client.widgets.session.title import paint_title

unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A loaded machine is slow, which is no failure."""

FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
hostile = st.one_of(
    st.text(max_size=60),
    st.text("\x1b[]/\u202e\u0301\u200d\n\r\t\x9b👩🏽🇩你 ab", max_size=60),
    st.sampled_from(
        ["[bold red]x[/]", "[@click=app.quit]x[/]", "\x1b[2J\x1b[1;1Hgone", "\u202egnorw"]
    ),
)
sizes = st.tuples(st.integers(20, 140), st.integers(4, 40))


def paintings(state: State, width: int, height: int) -> dict[str, Sequence[Text]]:
    half = width // 2
    return {
        "header": [paint_header(state, width)],
        "footer": [paint_footer(state, width)],
        "help": paint_help(width, height),
        "live": paint_live(state, width, height),
        "recent": paint_recent(state, width, height),
        "queues": paint_queues(state, width, height),
        "standings": paint_standings(state, width, height),
        "title": [fit(row, width) for row in paint_title(state, width)],
        "ticker": [paint_ticker(state, width)],
        "plain": paint_plain(state, width, height),
        "money": paint_money(state, width, height),
        "auction": paint_auction(state, width, height),
        "log": paint_log(state, width, height),
        "verses 0": paint_verses(state, 0, (half, half), half, height),
        "verses 1": paint_verses(state, 1, (half, half), half, height),
        "verdict": paint_verdict(state, width, height),
    }


def assert_painted_well(state: State, width: int, height: int) -> None:
    for name, rows in paintings(state, width, height).items():
        for row in rows:
            assert row.cell_len <= width, f"{name} is wider than {width}: {row.plain!r}"
            found = {unicodedata.category(character) for character in row.plain}
            assert not found & FORBIDDEN, f"{name} holds {found & FORBIDDEN}: {row.plain!r}"
        if name not in ("title", "header", "footer", "ticker"):
            assert len(rows) <= height, f"{name} is higher than {height}"


@st.composite
def hostile_states(draw: st.DrawFn) -> State:
    """Everything that an agent, a model or a broken server may word, worded badly."""

    def words() -> str:
        return draw(hostile)

    seats = [
        SeatCard(s, "a", words(), words(), draw(st.none() | st.integers(-9_000, 60_000)))
        for s in (0, 1)
    ]
    space = draw(st.sampled_from(["rap-battle", "bid-tac-toe", "writing", words() or "x"]))
    known: dict[str, Any] = recording.rap_view(0).state | {
        "topic": words(),
        "verses": [{"round": 1 + i // 2, "seat": i % 2, "text": words()} for i in range(3)],
    }
    board: dict[str, Any] = recording.board_view(3).state | {"payment": words(), "ties": words()}
    state = {"rap-battle": known, "bid-tac-toe": board}.get(space, {words(): words()})
    judged = VerdictView(
        words(),
        [RubricLine(words(), [draw(st.integers(-5, 20_000)), 5_000], [words(), words()])],
        [1, 2],
        [2, 1],
        [Evidence(words(), [1, 2], words())],
        [words()],
        words(),
    )
    status = draw(st.sampled_from(["live", "ended", "void"]))
    outcome = {
        "reason": words(),
        "termination": words(),
        "returns": draw(st.sampled_from([None, [1, -1]])),
    }
    view = recording.rap_view(
        3, space=space, seats=seats, state=state, headline=words(), status=status,
        outcome=outcome, verdict=draw(st.sampled_from([None, judged])),
        steps=[Step(words(), "running")],
    )  # fmt: skip
    cards = [SessionCard("s", space, seats, words(), 0, 5, 3)]
    arena = LobbyView(cards, cards, [QueueCard(words(), 100_000, 3, 4)], 1, 2)
    rows = [BoardRow(1, "a", words(), "v", 25_000, 8_000, 3, 1, True, -3)]
    happened: list[Input] = [
        Connected(),
        Snapshot("lobby", "e", 1, arena),
        Snapshot("leaderboard:rap-battle", "e", 1, BoardView("rap-battle", rows)),
        Open("s"),
        Snapshot("session:s", "e", 1, view),
    ]
    pieces = [msgspec.structs.replace(p, channel="session:s") for p in recording.rap_writing(3, 50)]
    return folded([*happened, *(msgspec.structs.replace(p, text=words()) for p in pieces)])


@unhurried
@given(hostile_states(), sizes)
def test_nothing_that_anyone_words_leaves_its_place(state: State, size: tuple[int, int]) -> None:
    assert_painted_well(state, *size)


@pytest.mark.parametrize("made", [lobby, rap, verdict, bid_tac_toe])
@pytest.mark.parametrize(
    "size", [(80, 24), (120, 34), (200, 60), (40, 12), (20, 5), (4, 2), (1, 1)]
)
def test_every_screen_fits_every_size(made: Any, size: tuple[int, int]) -> None:
    state = folded(made())
    width, height = size
    if width >= 20:
        assert_painted_well(state, width, height)
    else:
        paintings(state, width, height)  # too small to be read: it must only not fail


def test_a_frame_has_exactly_its_size() -> None:
    rows = frame(line("a title that is long"), [line("row")] * 9, 20, 5, line("note"))
    assert [row.cell_len for row in rows] == [20] * 5


@unhurried
@given(st.integers(-5, 200), st.integers(0, 100), st.integers(0, 50))
def test_bars_have_their_width(value: int, full: int, width: int) -> None:
    assert bar(value, full, width, theme.SEATS[0]).cell_len == max(width, 0) or width == 0
    assert rail(value, full, width, theme.SEATS[0]).cell_len == width


@unhurried
@given(hostile, hostile, st.integers(0, 60))
def test_spread_gives_way_on_the_left(left: str, right: str, width: int) -> None:
    assert spread(line(clean(left)), line(clean(right)), width).cell_len == width


def test_markup_is_never_read() -> None:
    tricky = SeatCard(0, "a", "[red]Not[/] red", "v1")
    view = recording.rap_view(0, seats=[tricky, recording.EMBER])
    state = folded([Open(recording.RAP), Snapshot(f"session:{recording.RAP}", "e", 1, view)])
    assert "[red]Not[/] red" in words_on(paint_title(state, 120))
    assert "[RED]NOT[/] RED" in words_on(paint_verses(state, 0, (60, 60), 60, 10))


def test_rounds_of_both_seats_stand_side_by_side() -> None:
    state = folded(verdict())
    columns = [paint_verses(state, seat, (44, 70), (44, 70)[seat], 40) for seat in (0, 1)]
    heads = [[y for y, row in enumerate(rows) if "round" in row.plain] for rows in columns]
    assert heads[0] == heads[1] != []


def test_rhymes_are_named_and_shaded_alike() -> None:
    rows = paint_verses(folded(verdict()), 0, (60, 60), 60, 40)
    lock = next(row for row in rows if "hydrants lock" in row.plain)
    clock = next(row for row in rows if "o'clock" in row.plain)
    assert lock.plain.rstrip(" │")[-1] == clock.plain.rstrip(" │")[-1] == "a"
    shade = theme.rhyme_style("a")
    assert shade in [span.style for span in lock.spans]
    assert shade in [span.style for span in clock.spans]


def test_a_sealed_bid_shows_no_number() -> None:
    state = folded(bid_tac_toe())
    assert "▮" in words_on(paint_money(state, 60, 7))
    later = step(state, msgspec.structs.replace(recording.board_auction(4)[1]))
    assert "GREEDY WINS" in words_on(paint_auction(later, 60, 7))
    assert "three in a line" in words_on(paint_auction(later, 60, 7))


def test_turned_bids_stay_in_sight_for_a_moment() -> None:
    auctions = [u for number in range(2) for u in recording.board_auction(number)]
    state = folded([Open(recording.BOARD), *recording.board_start(), *auctions])
    assert "11   :   19" in words_on(paint_auction(state, 60, 7))
    later = step(state, Tick(recording.START_MS + 3_000))
    assert "face down" in words_on(paint_auction(later, 60, 7))


def test_the_winning_line_is_lit_and_the_rest_fades() -> None:
    auctions = [u for number in range(5) for u in recording.board_auction(number)]
    state = folded([Open(recording.BOARD), *recording.board_start(), *auctions])
    styles = {span.style for row in paint_grid(state, 46, 28) for span in row.spans}
    grounds = {style.bgcolor for style in styles if not isinstance(style, str)}
    assert theme.WIN_GROUNDS[1].bgcolor in grounds
    assert theme.WIN_GROUNDS[0].bgcolor not in grounds
    assert theme.SEATS_DIM[0] in styles


def test_what_explains_the_numbers_is_wrapped_not_cut() -> None:
    view = recording.rap_view(6, status="ended", outcome={"termination": "complete"})
    note = "points are how far the judge leans to each seat, over both orders; even is 5.0, and 10 is all"
    measured = "mean vowels of the longest rhyme that each word ends (Malmi et al. 2016)"
    judged = msgspec.structs.replace(
        recording.VERDICT, note=note, evidence=[Evidence("rhyme factor", [412, 538], measured)]
    )
    view = msgspec.structs.replace(view, verdict=judged)
    state = folded([Open(recording.RAP), Snapshot(f"session:{recording.RAP}", "e", 1, view)])
    for width in (60, 80, 120):
        rows = paint_verdict(state, width, 14)
        shown = " ".join(words_on(rows).replace("│", " ").split())
        assert len(rows) <= 14
        assert note in shown
        assert measured in shown
    assert "the triplet run on news, fuse, blues carries the round" in " ".join(
        words_on(paint_verdict(state, 200)).split()
    )


@given(
    st.sampled_from(["bid-tac-toe", "rap-battle", "openspiel:connect_four", "x" * 24]),
    st.sampled_from([0, 100_000, 500_000, 25_000_000]),
    st.integers(0, 99_999),
    st.integers(0, 400_000),
    st.integers(30, 60),
)
def test_columns_of_a_queue_never_touch(
    space: str, tier: int, waiting: int, wait_s: int, width: int
) -> None:
    queues = [QueueCard(space, tier, waiting, wait_s)]
    shown = Snapshot("lobby", "e", 1, LobbyView([], [], queues))
    row = paint_queues(step(State(), shown), width, 5)[1].plain.strip("│ ")
    *title, cost, count, wait = row.replace(" USDC", "").split()
    assert title
    assert cost == ("free" if not tier else f"{tier / 1_000_000:.2f}")
    assert (count, wait == "-") == (str(waiting), not waiting)


@pytest.mark.parametrize("width", [30, 60])
def test_matches_that_wait_for_the_chain_have_a_line_of_their_own(width: int) -> None:
    queues = [QueueCard("logic", 0, 1, 3), QueueCard("trade-wars", 500_000, 0, 0, 2, 7)]
    shown = Snapshot("lobby", "e", 1, LobbyView([], [], queues))
    rows = [row.plain.strip("│ ") for row in paint_queues(step(State(), shown), width, 6)]
    words, (count, wait) = rows[3][:12], rows[3].split()[-2:]
    assert words == ("the chain ta" if width == 60 else "on the chain")
    assert (count, wait) == ("2", "7s")


def test_help_and_quit_are_the_last_keys_to_go() -> None:
    for state in (State(), State(follow=True), folded(rap())):
        for width in (30, 40):
            shown = paint_footer(state, width).plain
            assert "? +" in shown
            assert "more   q quit" in shown
        assert "? help   q quit" in paint_footer(state, 18).plain
    assert "? help   q quit" in paint_footer(State(), 120).plain


def test_marks_are_counted_when_a_board_is_over() -> None:
    assert "5 marks made   ended" in words_on(paint_title(folded(bid_tac_toe_result()), 120))
    assert "mark 5/9" in words_on(paint_title(folded(bid_tac_toe()), 120))


def test_a_verse_that_is_written_anew_says_so() -> None:
    again = recording.rap_writing(5, 30)
    state = folded([*rap(), *again])
    assert "writing draft 2" in words_on(paint_verses(state, 1, (60, 60), 60, 30))


def test_other_live_matches_are_named_in_turn_where_there_is_room() -> None:
    state = folded(rap())
    turns = [reduce(state, Tick(recording.START_MS + 6_000 * turn)) for turn in range(4)]
    told = [paint_ticker(turn, 120).plain for turn in turns]
    assert sum("also live: bid tac toe Solver vs Greedy, mark 5/9" in row for row in told) == 1
    assert sum("also live: rap battle Marrow vs Quill, round 1/3" in row for row in told) == 1
    assert not any("Frostbite vs Ember" in row for row in told)
    assert "also live" not in paint_ticker(state, 40).plain
    assert "verse is in" in paint_ticker(state, 40).plain


REFUSED = (
    "void: Ember's wallet 0x52908400098527886E0F7030069857D2E4169EE7 did not pay: the day's limit is reached; the entries"
    " are given back"
)


@pytest.mark.parametrize(("width", "height"), [(48, 12), (76, 12), (120, 12)])
def test_why_a_session_was_void_is_read_to_its_end_in_the_lobby(width: int, height: int) -> None:
    void = SessionCard("V", "rap-battle", [recording.FROSTBITE, recording.EMBER], REFUSED, 0)
    void = msgspec.structs.replace(void, status="void")
    view = recording.lobby()
    lobby = msgspec.structs.replace(view, recent=[*view.recent[:2], void, *view.recent[2:]])
    state = folded([Snapshot("lobby", "e", 1, lobby)])
    for chosen in (None, "V", view.recent[-1].session):
        shown = paint_recent(msgspec.structs.replace(state, cursor=chosen), width, height)
        assert_fills(shown, width, height)
        if chosen == view.recent[-1].session:
            assert "Solver vs Hawk" in words_on(shown)
            continue
        told = "".join(words_on(shown).replace("│", "").split())
        for word in REFUSED.split():
            assert word[:40] in told, word
        assert "given" in words_on(shown)


def test_why_a_session_is_void_stands_above_it_beside_its_proof() -> None:
    why = "Ember's wallet did not pay: the day's limit is reached"
    steps = [Step("opened", "failed"), Step("sealed", "done"), Step("settled", "done")]
    view = recording.rap_view(2, status="void", outcome={"reason": why}, steps=steps)
    snapshot = Snapshot(f"session:{recording.RAP}", "e1", 1, view)
    _, below = paint_title(folded([Open(recording.RAP), snapshot]), 80)
    assert why in below.plain
    assert "opened ✗" in paint_title(folded([Open(recording.RAP), snapshot]), 120)[1].plain


def test_queues_that_have_no_room_are_counted_and_none_is_halved() -> None:
    queues = [QueueCard(f"space-{at}", 500_000, 0, opening=2, opening_s=9) for at in range(5)]
    lobby = msgspec.structs.replace(recording.lobby(), queues=queues)
    state = folded([Snapshot("lobby", "e", 1, lobby)])
    shown = words_on(paint_queues(state, 32, 7))
    assert "+3 more" in shown
    assert shown.count("on the chain") == 2
