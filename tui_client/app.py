"""The Textual spectator: one state, folded by pure functions, painted at most 20 times a second."""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.timer import Timer

from tui_client import docket as dockets
from tui_client.connection import Connection, WatchError
from tui_client.director import step
from tui_client.owner import desk as desks
from tui_client.owner import logins
from tui_client.owner.calls import Call
from tui_client.owner.clerk import Clerk
from tui_client.owner.desk import OpenDesk, Pasted, Pressed, Resized
from tui_client.owner.logins import Login, SignedIn, SignedOut
from tui_client.proof import proof as proofs
from tui_client.proof.finding import Prover
from tui_client.proof.proof import Copied, Prove
from tui_client.proof.proving import Proofs
from tui_client.space_views import VIEWS, view_of
from tui_client.start import need_terminal, say, wait_for_arena
from tui_client.state import (
    Back,
    Input,
    Move,
    NextSpace,
    Open,
    OpenJudge,
    OpenTournament,
    State,
    Tick,
    ToggleCourt,
    ToggleFollow,
    Turn,
    at_desk,
    chosen_session,
    opened,
    reduce,
    wanted,
)
from tui_client.widgets.bracket.view import tournament_panes
from tui_client.widgets.court.docket import docket_panes
from tui_client.widgets.court.judge import JudgePane
from tui_client.widgets.court.view import court_panes
from tui_client.widgets.desk.views import desk_panes
from tui_client.widgets.footer import Footer
from tui_client.widgets.header import Header
from tui_client.widgets.help import HelpScreen
from tui_client.widgets.lobby.live import LivePane, RecentPane
from tui_client.widgets.lobby.queues import QueuesPane
from tui_client.widgets.lobby.standings import StandingsPane
from tui_client.widgets.pane import Pane
from tui_client.widgets.proof.view import proof_panes
from tui_client.widgets.session.plain import PlainPane
from tui_client.widgets.session.ticker import TickerPane
from tui_client.widgets.session.title import TitlePane

__all__ = ["WatchApp", "WatchError", "build", "run_watch", "watch"]

PAINT_S = 0.05
"""The least time between two paintings: 20 a second."""
CLOCK_S = 0.1
"""How often time passes while a clock is in sight."""
IDLE_CLOCK_S = 1.0
"""How often it passes otherwise: ages in the lobby are in seconds."""
SCROLL_ROWS = 3


