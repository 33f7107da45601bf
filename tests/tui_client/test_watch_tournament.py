"""The spectator's tournament: what is folded, what is asked for again, and the screens it makes."""

from __future__ import annotations

import os
import random
from pathlib import Path

import msgspec
import pytest

from server.protocol import Error, Event, LobbyView, Snapshot, TournamentView, Update
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
from tui_client.tournament import ASK_AGAIN_MS
from tui_client.widgets.bracket.names import half

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
