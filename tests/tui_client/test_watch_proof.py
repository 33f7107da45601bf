"""The proof of a session: its model, its painters, and the screen under Pilot with a verifier that is told what to find."""

from __future__ import annotations

import random
import threading
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from textual.pilot import Pilot

from server.protocol import Snapshot, Step
from tests.tui_client.painted import assert_fills, words_on
from tests.tui_client.scripted_arena import ScriptedArena
from tests.tui_client.test_watch_app import seen, until
from tui_client import recording
from tui_client.app import WatchApp, build
from tui_client.owner.desk import OpenDesk
from tui_client.proof import proof as proofs
from tui_client.proof.finding import Finding, Name, Standing, Tell, Told, Unproven
from tui_client.proof.proof import Copied, Prove, Proved, Proving
from tui_client.recording import proving
from tui_client.screenshot import folded
from tui_client.state import Back, Input, Move, State, ToggleFollow
from tui_client.widgets.footer import paint_footer
from tui_client.widgets.proof.findings import paint_findings
from tui_client.widgets.proof.names import paint_names
from tui_client.widgets.session.steps import paint_steps

SIZE = (120, 34)
TRUE, FALSE, UNCHECKED = Standing.TRUE, Standing.FALSE, Standing.UNCHECKED
ASKED = proving.ALONE


class Verifier:
    """Finds what it is told to; may stop in the middle until it is let on."""

    def __init__(self, *told: Told, fails: Exception | None = None, stops_at: int = -1) -> None:
        self.told = told
        self.fails = fails
        self.stops_at = stops_at
        self.go_on = threading.Event()
        self.asked: list[str] = []
        self.left = threading.Event()

    @property
    def against(self) -> Sequence[str]:
        return ("this arena alone, http://here",)

    def by_hand(self, session: str) -> str:
        return f"agon verify {session}"

    def prove(self, session: str, tell: Tell) -> None:
        self.asked.append(session)
        try:
            for at, each in enumerate(self.told):
                if at == self.stops_at:
                    assert self.go_on.wait(8)
                tell(each)
            if self.fails is not None:
                raise self.fails
        finally:
            self.left.set()


# ---------------------------------------------------------------------- what is known


def test_what_was_not_checked_at_first_and_is_then_keeps_its_place() -> None:
    state = folded(proving.found(ASKED, *proving.PLAYED, *proving.CAME, *proving.ON_CHAIN))
    assert state.proof is not None
    found = [each.what for each in state.proof.findings]
    assert found.index("signature") == 3
    assert found[-3:] == ["root", "pay-outs", "escrow"]
    assert [each.what for each in state.proof.of(UNCHECKED)] == ["ratings"]


def test_a_lie_is_never_taken_back() -> None:
    lie, later = Finding("ranks", FALSE, "no"), Finding("ranks", TRUE, "yes")
    state = folded(proving.found(ASKED, lie, later))
    assert state.proof is not None
    assert state.proof.of(FALSE) == [lie]
    assert "FALSE  ranks" in words_on(paint_findings(state, 80, 10))


def test_what_comes_late_of_an_earlier_run_changes_nothing() -> None:
    again = folded([ASKED, Proved(1), ASKED])
    late: list[Input] = [Proving(1, Finding("ranks", TRUE, "of the first")), Proved(1, "late")]
    assert folded([ASKED, Proved(1), ASKED, *late]).proof == again.proof
    assert proofs.wanted(again.proof) is again.proof


def test_findings_and_names_are_bounded() -> None:
    many = [Finding(f"fact {at}", TRUE, "yes") for at in range(1_000)]
    named = [Name(f"name {at}", "x") for at in range(100)]
    state = folded(proving.found(ASKED, *many, *named))
    assert state.proof is not None
    assert len(state.proof.findings) == proofs.MAX_FINDINGS
    assert len(proofs.names(state.proof, None)) == proofs.MAX_NAMES


def test_names_are_what_the_verifier_computed_and_what_the_steps_say_beside_it() -> None:
    view = proving.board_paid(proving.anchored_steps()).view
    [proof] = [folded(proving.found(ASKED, Name("transcript", proving.CID))).proof]
    assert proof is not None
    found = {each.what: each.text for each in proofs.names(proof, view)}  # type: ignore[arg-type]
    assert found == {
        "session": recording.BOARD,
        "transcript": proving.CID,
        "opened": proving.OPENED,
        "anchored": proving.ANCHORED,
        "epoch": "7",
        "by hand": ASKED.by_hand,
    }
    # A pin that is not what the bytes hash to is a name of its own.
    other = [Step("pinned", "done", "bafkother")]
    found = {
        each.what: each.text
        for each in proofs.names(proof, proving.board_paid(other).view)  # type: ignore[arg-type]
    }
    assert found["content id"] == "bafkother"