class WatchApp(App[None]):
    """The spectator's screen. Without `connect` it shows only what is dispatched to it."""

    CSS_PATH = "app.tcss"
    TITLE = "agon"
    ENABLE_COMMAND_PALETTE = False
    # Textual declares these two as instance variables, so they cannot be ClassVars here.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (96, "-medium"), (110, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "quit"),
        Binding("escape", "lobby", "lobby"),
        Binding("enter", "open", "watch"),
        Binding("f", "follow", "follow"),
        Binding("v", "prove", "proof"),
        Binding("c", "court", "court"),
        Binding("r", "again", "check again"),
        *(Binding(str(key), f"copy({key})", "copy", show=False) for key in range(1, 10)),
        Binding("a", "desk", "your agents"),
        Binding("up,k", "move(-1)", "up"),
        Binding("down,j", "move(1)", "down"),
        Binding("left", "turn(-1)", "seat before"),
        Binding("right", "turn(1)", "next seat"),
        Binding("pageup", "move(-10)", "page up"),
        Binding("pagedown", "move(10)", "page down"),
        Binding("tab", "next_space(1)", "board", priority=True),
        Binding("shift+tab", "next_space(-1)", "board", priority=True),
        Binding("question_mark", "help", "help"),
    ]

    def __init__(self, *, clock: Callable[[], int], state: State | None = None) -> None:
        super().__init__()
        self.state = state if state is not None else State()
        """What is known; changed by `dispatch` alone."""
        self.failure: WatchError | None = None
        """Why watching was given up, when it was."""
        self._clock = clock
        self._connection: Connection | None = None
        self._clerk: Clerk | None = None
        self._proofs: Proofs | None = None
        self._calls: frozenset[str] = frozenset()
        self._painting: Timer | None = None
        self._shown: str | None = None

    def attach(
        self, connection: Connection, clerk: Clerk | None = None, proofs: Proofs | None = None
    ) -> None:
        """Run these for as long as the app runs. Call before the app starts."""
        self._connection = connection
        self._clerk = clerk
        self._proofs = proofs

    def compose(self) -> ComposeResult:
        yield Header()
        with Vertical(id="body"):
            with Horizontal(id="lobby", classes="view"):
                with Vertical(id="sessions"):
                    yield LivePane()
                    yield RecentPane()
                with Vertical(id="aside"):
                    yield StandingsPane()
                    yield QueuesPane()
            with Vertical(id="session", classes="view"):
                yield TitlePane()
                for view in VIEWS:
                    yield view.panes()
                yield PlainPane(classes="view", id="plain")
                yield TickerPane()
            yield tournament_panes()
            yield desk_panes()
            yield court_panes()
            yield docket_panes()
            yield JudgePane(id="judge", classes="view")
            yield proof_panes()
        yield Footer()

    def on_mount(self) -> None:
        self.dispatch_clock()
        self.repaint()
        self.set_timer(CLOCK_S, self._tick)
        if self._connection is not None:
            self.run_worker(self._connect(self._connection), name="connection")
        if self._clerk is not None:
            self.run_worker(self._clerk.run(), name="clerk")

    async def _connect(self, connection: Connection) -> None:
        try:
            await connection.run()
        except WatchError as error:
            self.failure = error
            self.exit(return_code=1)

    def _tick(self) -> None:
        self.dispatch_clock()
        self.set_timer(CLOCK_S if self._clock_in_sight() else IDLE_CLOCK_S, self._tick)

    def _clock_in_sight(self) -> bool:
        spectated = self.state.spectated
        if self.state.proof is not None:
            return not self.state.proof.ended
        if at_desk(self.state):
            return desks.busy(self.state.desk, self.state.now_ms)
        if spectated is None or spectated.view is None:
            return self.state.follow
        return spectated.view.status == "live"

    def dispatch_clock(self) -> None:
        """Let time pass."""
        self._fold(Tick(self._clock()))

    def dispatch(self, happened: Input) -> None:
        """Fold what happened, at the time it happened, and paint soon."""
        self._fold(Tick(self._clock()))
        self._fold(happened)

    def _fold(self, happened: Input) -> None:
        before = wanted(self.state)
        self.state = step(self.state, happened)
        if self._connection is not None and wanted(self.state).keys() != before.keys():
            self._connection.changed()
        self._tell_clerk()
        if self._proofs is not None:
            self._proofs.changed()
        if self._painting is None and self.is_running:
            self._painting = self.set_timer(PAINT_S, self.repaint)

    def _tell_clerk(self) -> None:
        desk = self.state.desk
        calls = frozenset(call.id for call in _asked(self.state))
        if calls != self._calls or (desk.open and desk.who is None):
            self._calls = calls
            if self._clerk is not None:
                self._clerk.changed()

    def repaint(self) -> None:
        """Paint the state now."""
        self._painting = None
        if not self.screen_stack:
            return  # a timer that was due when the app went down
        self._switch(self._view_of(self.state))
        for pane in self.screen_stack[0].query(Pane):
            pane.show(self.state)

    @staticmethod
    def _view_of(state: State) -> str:
        if state.proof is not None:
            return "proof"
        if state.spectated is None:
            page = state.desk.page
            if page is not None:
                return page.view if isinstance(state.desk.who, SignedIn) else "sign-in"
            if state.docket is not None:
                return "docket" if state.docket.judge is None else "judge"
            return "lobby" if state.tournament is None else "tournament"
        if state.court is not None:
            return "court"
        view = view_of(state.spectated.view)
        return "plain" if view is None else view.space

    def _switch(self, name: str) -> None:
        if name == self._shown:
            return
        self._shown = name
        for view in self.screen_stack[0].query(".view"):
            view.set_class(view.id == name, "-shown")
        # A view within another is in sight when both are.
        for view in self.screen_stack[0].query(".view.-shown"):
            for around in view.ancestors:
                around.set_class(around.has_class("view"), "-shown")

    def on_key(self, event: events.Key) -> None:
        """At the desk the keys are the page's, but for `?` and `q` where no text is written."""
        if not self._desk_has_keys():
            return
        if event.key == "ctrl+c":
            return
        if not self.state.desk.typing and event.key in ("question_mark", "q"):
            return
        if event.key == "f1":
            self.action_help()
        elif event.key == "v" and (session := desks.in_hand(self.state.desk, self.state.now_ms)):
            self._prove(session)
        elif copy := desks.copied(self.state.desk, event.key, self.state.now_ms):
            self.copy_to_clipboard(copy.text)
            self.dispatch(Pressed(event.key, event.key))
        else:
            self.dispatch(Pressed(event.key, event.character if event.is_printable else None))
        event.stop()
        event.prevent_default()

    def on_paste(self, event: events.Paste) -> None:
        if self._desk_has_keys():
            self.dispatch(Pasted(event.text))

    def on_resize(self, event: events.Resize) -> None:
        self.dispatch(Resized(event.size.width))

    def _desk_has_keys(self) -> bool:
        return at_desk(self.state) and len(self.screen_stack) == 1

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Tab turns the boards before any widget hears of it, but at the desk it is the page's."""
        return action != "next_space" or not self._desk_has_keys()

    def action_desk(self) -> None:
        self.dispatch(OpenDesk())

    def action_lobby(self) -> None:
        self.dispatch(Back())

    def action_open(self) -> None:
        if self.state.spectated is None and self.state.proof is None:
            docket = self.state.docket
            judge = dockets.chosen_judge(docket) if docket is not None else None
            if judge is not None:
                self.dispatch(OpenJudge(judge))
                return
            chosen = chosen_session(self.state)
            if chosen is not None:
                self.dispatch(Open(chosen))

    def action_prove(self) -> None:
        session = chosen_session(self.state)
        if session is not None and self.state.proof is None:
            self._prove(session)

    def action_again(self) -> None:
        if self.state.proof is not None and proofs.again(self.state.proof):
            self._prove(self.state.proof.session)

    def _prove(self, session: str) -> None:
        if self._proofs is None:
            self.dispatch(Prove(session, f"agon verify {session}", able=False))
            return
        prover = self._proofs.prover
        self.dispatch(Prove(session, prover.by_hand(session), tuple(prover.against)))

    def action_copy(self, key: int) -> None:
        proof, spectated = self.state.proof, self.state.spectated
        if proof is None:
            return
        found = proofs.names(proof, spectated.view if spectated is not None else None)
        if key <= len(found):
            self.copy_to_clipboard(found[key - 1].text)
            self.dispatch(Copied(found[key - 1].what))

    def action_follow(self) -> None:
        self.dispatch(ToggleFollow())

    def action_court(self) -> None:
        self.dispatch(ToggleCourt())

    def action_move(self, by: int) -> None:
        self.dispatch(Move(by))

    def action_turn(self, by: int) -> None:
        self.dispatch(Turn(by))

    def action_next_space(self, by: int) -> None:
        self.dispatch(NextSpace(by))

    def action_help(self) -> None:
        self.push_screen(HelpScreen(owner=at_desk(self.state)))


