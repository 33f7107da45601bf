"""The director: chooses what to watch when nobody does. Pure.

It takes the newest live session, rap battles first; stays to the end, and for the verdict while
the judges are at it; leaves the result standing long enough to read; then takes the next.
"""

from __future__ import annotations

from server.protocol import SessionCard
from tui_client.observed import RAP_BATTLE, step_state, undecided
from tui_client.spectated import Spectated
from tui_client.state import Input, State, opened, reduce, replace

RESULT_MS = 6_000
"""How long a result that the rules decided stays on the screen."""
VERDICT_MS = 14_000
"""How long a verdict stays: it has words to read."""
JUDGES_MS = 45_000
"""How long the director waits for the judges of one session."""
JOIN_MS = 5_000
"""How long a session may take to answer the subscribe before another is tried."""
MAX_SEEN = 200


def step(state: State, happened: Input) -> State:
    """The state after something happened, the director's choice included."""
    return direct(reduce(state, happened))


def direct(state: State) -> State:
    """What to watch now. Changes nothing unless following is on and the moment has come."""
    if not state.follow or not _may_leave(state.spectated, state.now_ms):
        return state
    seen = state.seen
    if state.spectated is not None:
        seen = (*seen, state.spectated.session)[-MAX_SEEN:]
    choice = _choice(state, seen)
    if choice is None:
        return state
    return replace(opened(state, choice.session), seen=seen)


def _choice(state: State, seen: tuple[str, ...]) -> SessionCard | None:
    live = state.lobby.live if state.lobby else []
    fresh = [card for card in live if card.status == "live" and card.session not in seen]
    return max(fresh, key=lambda card: (card.space == RAP_BATTLE, card.opened_ms), default=None)


def _may_leave(spectated: Spectated | None, now_ms: int) -> bool:
    if spectated is None or spectated.trouble:
        return True
    view = spectated.view
    if view is None:
        return now_ms - spectated.since_ms >= JOIN_MS
    if spectated.ended_ms is None:
        return False
    since_end = now_ms - spectated.ended_ms
    if spectated.decided_ms is not None:
        return now_ms - spectated.decided_ms >= VERDICT_MS
    if undecided(view) and step_state(view, "judged") != "failed":
        return since_end >= JUDGES_MS
    return since_end >= RESULT_MS