def test_following_waits_while_a_proof_is_read() -> None:
    state = folded([*recording.lobby_start(), ToggleFollow(), ASKED])
    assert state.spectated is not None
    watched = state.spectated.session
    later = folded([*recording.lobby_start(), ToggleFollow(), ASKED], recording.START_MS + 900_000)
    assert later.spectated is not None
    assert later.spectated.session == watched
    assert later.follow


def test_back_leaves_the_proof_for_what_lies_under_it() -> None:
    assert folded([*proving.found(ASKED), Back()]).proof is None
    assert folded([*proving.found(ASKED), OpenDesk()]).proof is None


def test_scrolling_moves_the_findings_and_not_the_session_under_them() -> None:
    told = [Finding(f"fact {at}", TRUE, "yes") for at in range(20)]
    state = folded([*proving.found(ASKED, *told), Move(3)])
    assert "fact 3" in paint_findings(state, 60, 10)[1].plain
    assert state.scroll == 0
    far = folded([*proving.found(ASKED, *told), Move(1_000)])
    assert "fact 19" in paint_findings(far, 60, 10)[-2].plain


# ---------------------------------------------------------------------- painted

NASTY = "\x1b[2J[bold red]\u202eboo\u0301\u0302\u0303\u0304[/]\x07\n" * 40


@pytest.mark.parametrize("width", [30, 56, 80, 200])
def test_hostile_words_stay_in_their_frame(width: int) -> None:
    told = [Finding(NASTY, each, NASTY) for each in Standing] + [Name(NASTY, NASTY)]
    asked = Prove(NASTY, NASTY, (NASTY, NASTY))
    state = folded([asked, *(Proving(1, each) for each in told), Proved(1, NASTY), Copied(NASTY)])
    assert_fills(paint_findings(state, width, 20), width, 20)
    for roomy in (True, False):
        rows = paint_names(state, width, roomy=roomy)
        assert_fills(rows, width, len(rows))


@pytest.mark.parametrize(
    ("room", "shown"),
    [
        (130, "proof: opened ✓ (entries in escrow)  sealed ✓  settled ✓  pinned ✓  rated ✓  anchored ✓ epoch 7 "),
        (90, "proof: opened ✓  sealed ✓  settled ✓  pinned ✓  rated ✓  anchored ✓ epoch 7 "),
        (72, "proof: opened ✓ sealed ✓ settled ✓ pinned ✓ rated ✓ anchored ✓ epoch 7 "),
        (56, "proof: 6 of 6 ✓ epoch 7 "),
        (10, ""),
    ],
)  # fmt: skip
def test_the_steps_say_as_much_as_there_is_room_for(room: int, shown: str) -> None:
    assert paint_steps(proving.anchored_steps(), room).plain == shown


def test_a_step_that_failed_keeps_its_name_where_there_is_no_room() -> None:
    steps = [*proving.anchored_steps(anchored=False), Step("voided", "failed")]
    assert paint_steps(steps, 50).plain == "proof: 5 of 7 ✓  anchored ·  voided ✗ "
    assert paint_steps(steps, 30).plain == "proof: 5 of 7 ✓  voided ✗ "


def test_refunded_entries_are_said() -> None:
    steps = [Step("anchored", "done", f"refunded, tx {proving.ANCHORED}")]
    assert paint_steps(steps, 80).plain == "proof: anchored ✓ refunded "


def test_a_footer_without_room_says_how_many_keys_it_leaves_out() -> None:
    state = folded(recording.lobby_start())
    assert paint_footer(state, 120).plain.rstrip().endswith("? help   q quit")
    narrow = paint_footer(state, 60).plain
    assert "↑↓ choose   enter watch" in narrow
    assert narrow.rstrip().endswith("? +5 more   q quit")


# ---------------------------------------------------------------------- under Pilot


@pytest.fixture
async def arena() -> AsyncIterator[ScriptedArena]:
    async with ScriptedArena() as arena:
        over = proving.board_paid(proving.anchored_steps())
        for message in [*recording.lobby_start(), *recording.rap_start(), over]:
            if isinstance(message, Snapshot):
                arena.open(message)
        arena.server_ms = recording.START_MS
        yield arena


