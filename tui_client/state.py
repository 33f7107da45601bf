"""What the spectator knows, and the one pure function that changes it.

`reduce(state, input)` folds everything that happens to the client: the arena's messages, the
connection's ups and downs, the clock, and the keys. It never fails, whatever arrives. What the client
wants to follow is derived (`wanted`), so that the connection only has to compare.
"""

from __future__ import annotations

import enum
from typing import assert_never

import msgspec

from server.protocol import (
    Accepted,
    BoardView,
    Error,
    Goodbye,
    LobbyView,
    Pong,
    Position,
    Rejected,
    ServerMessage,
    SessionCard,
    Snapshot,
    Ticket,
    Update,
    Watching,
    Welcome,
    Writing,
)
from tui_client import docket as dockets
from tui_client import tournament as tournaments
from tui_client.docket import Docket
from tui_client.observed import reads_from_top
from tui_client.owner import desk as desks
from tui_client.owner.calls import Answered, Refused
from tui_client.owner.desk import Desk, DeskInput, OpenDesk, Pasted, Pressed, Resized
from tui_client.owner.logins import SignedIn, SignedOut
from tui_client.place import Place
from tui_client.proof import proof as proofs
from tui_client.proof.proof import Copied, Proof, ProofInput, Prove, Proved, Proving
from tui_client.spectated import Spectated, with_snapshot, with_update, with_writing
from tui_client.tournament import Watched

LOBBY = "lobby"
SPACES = ("rap-battle", "bid-tac-toe")
"""Spaces whose leaderboards are offered before the lobby has named any."""
MAX_SPACES = 24
PASSING = frozenset({"rate-limited", "unavailable", "busy"})
"""Codes of errors that pass: the same request works later."""


class Link(enum.Enum):
    """The connection, as the header shows it."""

    CONNECTING = "connecting"
    """Never been connected yet."""
    LIVE = "live"
    RECONNECTING = "reconnecting"
    """Was connected; what is on the screen may be old by a moment."""
    CLOSED = "closed"
    """The arena told us not to come back."""


class Connected(msgspec.Struct, frozen=True):
    """A gateway has welcomed us; every wanted channel is asked for anew, from its place."""


class Disconnected(msgspec.Struct, frozen=True):
    reason: str = ""
    final: bool = False


class Tick(msgspec.Struct, frozen=True):
    """The clock, unix milliseconds on this machine. Sent before each message and when clocks show."""

    now_ms: int


class Open(msgspec.Struct, frozen=True):
    """Watch one session; a person's choice, so it ends following."""

    session: str


class OpenTournament(msgspec.Struct, frozen=True):
    """Watch one tournament; a person's choice, so it ends following."""

    tournament: str


class Back(msgspec.Struct, frozen=True):
    """From a proof to what lies under it; from a session to its tournament, if one is open, else to the lobby."""


class ToggleFollow(msgspec.Struct, frozen=True):
    """Let the director choose what to watch, or stop it."""


class Move(msgspec.Struct, frozen=True):
    """Move the lobby's cursor, or scroll verses back."""

    by: int


class Turn(msgspec.Struct, frozen=True):
    """Bring the next seat to the front, where a view has room for one at a time."""

    by: int = 1


class ToggleCourt(msgspec.Struct, frozen=True):
    """Show the court over the open session, or take it away; without one, the page of the court."""


class OpenJudge(msgspec.Struct, frozen=True):
    """Show one judge over the page of the court."""

    judge: str


class NextSpace(msgspec.Struct, frozen=True):
    """Show the leaderboard of the next Space."""

    by: int = 1


Input = (
    ServerMessage
    | Connected
    | Disconnected
    | Tick
    | Open
    | OpenTournament
    | Back
    | ToggleFollow
    | Move
    | Turn
    | ToggleCourt
    | OpenJudge
    | NextSpace
    | DeskInput
    | ProofInput
)


