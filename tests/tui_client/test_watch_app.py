"""The app under Pilot, against a scripted arena on a real websocket."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable

import msgspec
import pytest
from rich.cells import cell_len
from textual.pilot import Pilot

from server.protocol import CloseCode, Event, SeatCard, Snapshot, Update
from tests.tui_client.screen import dump
from tests.tui_client.scripted_arena import ScriptedArena
from tui_client import recording
from tui_client.app import WatchApp, build, run_watch
from tui_client.connection import WatchError
from tui_client.state import Link
from tui_client.widgets.help import HelpScreen
from tui_client.words import waiting_dots

SIZE = (120, 34)


@pytest.fixture
async def arena() -> AsyncIterator[ScriptedArena]:
    async with ScriptedArena() as arena:
        starts = [*recording.lobby_start(), *recording.rap_start(), *recording.board_start()]
        for message in starts:
            if isinstance(message, Snapshot):
                arena.open(message)
        arena.server_ms = recording.START_MS
        yield arena


def watching(arena: ScriptedArena, *, follow: bool = False, session: str | None = None) -> WatchApp:
    return build(
        arena.url,
        session=session,
        follow=follow,
        clock=lambda: recording.START_MS,
        rng=random.Random(3),
    )


async def seen(pilot: Pilot[None], *words: str) -> str:
    """Wait until all words are on the screen; the screen."""
    return await until(pilot, lambda screen: all(word in screen for word in words))


async def until(pilot: Pilot[None], fits: Callable[[str], bool]) -> str:
    async with asyncio.timeout(8):
        while not fits(screen := dump(pilot.app)):
            await pilot.pause(0.02)
    return screen


async def test_the_lobby_opens_and_a_session_is_opened_from_it(arena: ScriptedArena) -> None:
    app = watching(arena)
    async with app.run_test(size=SIZE) as pilot:
        await seen(
            pilot, "LIVE", "Frostbite vs Ember", "live 12", "watching 340", "BOARD rap battle"
        )
        await pilot.press("down", "enter")
        await seen(pilot, "BID TAC TOE", "MONEY", "Solver", "AUCTION 1")
        await pilot.press("escape")
        await seen(pilot, "LIVE", "RESULTS")
        await pilot.press("up", "enter")
        await seen(pilot, "RAP BATTLE", "FROSTBITE", "EMBER", "winter on the block")


async def test_bars_stream_in_and_the_verse_takes_their_place(arena: ScriptedArena) -> None:
    app = watching(arena, session=recording.RAP)
    async with app.run_test(size=SIZE) as pilot:
        await seen(pilot, "thinking")
        for piece in recording.rap_writing(0, 30):
            await arena.say(piece)
        await seen(pilot, "I freeze the block till the hy▌", "writing")
        await arena.say(recording.rap_verse(0))
        await until(pilot, lambda screen: "blizzard fight." in screen and "▌" not in screen)


async def test_a_reconnect_leaves_no_gap_and_says_so_discreetly(arena: ScriptedArena) -> None:
    app = watching(arena, session=recording.RAP)
    async with app.run_test(size=SIZE) as pilot:
        await seen(pilot, "thinking", "connected")
        await arena.say(recording.rap_verse(0))
        await seen(pilot, "blizzard fight.")
        await arena.shut()
        await seen(pilot, "reconnecting…", "blizzard fight.")
        await arena.listen()
        await arena.say(recording.rap_verse(1))
        await seen(pilot, "● connected", "mopped off the floor.")
        assert app.state.spectated is not None
        told = [note.text for note in app.state.spectated.notes]
        assert told == ["Frostbite's verse is in", "Ember's verse is in"]


async def test_a_match_is_followed_to_its_end_and_then_the_next(arena: ScriptedArena) -> None:
    now = recording.START_MS
    app = build(arena.url, follow=True, clock=lambda: now, rng=random.Random(3))
    async with app.run_test(size=SIZE) as pilot:
        # Marrow and Quill's battle is newer, but the arena does not know it: the next one then.
        await seen(pilot, "RAP BATTLE", "Frostbite", "following")
        for verse in range(5):
            await arena.say(recording.rap_verse(verse))
        for message in recording.rap_ending():
            await arena.say(message)
        await seen(pilot, "EMBER WINS", "7.7 : 8.0", "judged by SmolLM2", "rhyme factor")
        now += 15_000
        await seen(pilot, "BID TAC TOE")


async def test_hostile_words_stay_where_they_belong(arena: ScriptedArena) -> None:
    nasty = "\x1b[2J\x1b[1;1H[bold red]\u202eboo\u0301\u0302\u0303\u0304[/]\x07"
    seats = [SeatCard(0, "a", nasty, "v1"), SeatCard(1, "b", "[@click=app.quit]Eve[/]", "v1")]
    verses = [{"round": 1, "seat": 0, "text": f"{nasty}\n[link=x]two[/link]\r\x9b5A"}]
    state = recording.rap_view(1).state | {"topic": nasty, "verses": verses}
    view = recording.rap_view(1, seats=seats, state=state, headline=nasty)
    arena.open(Snapshot(f"session:{recording.RAP}", "e1", 1, view))
    app = watching(arena, session=recording.RAP)
    async with app.run_test(size=SIZE) as pilot:
        screen = await seen(pilot, "[link=x]two[/link]", "[@CLICK=APP.QUIT]EVE[/]")
        assert "\x1b" not in screen
        assert "\u202e" not in screen
        assert [cell_len(row) for row in screen.splitlines()] == [SIZE[0]] * SIZE[1]
        assert all("│" in row for row in screen.splitlines()[4:20])


async def test_help_covers_and_any_key_closes_it(arena: ScriptedArena) -> None:
    app = watching(arena)
    async with app.run_test(size=SIZE) as pilot:
        await seen(pilot, "LIVE")
        await pilot.press("question_mark")
        await seen(pilot, "HELP", "sealed: it is in")
        await pilot.press("x")
        await until(pilot, lambda screen: "HELP" not in screen)
        assert not isinstance(app.screen, HelpScreen)


async def test_the_board_of_the_next_space(arena: ScriptedArena) -> None:
    app = watching(arena)
    async with app.run_test(size=SIZE) as pilot:
        await seen(pilot, "BOARD rap battle", "Hushpuppy")
        await pilot.press("tab")
        await seen(pilot, "BOARD bid tac toe", "nobody is rated yet")
        await pilot.press("shift+tab")
        await seen(pilot, "BOARD rap battle", "Hushpuppy")


@pytest.mark.parametrize("session", [None, recording.RAP, recording.BOARD])
async def test_resizing_repaints_everything(arena: ScriptedArena, session: str | None) -> None:
    app = watching(arena, session=session)
    async with app.run_test(size=SIZE) as pilot:
        await seen(pilot, "AGON", "connected")
        for width, height in [(80, 24), (200, 50), (30, 10), (80, 24)]:
            await pilot.resize_terminal(width, height)
            await pilot.pause()
            assert [len(row) for row in dump(app).splitlines()] == [width] * height


async def test_an_unknown_session_is_said(arena: ScriptedArena) -> None:
    app = watching(arena, session="01KNOBODYKNOWS")
    async with app.run_test(size=SIZE) as pilot:
        await seen(pilot, "01KNOBODYKNOWS", "no such channel")
        await pilot.press("escape")
        await seen(pilot, "LIVE")


async def test_a_final_close_is_shown_and_stays(arena: ScriptedArena) -> None:
    arena.refuse_code = CloseCode.TOO_MANY_CONNECTIONS
    app = watching(arena)
    async with app.run_test(size=SIZE) as pilot:
        await seen(pilot, "closed: not today")
        assert app.state.link is Link.CLOSED
        assert app.is_running


async def test_a_storm_of_updates_is_painted_at_most_twenty_times_a_second(
    arena: ScriptedArena,
) -> None:
    app = watching(arena)
    painted = 0
    paint = app.repaint

    def counted() -> None:
        nonlocal painted
        painted += 1
        paint()

    async with app.run_test(size=SIZE) as pilot:
        await seen(pilot, "Frostbite vs Ember")
        app.repaint = counted  # type: ignore[method-assign]
        start = asyncio.get_running_loop().time()
        for number in range(300):
            view = msgspec.structs.replace(recording.lobby(), watching=number)
            await arena.say(
                Update("lobby", "e1", 8 + number, [Event(8 + number, 0, "changed")], view)
            )
        await seen(pilot, "watching 299")
        spent = asyncio.get_running_loop().time() - start
    assert painted <= spent * 20 + 3


def test_without_a_terminal_nothing_is_drawn() -> None:
    with pytest.raises(WatchError, match="agon watch needs a terminal"):
        run_watch("http://127.0.0.1:1")


async def test_the_dots_of_a_thinking_seat_walk_with_the_clock(arena: ScriptedArena) -> None:
    now = recording.START_MS
    app = build(arena.url, session=recording.RAP, clock=lambda: now, rng=random.Random(3))
    async with app.run_test(size=SIZE) as pilot:
        await seen(pilot, f"thinking {waiting_dots(now)} ─╮")
        now += 250
        assert waiting_dots(now) != waiting_dots(recording.START_MS)
        await seen(pilot, f"thinking {waiting_dots(now)} ─╮")


async def test_help_is_whole_on_a_usual_screen(arena: ScriptedArena) -> None:
    app = watching(arena)
    for size in ((80, 24), (120, 34)):
        async with app.run_test(size=size) as pilot:
            await pilot.press("question_mark")
            screen = await seen(pilot, "HELP", "resumes where it was.", "╰")
            rows = screen.splitlines()
            top = next(row for row in rows if "╭─ HELP" in row)
            left, right = top.index("╭─ HELP"), top.rindex("╮")
            page = "\n".join(row[left:right] for row in rows)  # the lobby beside it may cut its own
            assert "…" not in page.replace("✓ … ·", "").replace("connecting…", "")
        app = watching(arena)
