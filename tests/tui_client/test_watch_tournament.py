"""The spectator's tournament: what is folded, what is asked for again, and the screens it makes."""

from __future__ import annotations

import os
import random
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.protocol import (
    EntrantCard,
    Error,
    Event,
    GameCard,
    LobbyView,
    MatchCard,
    PairCard,
    Snapshot,
    StandingRow,
    TournamentView,
    Update,
)
from server.tournament.setup import Entrant, FormatName, Setup, check, make_format
from server.tournament.tournament import Tournament
from server.tournament.view import Facts, view
from tests.tui_client.screen import dump
from tui_client.app import WatchApp
from tui_client.state import (
    Back,
    Connected,
    Input,
    Link,
    Move,
    Open,
    OpenTournament,
    State,
    Tick,
    reduce,
    wanted,
)
from tui_client.tournament import ASK_AGAIN_MS, Watched
from tui_client.widgets.bracket.names import half
from tui_client.widgets.bracket.view import paint_bracket, paint_games, paint_places

FOLDER = Path(__file__).parent / "snapshots"
ID = "01KTOURNAMENT"
CHANNEL = f"tournament:{ID}"
NAMES = ("Solver", "Shark", "Greedy", "Llama", "Dice", "Ember", "Frostbite", "Quill")


def played(
    entrants: int, *, scored: int | None, format_: FormatName = "knockout"
) -> TournamentView:
    """A tournament after `scored` games (None: over), which better seeds mostly win."""
    setup = check(
        Setup(space="bid-tac-toe", format=format_, games=0, parallel=4, parallel_each=2), entrants
    )
    facts = Facts(
        tournament=ID,
        setup=setup,
        entrants=tuple(
            Entrant(
                agent=f"a{n}",
                name=NAMES[n] if n < len(NAMES) else f"Bot {n}",
                version=f"a{n}@v1",
                owner="house",
            )
            for n in range(entrants)
        ),
        created_ms=0,
        seed=bytes(range(32)),
        seed_commit="ab" * 32,
    )
    state = Tournament(make_format(setup, entrants, facts.seed), parallel=4, at_once=[2] * entrants)
    rng = random.Random(7)
    while not state.done and (scored is None or state.scored < scored):
        for due in state.due():
            state.formed(due, f"s-{due.fixture.name}")
        session, game = next(iter(state.live.items()))
        first, second = game.fixture.seats
        better = (first < second) == (rng.random() < 0.75)
        state.score(session, (1, 1) if rng.random() < 0.1 else (1, 2) if better else (2, 1))
    for due in state.due():
        state.formed(due, f"s-{due.fixture.name}")
    return view(facts, state, "ended" if state.done else "running")


def after(*happened: Input) -> State:
    state = State(link=Link.LIVE)
    for one in happened:
        state = reduce(state, one)
    return state


def snapshot(shown: TournamentView, offset: int = 0, epoch: str = "e1") -> Snapshot:
    return Snapshot(CHANNEL, epoch, offset, shown)


def update(shown: TournamentView, offset: int) -> Update:
    return Update(CHANNEL, "e1", offset, [Event(offset, 0, "score")], shown)


def test_an_open_tournament_is_followed() -> None:
    state = after(Connected(), OpenTournament(ID))
    assert CHANNEL in wanted(state)
    assert CHANNEL not in wanted(reduce(state, Back()))


def test_its_view_says_all() -> None:
    early, late = played(4, scored=1), played(4, scored=2)
    state = after(OpenTournament(ID), snapshot(early))
    assert state.tournament is not None
    assert state.tournament.view == early
    state = reduce(state, update(late, 1))
    assert state.tournament is not None
    assert state.tournament.view == late


def test_a_gap_asks_again() -> None:
    state = after(OpenTournament(ID), snapshot(played(4, scored=1)), update(played(4, scored=2), 5))
    assert wanted(state)[CHANNEL].asks == 1


def test_an_unknown_tournament_is_asked_for_again() -> None:
    refused = Error("unknown-channel", "there is no such channel", ref=CHANNEL)
    state = after(Tick(1_000), OpenTournament(ID), refused)
    assert state.tournament is not None
    assert state.tournament.trouble
    assert CHANNEL not in wanted(state)
    assert CHANNEL in wanted(reduce(state, Tick(1_000 + ASK_AGAIN_MS)))


def test_a_game_is_opened_and_left_for_its_tournament() -> None:
    shown = played(8, scored=2)
    state = after(OpenTournament(ID), snapshot(shown), Move(1))
    assert state.tournament is not None
    chosen = shown.live[1].session
    assert state.tournament.cursor == chosen
    state = reduce(state, Open(chosen))
    assert f"session:{chosen}" in wanted(state)
    assert CHANNEL in wanted(state)
    state = reduce(state, Back())
    assert (state.spectated, state.tournament is not None) == (None, True)
    assert reduce(state, Back()).tournament is None