class State(msgspec.Struct, frozen=True):
    link: Link = Link.CONNECTING
    closed_because: str = ""
    now_ms: int = 0
    skew_ms: int = 0
    """The arena's clock less ours."""
    lobby_place: Place = Place()
    lobby: LobbyView | None = None
    board_place: Place = Place()
    board: BoardView | None = None
    board_space: str = SPACES[0]
    spectated: Spectated | None = None
    arena: str = ""
    """The URL of its HTTP API, as it was given to us."""
    desk: Desk = Desk()
    """The owner's pages; a session that is watched lies over them."""
    tournament: Watched | None = None
    """The open tournament; a session that is watched lies over it."""
    proof: Proof | None = None
    """The open proof of a session; it lies over everything else."""
    proofs: int = 0
    """How many were begun."""
    docket: Docket | None = None
    """The page of the court; a session that is watched lies over it."""
    court: int | None = None
    """Rows that the court over the open session is scrolled down; None: it is not shown."""
    cursor: str | None = None
    """The lobby's selected session."""
    scroll: int = 0
    """Rows scrolled away from where reading starts: the newest verse, the first line of a text."""
    front: int | None = None
    """The seat that was brought to the front; None: all of them share the place."""
    follow: bool = False
    seen: tuple[str, ...] = ()
    """Sessions the director has shown to their end, or could not, oldest first."""
    left: tuple[str, ...] = ()
    """Sessions that went on when the director left them, longest ago first."""

    @property
    def arena_ms(self) -> int:
        """The arena's clock now: deadlines are given on it."""
        return self.now_ms + self.skew_ms

    def cards(self) -> list[SessionCard]:
        """The lobby's rows in the order they are shown: live, then recent."""
        return [*self.lobby.live, *self.lobby.recent] if self.lobby else []

    def spaces(self) -> list[str]:
        """The Spaces whose leaderboards can be looked at."""
        found = dict.fromkeys(SPACES)
        if self.lobby is not None:
            found |= dict.fromkeys(queue.space for queue in self.lobby.queues)
            found |= dict.fromkeys(card.space for card in self.cards())
        return list(found)[:MAX_SPACES]


class Want(msgspec.Struct, frozen=True):
    """A channel to follow. When `asks` grows, it has to be subscribed to again."""

    since: Position | None
    asks: int


def wanted(state: State) -> dict[str, Want]:
    """The channels that the client wants to follow, with its place on each."""
    places = {LOBBY: state.lobby_place, board_channel(state): state.board_place}
    if state.tournament is not None and not state.tournament.trouble:
        places[tournaments.channel(state.tournament.tournament)] = state.tournament.place
    if state.docket is not None:
        places[dockets.CHANNEL] = state.docket.place
    if state.spectated is not None and not state.spectated.trouble:
        places[session_channel(state.spectated.session)] = state.spectated.place
    return {channel: Want(place.position, place.asks) for channel, place in places.items()}


def board_channel(state: State) -> str:
    return f"leaderboard:{state.board_space}"


def session_channel(session: str) -> str:
    return f"session:{session}"


