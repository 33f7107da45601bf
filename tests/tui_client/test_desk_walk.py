"""The owner's screens under Pilot, by keyboard alone, against a scripted arena over real HTTP and a websocket."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable

import pytest
from textual import events
from textual.pilot import Pilot

from server.protocol import Snapshot
from tests.tui_client.screen import dump
from tests.tui_client.scripted_arena import ScriptedArena
from tests.tui_client.scripted_desk import Refusal, ScriptedDesk
from tui_client import recording
from tui_client.app import WatchApp, build
from tui_client.director import step
from tui_client.owner.logins import Login, SignedOut
from tui_client.recording import desk as recorded
from tui_client.recording import learning

SIZE = (120, 34)


@pytest.fixture
async def desk() -> AsyncIterator[ScriptedDesk]:
    async with ScriptedArena() as arena, ScriptedDesk(arena) as scripted:
        for message in [*recording.lobby_start(), *recording.rap_start()]:
            if isinstance(message, Snapshot):
                arena.open(message)
        yield scripted


def opened(desk: ScriptedDesk) -> WatchApp:
    return build(desk.url, clock=lambda: recording.START_MS, rng=random.Random(3), login=desk.login)


async def seen(pilot: Pilot[None], *words: str) -> str:
    return await until(pilot, lambda screen: all(word in screen for word in words))


async def until(pilot: Pilot[None], fits: Callable[[str], bool]) -> str:
    try:
        async with asyncio.timeout(20):
            while not fits(screen := dump(pilot.app)):
                await pilot.pause(0.02)
    except TimeoutError:
        pytest.fail(f"not seen on\n{screen}")
    return screen


async def test_an_agent_is_made_automated_and_watched(desk: ScriptedDesk) -> None:
    now = recording.START_MS
    app = build(desk.url, clock=lambda: now, rng=random.Random(3), login=desk.login)
    async with app.run_test(size=SIZE) as pilot:
        await seen(pilot, "LIVE", "Frostbite vs Ember")
        await pilot.press("a")
        await seen(pilot, "You have no agent yet")
        await pilot.press("n")
        await seen(pilot, "NEW AGENT", "rap battle")
        await pilot.press(*recorded.written("Quilla"))
        await pilot.press("down", "down", "down", "space", "down", "down")
        await pilot.press(*recorded.written("Rhyme, and quit nothing?"))
        await seen(pilot, "Rhyme, and quit nothing?", "24/2000", "Quilla")
        await pilot.press("ctrl+s")
        await seen(pilot, "YOUR AGENTS", "Quilla is made", "Quilla v1")
        made = desk.agents["agent-1"]
        assert (made["name"], made["spec"]["prompt"]) == ("Quilla", "Rhyme, and quit nothing?")
        assert made["spec"]["spaces"] == ["rap-battle"]

        await pilot.press("p")
        await seen(pilot, "AUTOMATION   Quilla", "It can lose at most 10.00 play in a run")
        await seen(pilot, "entry  1.00 play", "1st    1.90")
        await pilot.press("down", "space", "down", "backspace", "backspace", "5", "ctrl+o")
        await seen(pilot, "on: it plays by itself", "● on", "at most 5.00 play in a run")
        assert desk.automations["agent-1"]["limits"]["max_sessions"] == 5
        assert [asked.method for asked in desk.orders()] == ["POST", "PUT", "POST"]
        assert len({asked.key for asked in desk.orders()}) == 3

        seats = [{"seat": 0, "agent": "agent-1", "name": "Quilla"}, {"seat": 1, "name": "Ember"}]
        battle = {"session": recording.RAP, "space": "rap-battle", "seats": seats}
        desk.playing["agent-1"] = [battle]
        await pilot.press("escape")
        now += 15_000
        await seen(pilot, "● on", "▶ rap battle vs Ember")
        await pilot.press("enter")
        await seen(pilot, "RAP BATTLE", "FROSTBITE", "winter on the block")
        await pilot.press("escape")
        await seen(pilot, "YOUR AGENTS", "Quilla v1")

        await pilot.press("d")
        await seen(
            pilot, "DASHBOARD   Quilla   rap battle", "67-3-52", "RETURN %", "win 1/2", "● v1"
        )
        await pilot.press("down", "enter")
        await seen(pilot, "01KPLAYED")
        await pilot.press("escape", "tab", "enter")
        await seen(pilot, "version 1 alone")
        await pilot.press("c", "down", "enter")
        await seen(pilot, "SIDE BY SIDE", "Frostbite", "Ember", "22 sessions in which both sat")
        await pilot.press("escape", "escape", "escape")
        await seen(pilot, "LIVE", "RESULTS")


@pytest.mark.parametrize("size", [(80, 24), (120, 34)])
async def test_help_is_whole_on_a_usual_screen(desk: ScriptedDesk, size: tuple[int, int]) -> None:
    app = opened(desk)
    async with app.run_test(size=size) as pilot:
        await pilot.press("a")
        await seen(pilot, "You have no agent yet")
        await pilot.press("question_mark")
        screen = await seen(pilot, "HELP", "ctrl+g", "and happens once.", "╰")
        assert "more on a higher screen" not in screen
        await pilot.press("q")
        await seen(pilot, "You have no agent yet")
        await pilot.press("n")
        await seen(pilot, "rap battle")
        await pilot.press("?", "f1")
        await seen(pilot, "HELP")
        await pilot.press("escape")
        await seen(pilot, "▸ name         ?")


async def test_a_training_is_allowed_watched_and_taken_back(desk: ScriptedDesk) -> None:
    frost = "agent-frostbite"
    desk.agents[frost] = {"agent": frost, "name": "Frost", "number": 3, "spec": {}}
    desk.versions = (5, 4, 3, 2, 1)
    app = opened(desk)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a")
        await seen(pilot, "Frost v3")
        await pilot.press("t")
        await seen(
            pilot, "TRAINING   Frost v3", "… gating", "v5 against v3", "▶ 2 live", "38 of 250 pairs"
        )
        await pilot.press("w")
        await seen(pilot, "01KPLAYED00000000000000777")
        await pilot.press("escape", "w")
        await seen(pilot, "RAP BATTLE", "FROSTBITE", "winter on the block")
        await pilot.press("escape")
        await seen(pilot, "TRAINING   Frost v3")

        await pilot.press("down")
        await seen(pilot, "▸ writing", "12 of 40 scored sessions")
        await pilot.press("o")
        await seen(pilot, "on: a training begins by itself")
        assert desk.orders()[-1].body == {"space": "writing", "on": True}
        await pilot.press("b", *["backspace"] * 4, *"2h30m")
        await seen(pilot, "▸ budget", "2h30m")
        await pilot.press("enter")
        await seen(pilot, "the budget is set", "of 2h30m this week")
        assert desk.orders()[-1].body == {"space": "writing", "budget_s": 9_000}

        await pilot.press("tab", "r")
        await seen(pilot, "r again: Frost plays as v2 again", "r yes, do it")
        assert desk.orders()[-1].method == "PUT"
        await pilot.press("r")
        await seen(pilot, "v2 plays again", "↶ v3", "rolled back")
        assert desk.orders()[-1].body == {"version": "agent-frostbite@v3"}


async def test_a_training_that_may_not_begin_says_why(desk: ScriptedDesk) -> None:
    desk.agents["a"] = {"agent": "a", "name": "Frost", "number": 3, "spec": {}}
    why = "12 of 40 scored sessions"
    desk.refusals.append(Refusal("POST", "/training/start", 409, "not-eligible", why))
    app = opened(desk)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a")
        await seen(pilot, "Frost v3")
        await pilot.press("t")
        await seen(pilot, "… gating")
        await pilot.press("down", "s")
        await seen(pilot, f"starting it: {why}")
        await pilot.press("s")
        await seen(pilot, "the training is queued", "waits for a trainer")
        await pilot.press("x")
        await seen(pilot, "x again cancels it")
        await pilot.press("j")
        assert "x again" not in await seen(pilot, "waits for a trainer")
        await pilot.press("x", "x")
        await seen(pilot, "the training is being cancelled", "its owner cancelled it")


async def test_content_ids_of_a_training_are_copied(desk: ScriptedDesk) -> None:
    desk.agents["a"] = {"agent": "a", "name": "Frost", "number": 3, "spec": {}}
    app = opened(desk)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a")
        await seen(pilot, "Frost v3")
        await pilot.press("t")
        await seen(pilot, "3 adapter")
        await pilot.press("3")
        await seen(pilot, "adapter copied: bafkrei")
        assert app.clipboard == learning.GATED.adapter


async def test_money_is_moved(desk: ScriptedDesk) -> None:
    desk.agents["a"] = {"agent": "a", "name": "Frost", "number": 1, "spec": {}}
    desk.balances = [{"holder": "owner", "asset": "usdc", "available_micros": 3_000_000}]
    app = opened(desk)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a")
        await seen(pilot, "Frost v1")
        await pilot.press("m")
        await seen(pilot, "PURSES", "3.00 USDC")
        await pilot.press("f", *"5", "enter")
        await seen(pilot, "there is not so much available")
        await pilot.press("backspace", *"1.25", "enter")
        await seen(pilot, "1.25 USDC moved", "1.75 USDC", "1.25 USDC")
        await pilot.press("i", *"20", "enter")
        await seen(pilot, "20.00 USDC is on its way from your wallet", "+20.00")
        assert [asked.body for asked in desk.orders()][1:] == [
            {"source": "owner", "to": "a", "micros": 1_250_000, "asset": "usdc"},
            {"micros": 20_000_000},
        ]


def test_a_wallet_s_money_is_moved_by_the_wallet_alone() -> None:
    """Where it is on a chain the keys say the commands, and nothing is ordered."""
    state = recorded.at_desk("m", known=recorded.on_chain(recorded.ESCROW))
    for key, command in (("i", "deposit"), ("w", "withdraw"), ("l", "limits")):
        after = step(state, recorded.pressed(key))
        assert after.desk.notice is not None
        assert f"agon wallet {command}" in after.desk.notice.words
        assert after.desk.order is None
        assert not after.desk.typing


async def test_the_chosen_session_of_a_dashboard_is_proven() -> None:
    app = WatchApp(clock=lambda: recording.START_MS, state=recorded.at_desk("d", "down"))
    async with app.run_test(size=SIZE) as pilot:
        await seen(pilot, "SESSIONS", "v proof")
        await pilot.press("v")
        await seen(pilot, "PROOF", "agon verify", "opened without a verifier")
        await pilot.press("escape")
        await seen(pilot, "DASHBOARD", "▸")
        assert app.state.proof is None


async def test_an_archived_agent_comes_back(desk: ScriptedDesk) -> None:
    desk.agents["a"] = {"agent": "a", "name": "Frost", "number": 1, "spec": {}}
    app = opened(desk)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a")
        await seen(pilot, "Frost v1")
        await pilot.press("x")
        await seen(pilot, "x again archives Frost")
        assert not desk.orders()
        await pilot.press("x")
        await seen(pilot, "archived", "x bring back")
        await pilot.press("x")
        await seen(pilot, "x archive")
        assert [asked.path for asked in desk.orders()] == [
            "/v1/agents/a/archive",
            "/v1/agents/a/restore",
        ]


async def test_a_bot_s_key_is_shown_once(desk: ScriptedDesk) -> None:
    app = opened(desk)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a", "n")
        await seen(pilot, "rap battle")
        await pilot.press(*"Bot", "down", "down", "right", "ctrl+s")
        await seen(pilot, "ITS KEY", "agon_scripted_key", "It is shown this once")
        await pilot.press("escape")
        screen = await seen(pilot, "Bot v1")
        assert "agon_scripted_key" not in screen
        assert not any("agon_scripted_key" in repr(each) for each in app.state.desk.pages)


async def test_a_new_agent_is_in_hand(desk: ScriptedDesk) -> None:
    for agent in ("a", "b"):
        desk.agents[agent] = {"agent": agent, "name": f"Old {agent}", "number": 1, "spec": {}}
    app = opened(desk)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a")
        await seen(pilot, "▸ Old a", "Old b")
        await pilot.press("down")
        await seen(pilot, "▸ Old b")
        await pilot.press("n")
        await seen(pilot, "rap battle")
        await pilot.press(*"New", "ctrl+s")
        await seen(pilot, "New is made", "▸ New v1")


async def test_a_prompt_is_pasted(desk: ScriptedDesk) -> None:
    app = opened(desk)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a", "n")
        await seen(pilot, "rap battle")
        await pilot.press(*"Bot", *["down"] * 5)
        app.post_message(events.Paste("One line,\r\nand another."))
        await seen(pilot, "One line,", "and another.", "22/2000")
        await pilot.press("ctrl+s")
        await seen(pilot, "Bot is made")
        assert desk.agents["agent-1"]["spec"]["prompt"] == "One line,\nand another."


async def test_the_helper_s_prompt_is_taken_or_not(desk: ScriptedDesk) -> None:
    desk.agents["a"] = {"agent": "a", "name": "Frost", "number": 3, "revision": 7, "spec": {"prompt": "Rhyme."}}  # fmt: skip
    app = opened(desk)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a")
        await seen(pilot, "Frost v3")
        await pilot.press("e")
        await seen(pilot, "EDIT   Frost", "Rhyme.")
        await pilot.press("ctrl+g", *recorded.written("be bold"))
        await seen(pilot, "THE HELPER", "wish", "be bold")
        await pilot.press("enter")
        await seen(
            pilot, "THE HELPER'S PROMPT", "- Rhyme.", "+ You are Frostbite", "keep to the topic"
        )
        assert desk.orders()[-1].body == {
            "prompt": "Rhyme.",
            "space": "rap-battle",
            "wish": "be bold",
        }
        await pilot.press("n")
        await seen(pilot, "nothing is changed")
        await pilot.press("ctrl+g", "enter")
        await seen(pilot, "THE HELPER'S PROMPT")
        await pilot.press("enter")
        await seen(pilot, "a change of what plays becomes a new version")
        await pilot.press("ctrl+s")
        await seen(pilot, "Frost is saved: version 4 plays now")
        assert desk.agents["a"]["spec"]["prompt"] == recorded.IMPROVED


async def test_a_helper_that_is_away_says_so_at_once(desk: ScriptedDesk) -> None:
    away = "this arena's API has no model to ask"
    desk.refusals.append(
        Refusal("POST", "/improve", 503, "model-away", away, {"Retry-After": "15"})
    )
    app = opened(desk)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a")
        await seen(pilot, "You have no agent yet")
        await pilot.press("n")
        await seen(pilot, "rap battle")
        await pilot.press("ctrl+g", "enter")
        await seen(pilot, f"the helper writes: {away}")
        assert app.state.desk.order is None


async def test_what_the_server_does_not_take_is_said_at_the_field(desk: ScriptedDesk) -> None:
    desk.refusals.append(Refusal("POST", "/v1/agents", 409, "name-taken", "you have an agent named 'Frost'; choose another name"))  # fmt: skip
    app = opened(desk)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a")
        await seen(pilot, "You have no agent yet")
        await pilot.press("n")
        await seen(pilot, "rap battle")
        await pilot.press("ctrl+s")
        await seen(pilot, "an agent needs a name")
        await pilot.press(*"Frost", "down", "ctrl+s")
        screen = await seen(pilot, "you have an agent named 'Frost'")
        rows = screen.splitlines()
        at = next(n for n, row in enumerate(rows) if "▸ name" in row)
        assert "you have an agent named" in rows[at + 1]
        await pilot.press("y", "ctrl+s")
        await seen(pilot, "Frosty is made")


async def test_whoever_was_faster_is_not_overwritten(desk: ScriptedDesk) -> None:
    desk.agents["a"] = {"agent": "a", "name": "Frost", "number": 1, "revision": 1, "spec": {"prompt": "Rhyme."}}  # fmt: skip
    app = opened(desk)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a")
        await seen(pilot, "Frost v1")
        await pilot.press("e")
        await seen(pilot, "Rhyme.")
        await pilot.press("down", *"mine")
        desk.agents["a"] |= {"about": "theirs", "revision": 2}
        await pilot.press("ctrl+s")
        await seen(pilot, "it was changed meanwhile: ctrl+r")
        assert desk.agents["a"]["about"] == "theirs"
        await pilot.press("ctrl+r")
        await seen(pilot, "theirs", "nothing is changed")
        await pilot.press("down", "end", "!", "ctrl+s")
        await seen(pilot, "Frost is saved: still version 1")
        assert desk.agents["a"]["about"] == "theirs!"


async def test_unsaved_words_are_not_lost_by_one_key(desk: ScriptedDesk) -> None:
    app = opened(desk)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a", "n")
        await seen(pilot, "rap battle")
        await pilot.press(*"Frost", "escape")
        await seen(pilot, "not saved: esc again leaves it", "Frost")
        await pilot.press("escape")
        await seen(pilot, "You have no agent yet")


async def test_who_is_not_signed_in_is_told_what_to_type(desk: ScriptedDesk) -> None:
    desk.signed_in = False
    app = opened(desk)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a")
        await seen(pilot, "SIGN IN", f"agon login --url {desk.url}", "Watching needs no login")
        desk.signed_in = True
        await seen(pilot, "You have no agent yet")
        await pilot.press("escape")
        await seen(pilot, "LIVE")


async def test_a_login_that_the_arena_forgot_asks_to_log_in_again(desk: ScriptedDesk) -> None:
    app = opened(desk)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a", "n")
        await seen(pilot, "rap battle")
        await pilot.press(*"Frost")
        desk.refusals.append(Refusal("POST", "/v1/agents", 401, "unauthorized", "unknown login"))
        await pilot.press("ctrl+s")
        await seen(pilot, "SIGN IN", "does not know your login any more")
        assert not desk.agents


async def test_a_late_refusal_of_an_old_login_signs_nobody_out(desk: ScriptedDesk) -> None:
    now = recording.START_MS
    app = build(desk.url, clock=lambda: now, rng=random.Random(3), login=desk.login)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a")
        await seen(pilot, "You have no agent yet")
        desk.token = "agon_login_newer"
        await pilot.press("n")
        await seen(pilot, "NEW AGENT", "the login has changed, again in 1s")
        now += 1_000
        await seen(pilot, "rap battle")
        await pilot.press(*"Frost", "ctrl+s")
        await seen(pilot, "Frost is made")


async def test_who_only_watches_is_not_asked_who_he_is(desk: ScriptedDesk) -> None:
    asked = 0

    def login() -> Login | SignedOut:
        nonlocal asked
        asked += 1
        return desk.login()

    app = build(desk.url, clock=lambda: recording.START_MS, rng=random.Random(3), login=login)
    async with app.run_test(size=SIZE) as pilot:
        await seen(pilot, "LIVE", "Frostbite vs Ember")
        assert asked == 0
        await pilot.press("a")
        await seen(pilot, "You have no agent yet")
        assert asked > 0


async def test_too_many_requests_wait_and_happen_once(desk: ScriptedDesk) -> None:
    now = recording.START_MS
    desk.refusals.append(Refusal("POST", "/v1/agents", 429, "too-many", "slow down", {"Retry-After": "7"}))  # fmt: skip
    app = build(desk.url, clock=lambda: now, rng=random.Random(3), login=desk.login)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a", "n")
        await seen(pilot, "rap battle")
        await pilot.press(*"Frost", "ctrl+s")
        await seen(pilot, "saving: too many requests, again in 7s")
        now += 7_000
        await seen(pilot, "Frost is made")
        first, second = desk.orders()
        assert first.key == second.key != ""


async def test_a_slow_arena_blocks_no_painting(desk: ScriptedDesk) -> None:
    desk.hold = asyncio.Event()
    app = opened(desk)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a")
        await seen(pilot, "YOUR AGENTS", "asking")
        await pilot.press("question_mark")
        await seen(pilot, "HELP", "ctrl+g")
        await pilot.press("x", "escape")
        await seen(pilot, "LIVE", "Frostbite vs Ember")
        await pilot.press("a")
        desk.hold.set()
        await seen(pilot, "You have no agent yet")


async def test_resizing_repaints_everything(desk: ScriptedDesk) -> None:
    desk.agents["a"] = {"agent": "a", "name": "Frost", "number": 1, "spec": {}}
    desk.automations["a"] = {"state": "off"}
    app = opened(desk)
    async with app.run_test(size=SIZE) as pilot:
        await pilot.press("a")
        await seen(pilot, "Frost v1")
        for keys in ((), ("n",), ("e",), ("p",), ("m",), ("d",), ("t",), ("d", "c", "enter")):
            await pilot.press(*keys)
            for width, height in [(30, 10), (200, 50), SIZE]:
                await pilot.resize_terminal(width, height)
                await pilot.pause()
                assert [len(row) for row in dump(app).splitlines()] == [width] * height
            await pilot.press(*["escape"] * len([key for key in keys if key != "enter"]))
            await seen(pilot, "Frost v1")