def _asked(state: State) -> list[Call]:
    """The HTTP calls that are to be made now."""
    owner = desks.wanted(state.desk, state.now_ms)
    return [*owner, *dockets.wanted(state.docket, state.now_ms)]


def unix_ms() -> int:
    """This machine's clock, unix milliseconds; the arena's is told apart by its skew."""
    return time.time_ns() // 1_000_000


def build(
    api_url: str,
    *,
    session: str | None = None,
    tournament: str | None = None,
    follow: bool = False,
    key: str | None = None,
    clock: Callable[[], int],
    rng: random.Random,
    login: Callable[[], Login | SignedOut] | None = None,
    prover: Prover | None = None,
) -> WatchApp:
    """The spectator of one arena, ready to run. `login` tells who is signed in: None reads what
    `agon login` has kept. `prover` is the verifier behind the key `v`."""
    state = State(now_ms=clock(), follow=follow and session is None, arena=api_url)
    if tournament is not None:
        state = reduce(state, OpenTournament(tournament))
    if session is not None:
        state = opened(state, session)
    app = WatchApp(clock=clock, state=state)
    app.attach(
        Connection(
            api_url=api_url,
            key=key,
            dispatch=app.dispatch,
            wanted=lambda: wanted(app.state),
            rng=rng,
        ),
        Clerk(
            api_url=api_url,
            dispatch=app.dispatch,
            wanted=lambda: _asked(app.state),
            at_desk=lambda: app.state.desk.open,
            login=login or (lambda: logins.find(api_url, clock())),
            nonce=f"watch-{rng.getrandbits(64):016x}",
        ),
        None
        if prover is None
        else Proofs(prover, dispatch=app.dispatch, wanted=lambda: proofs.wanted(app.state.proof)),
    )
    return app


async def watch(
    api_url: str,
    session: str | None = None,
    follow: bool = False,
    key: str | None = None,
    tournament: str | None = None,
    prover: Prover | None = None,
) -> None:
    """Watch until the user quits. Raises WatchError when the arena never answered."""
    # Before the screen is taken: the commonest mistakes deserve a plain line.
    await wait_for_arena(api_url, say)
    app = build(
        api_url,
        session=session,
        tournament=tournament,
        follow=follow,
        key=key,
        clock=unix_ms,
        rng=random.Random(),  # noqa: S311 - jitter, not a secret
        prover=prover,
    )
    await app.run_async()
    if app.failure is not None:
        raise app.failure


def run_watch(
    api_url: str,
    session: str | None = None,
    follow: bool = False,
    tournament: str | None = None,
    prover: Prover | None = None,
) -> None:
    """`agon watch`: the spectator on this terminal, until `q`.

    `session` or `tournament` opens one at once; `follow` lets the director choose, which a person's first
    choice ends. `prover` is the verifier behind the key `v`. Raises WatchError, whose message is for people, when there is no terminal or the
    arena never answered.
    """
    need_terminal(sys.__stdin__, sys.__stdout__, sys.__stderr__)  # Textual reads and draws on these
    asyncio.run(watch(api_url, session, follow, tournament=tournament, prover=prover))