def test_the_cursor_stays_on_a_live_game() -> None:
    state = after(OpenTournament(ID), Move(3), snapshot(played(8, scored=2)))
    assert state.tournament is not None
    last = state.tournament.view
    assert last is not None
    for _ in range(9):
        state = reduce(state, Move(1))
    assert state.tournament is not None
    assert state.tournament.cursor == last.live[-1].session
    over = reduce(state, snapshot(played(8, scored=None), 9, "e2"))
    assert over.tournament is not None
    assert over.tournament.cursor is None


@pytest.mark.parametrize(("points", "said"), [(0, "0"), (1, "½"), (2, "1"), (3, "1½")])
def test_half_points(points: int, said: str) -> None:
    assert half(points) == said


def hostile(shown: TournamentView) -> TournamentView:
    cards = [msgspec.structs.replace(card, name="\x1b[31mred\n" * 20) for card in shown.cards]
    return msgspec.structs.replace(shown, cards=cards)


@pytest.mark.parametrize("size", [(120, 34), (80, 24), (40, 12)])
@pytest.mark.parametrize("entrants", [2, 5, 60, 300])
@pytest.mark.parametrize("format_", ["knockout", "round-robin"])
async def test_every_size_is_painted(
    size: tuple[int, int], entrants: int, format_: FormatName
) -> None:
    screen = await painted(
        after(OpenTournament(ID), snapshot(hostile(_early(entrants, format_)))), size
    )
    assert "\x1b" not in screen
    assert "PLAYING NOW" in screen


counts = st.integers(-1, 3) | st.sampled_from([64, 10**7, -(10**7), 2**53])
words = st.sampled_from(
    ["", "r1.m1", "r1.m2", "r2.m1", "r1.mx", "r1.m-1", "r1.m²", "\x1b[31m", ".m9" * 99]
)
shared = st.lists(counts, max_size=4)
matches = st.builds(
    MatchCard, name=words, round=counts, players=shared, points=shared, games=counts,
    through=shared, coin=st.booleans(), unplayed=st.booleans(), session=st.none() | words,
)  # fmt: skip
views = st.builds(
    TournamentView, tournament=words, space=words, format=st.sampled_from(["knockout", "round-robin"]),
    status=st.sampled_from(["running", "ended"]), created_ms=counts, seats=counts, entrants=counts,
    cards=st.lists(st.builds(EntrantCard, counts, words, words, words), max_size=3), total=counts,
    scored=counts, given_up=counts, rounds=counts, matches=st.lists(matches, max_size=5),
    live=st.lists(st.builds(GameCard, game=words, attempt=counts, session=words, seats=shared), max_size=3),
    standings=st.lists(st.builds(StandingRow, counts, counts, counts, counts, counts, note=words), max_size=3),
    pairs=st.lists(st.builds(PairCard, counts, counts, counts, counts), max_size=3),
    seed=st.none() | words,
)  # fmt: skip


@settings(deadline=None, max_examples=100)
@given(views, st.integers(0, 90), st.integers(0, 40))
def test_whatever_an_arena_says_is_painted(shown: TournamentView, width: int, height: int) -> None:
    state = State(tournament=Watched(ID, view=shown, cursor="r1.m1"))
    for paint in (paint_bracket, paint_places, paint_games):
        rows = paint(state, width, height)
        assert len(rows) <= max(height, 0)
        if width >= 12:  # a frame's edge needs as many
            assert all(row.cell_len <= width for row in rows)
        assert not any("\x1b" in row.plain for row in rows)


@pytest.mark.parametrize(
    "change", [{"rounds": 10**7}, {"rounds": -1}, {"seats": 10**6}, {"total": 2**60}]
)
def test_what_no_tournament_has_is_refused(change: dict[str, int]) -> None:
    body = msgspec.to_builtins(played(4, scored=1))
    assert msgspec.convert(body, TournamentView) == played(4, scored=1)
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(body | change, TournamentView)


def _early(entrants: int, format_: FormatName) -> TournamentView:
    return played(entrants, scored=1, format_=format_)


async def painted(state: State, size: tuple[int, int]) -> str:
    app = WatchApp(clock=lambda: 0, state=state)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.repaint()
        await pilot.pause()
        return "\n".join(row.rstrip() for row in dump(app).splitlines()) + "\n"


SCREENS = {
    "tournament": lambda: played(8, scored=11),
    "tournament-over": lambda: played(6, scored=None),
    "tournament-round-robin": lambda: played(5, scored=17, format_="round-robin"),
}


@pytest.mark.parametrize("size", [(120, 34), (80, 24)], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", SCREENS)
async def test_screen(name: str, size: tuple[int, int]) -> None:
    lobby = Snapshot("lobby", "e", 0, LobbyView(live=[], recent=[], queues=[]))
    screen = await painted(after(lobby, OpenTournament(ID), snapshot(SCREENS[name]())), size)
    path = FOLDER / f"{name}-{size[0]}x{size[1]}.txt"
    if os.environ.get("AGON_TEST_UPDATE_SNAPSHOTS"):
        path.write_text(screen, encoding="utf-8")
    assert screen == path.read_text(encoding="utf-8")