def reduce(state: State, happened: Input) -> State:
    """The state after something happened."""
    match happened:
        case Tick():
            watched = state.tournament
            if watched is not None:
                watched = tournaments.patient(watched, happened.now_ms)
            return replace(state, now_ms=happened.now_ms, tournament=watched)
        case Connected():
            return replace(state, link=Link.LIVE, closed_because="")
        case Disconnected():
            return _disconnected(state, happened)
        case Welcome() | Pong():
            return replace(state, skew_ms=happened.server_ms - state.now_ms)
        case Snapshot() | Update():
            return _followed(state, happened)
        case Writing() | Watching():
            return _ephemeral(state, happened)
        case Error():
            return _refused(state, happened)
        case Open():
            return replace(opened(state, happened.session), follow=False)
        case OpenTournament():
            watched = Watched(happened.tournament)
            return replace(state, tournament=watched, spectated=None, follow=False, scroll=0)
        case Back() if state.proof is not None:
            return replace(state, proof=None)
        case Back() if state.court is not None:
            return replace(state, court=None)
        case Back() if state.docket is not None and state.spectated is None:
            closed = dockets.replace(state.docket, judge=None) if state.docket.judge else None
            return replace(state, docket=closed)
        case Back():
            under = state.spectated is not None or state.desk.open
            tournament = state.tournament if under else None
            return replace(state, spectated=None, tournament=tournament, follow=False, scroll=0)
        case ToggleFollow():
            return replace(state, follow=not state.follow)
        case Move():
            return _moved(state, happened.by)
        case Turn():
            return _turned(state, happened.by)
        case ToggleCourt():
            return _toggled_court(state)
        case OpenJudge():
            docket = state.docket or Docket()
            return replace(state, docket=dockets.opened(docket, happened.judge))
        case NextSpace():
            return _next_space(state, happened.by)
        case OpenDesk():
            state = replace(state, spectated=None, proof=None, docket=None, follow=False, scroll=0)
            return _at_desk(state, happened)
        case Answered() | Refused() if dockets.asked(happened.call):
            if state.docket is None:
                return state
            docket = dockets.after(state.docket, happened, state.now_ms)
            return replace(state, docket=docket)
        case Pressed() | Pasted() | Resized() | Answered() | Refused() | SignedIn() | SignedOut():
            return _at_desk(state, happened)
        case Prove():
            run = state.proofs + 1
            return replace(state, proof=proofs.opened(happened, run), proofs=run)
        case Proving() | Proved() | Copied():
            if state.proof is None:
                return state
            return replace(state, proof=proofs.after(state.proof, happened))
        case Goodbye() | Accepted() | Rejected() | Ticket():
            return state  # the close code that follows a goodbye says it all; the rest is for bots
        case _:
            assert_never(happened)


replace = msgspec.structs.replace


def opened(state: State, session: str) -> State:
    """The state that watches `session`, from nothing unless it is watched already."""
    if state.spectated is not None and state.spectated.session == session:
        return state
    return replace(
        state,
        spectated=Spectated(session, since_ms=state.now_ms),
        cursor=session,
        scroll=0,
        front=None,
        court=None,
    )


def chosen_session(state: State) -> str | None:
    """The session that is watched, or else the one that the cursor is on."""
    if state.spectated is not None:
        return state.spectated.session
    if state.docket is not None:
        return dockets.chosen_session(state.docket)
    return state.cursor if state.tournament is None else state.tournament.cursor


def at_desk(state: State) -> bool:
    """Whether the owner's pages are in sight."""
    return state.desk.open and state.spectated is None and state.proof is None


def _at_desk(state: State, happened: DeskInput) -> State:
    desk, session = desks.reduce(state.desk, happened, state.now_ms)
    state = replace(state, desk=desk)
    return replace(opened(state, session), follow=False) if session else state


def _disconnected(state: State, lost: Disconnected) -> State:
    if lost.final:
        return replace(state, link=Link.CLOSED, closed_because=lost.reason)
    link = Link.CONNECTING if state.link is Link.CONNECTING else Link.RECONNECTING
    return replace(state, link=link)


def _followed(state: State, message: Snapshot | Update) -> State:
    spectated = state.spectated
    if message.channel == LOBBY:
        place, view = _placed(state.lobby_place, message)
        lobby = view if isinstance(view, LobbyView) else state.lobby
        return _with_cursor(replace(state, lobby_place=place, lobby=lobby))
    if message.channel == board_channel(state):
        place, view = _placed(state.board_place, message)
        board = view if isinstance(view, BoardView) else state.board
        return replace(state, board_place=place, board=board)
    if spectated is not None and message.channel == session_channel(spectated.session):
        if isinstance(message, Snapshot):
            return replace(state, spectated=with_snapshot(spectated, message, state.now_ms))
        return replace(state, spectated=with_update(spectated, message, state.now_ms))
    if state.docket is not None and message.channel == dockets.CHANNEL:
        return replace(state, docket=dockets.with_message(state.docket, message))
    watched = state.tournament
    if watched is not None and message.channel == tournaments.channel(watched.tournament):
        return replace(state, tournament=tournaments.with_message(watched, message))
    return state  # a channel that we have just left