def watching(
    arena: ScriptedArena, verifier: Verifier | None, session: str | None = recording.BOARD
) -> WatchApp:
    return build(
        arena.url,
        session=session,
        clock=lambda: recording.START_MS,
        rng=random.Random(3),
        prover=verifier,
    )


async def done(pilot: Pilot[None], fits: Callable[[State], bool]) -> None:
    app = pilot.app
    assert isinstance(app, WatchApp)
    await until(pilot, lambda _: fits(app.state))


async def test_findings_come_line_by_line_and_nothing_else_waits_for_them(
    arena: ScriptedArena,
) -> None:
    verifier = Verifier(*proving.PLAYED, *proving.LIES, stops_at=5)
    app = watching(arena, verifier)
    async with app.run_test(size=SIZE) as pilot:
        await seen(pilot, "proof: opened ✓", "anchored ✓ epoch 7")
        await pilot.press("v")
        await seen(pilot, "CHECKING", "✓ transcript", "this arena alone, http://here")
        await pilot.press("question_mark")  # the verifier blocks its thread, not the screen
        await seen(pilot, "HELP")
        await pilot.press("x")
        verifier.go_on.set()
        await seen(pilot, "FALSE  ranks, money", "✗ ranks", "? epoch")
        assert verifier.asked == [recording.BOARD]
        await pilot.press("r")
        await until(pilot, lambda _: len(verifier.asked) == 2)
        await pilot.press("escape")
        await seen(pilot, "BID TAC TOE")


async def test_names_are_copied_by_their_keys(arena: ScriptedArena) -> None:
    app = watching(arena, Verifier(*proving.PLAYED))
    async with app.run_test(size=SIZE) as pilot:
        await seen(pilot, "anchored ✓")
        await pilot.press("v")
        await seen(pilot, "2 transcript", "5 opened", "7 by hand")
        await pilot.press("2")
        await seen(pilot, "copied: transcript")
        assert app.clipboard == proving.CID
        await pilot.press("5")
        await seen(pilot, "copied: opened")
        assert app.clipboard == proving.OPENED
        await pilot.press("9")
        assert app.clipboard == proving.OPENED


async def test_a_proof_is_opened_from_the_lobby_and_who_leaves_it_stops_it(
    arena: ScriptedArena,
) -> None:
    verifier = Verifier(*proving.PLAYED, stops_at=4)
    app = watching(arena, verifier, session=None)
    async with app.run_test(size=SIZE) as pilot:
        await seen(pilot, "Frostbite vs Ember")
        await pilot.press("down", "v")
        await seen(pilot, "PROOF", recording.BOARD, "content id")
        await pilot.press("escape")
        await seen(pilot, "LIVE", "RESULTS")
        verifier.go_on.set()
        assert verifier.left.wait(8)
        await pilot.press("up", "v")  # another one is begun when the first has let go
        await done(pilot, lambda state: state.proof is not None and state.proof.ended)
        assert verifier.asked == [recording.BOARD, recording.RAP]


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        (
            Unproven("no arena at http://here: start one with `agon serve`"),
            "no arena at http://here",
        ),
        (RuntimeError("a bug"), "the verifier failed: RuntimeError: a bug"),
    ],
)
async def test_a_verifier_that_fails_is_said(
    arena: ScriptedArena, fails: Exception, said: str
) -> None:
    app = watching(arena, Verifier(fails=fails))
    async with app.run_test(size=SIZE) as pilot:
        await seen(pilot, "anchored ✓")
        await pilot.press("v")
        await seen(pilot, "NOTHING WAS CHECKED", said, "r check again")


async def test_without_a_verifier_the_screen_says_how_to_check_by_hand(
    arena: ScriptedArena,
) -> None:
    app = watching(arena, None)
    async with app.run_test(size=(80, 24)) as pilot:
        await seen(pilot, "6 of 6 ✓ epoch 7")
        await pilot.press("v")
        await seen(pilot, "opened without a verifier", "by hand")
        await pilot.press("6")
        assert app.clipboard == f"agon verify {recording.BOARD}"


async def test_a_verifier_that_hangs_does_not_keep_anybody_from_quitting(
    arena: ScriptedArena,
) -> None:
    verifier = Verifier(*proving.PLAYED, stops_at=0)
    app = watching(arena, verifier)
    async with app.run_test(size=SIZE) as pilot:
        await seen(pilot, "anchored ✓")
        await pilot.press("v")
        await seen(pilot, "CHECKING")
        await pilot.press("q")
    assert not app.is_running
    verifier.go_on.set()  # and what it tells a screen that has gone harms nobody
    assert verifier.left.wait(8)