def _placed(place: Place, message: Snapshot | Update) -> tuple[Place, object]:
    """The place and the view (or None) of a channel whose view says all."""
    if isinstance(message, Snapshot):
        return place.at_snapshot(message), message.view
    if place.fresh(message) is None:
        return place.after_gap(message), None
    stale = place.position is not None and message.offset < place.position.offset
    return place.after(message), None if stale else message.view


def _ephemeral(state: State, message: Writing | Watching) -> State:
    spectated = state.spectated
    if spectated is None or message.channel != session_channel(spectated.session):
        return state
    if isinstance(message, Watching):
        return replace(state, spectated=replace(spectated, watching=message.count))
    return replace(state, spectated=with_writing(spectated, message, state.now_ms))


def _refused(state: State, error: Error) -> State:
    """A session that cannot be watched is said; what only has to wait is the connection's business."""
    spectated = state.spectated
    if error.retry_after_ms or error.code in PASSING:
        return state
    watched = state.tournament
    if watched is not None and error.ref == tournaments.channel(watched.tournament):
        watched = tournaments.refused(watched, error.reason or error.code, state.now_ms)
        return replace(state, tournament=watched)
    if spectated is None or error.ref not in (
        session_channel(spectated.session),
        spectated.session,
    ):
        return state
    trouble = error.reason or error.code
    if error.code == "unknown-channel":  # most of them are sessions whose live log has lapsed
        trouble += f"; if it was played, `agon transcript {spectated.session}` has it"
    return replace(state, spectated=replace(spectated, trouble=trouble))


def _with_cursor(state: State) -> State:
    ids = [card.session for card in state.cards()]
    if state.cursor in ids:
        return state
    return replace(state, cursor=ids[0] if ids else None)


def _moved(state: State, by: int) -> State:
    if state.proof is not None:
        return replace(state, proof=proofs.moved(state.proof, by))
    if state.court is not None:
        return replace(state, court=max(0, state.court + by))
    if state.spectated is not None:
        away = by if reads_from_top(state.spectated.view) else -by
        return replace(state, scroll=max(0, state.scroll + away))
    if state.docket is not None:
        return replace(state, docket=dockets.moved(state.docket, by))
    if state.tournament is not None:
        return replace(state, tournament=tournaments.moved(state.tournament, by))
    ids = [card.session for card in state.cards()]
    if not ids:
        return state
    at = ids.index(state.cursor) if state.cursor in ids else 0
    return replace(state, cursor=ids[min(len(ids) - 1, max(0, at + by))])


def _toggled_court(state: State) -> State:
    if state.spectated is None:
        return replace(state, docket=Docket() if state.docket is None else None, follow=False)
    view = state.spectated.view
    if state.court is not None or view is None or view.court is None:
        return replace(state, court=None)
    return replace(state, court=0)


def _turned(state: State, by: int) -> State:
    """All seats together count as one more place in the round."""
    view = state.spectated.view if state.spectated else None
    if view is None or not reads_from_top(view):
        return state
    places = len(view.seats) + 1
    at = 0 if state.front is None else state.front + 1
    at = (at + by) % places
    return replace(state, front=at - 1 if at else None, scroll=0)


def _next_space(state: State, by: int) -> State:
    spaces = state.spaces()
    at = spaces.index(state.board_space) if state.board_space in spaces else 0
    space = spaces[(at + by) % len(spaces)]
    return replace(state, board_space=space, board_place=Place(), board=None)
