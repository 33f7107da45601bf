"""The director: chooses what to watch when nobody does. Pure.

It begins with the newest live session, a rap battle if there is one. A session has its time on the screen, less of it
when nothing stirs there, and is not left in the middle of a verse; then another one is shown, of another Space if
possible, and what still goes on comes round again. What has ended while it was watched stays for the verdict while
the judges are at it, and for as long as a result takes to read. Where there is nothing else, it stays.
"""

from __future__ import annotations

from collections.abc import Sequence

from server.protocol import SessionCard
from tui_client.observed import RAP_BATTLE, step_state, undecided
from tui_client.spectated import Spectated
from tui_client.state import Input, State, opened, reduce, replace

STAY_MS = 40_000
"""How long a session is shown that goes on, while there are others."""
STILL_MS = 15_000
"""How long one is shown in which nothing happens."""
VERSE_MS = 40_000
"""How much longer it may be for a verse that is being written."""
RESULT_MS = 6_000
"""How long a result that the rules decided stays on the screen."""
VERDICT_MS = 14_000
"""How long a verdict stays: it has words to read."""
JUDGES_MS = 30_000
"""How long the director waits for the judges of one session."""
JOIN_MS = 5_000
"""How long a session may take to answer the subscribe before another is tried."""
MAX_KEPT = 200


def step(state: State, happened: Input) -> State:
    """The state after something happened, the director's choice included."""
    return direct(reduce(state, happened))


def direct(state: State) -> State:
    """What to watch now. Changes nothing unless following is on, the moment has come, and nobody reads a
    proof or the court of what is there."""
    if not state.follow or state.proof is not None or state.court is not None:
        return state
    now = state.spectated
    done = now is None or _done(now, state.now_ms)
    if now is not None and not done and not _had_its_time(now, state.now_ms):
        return state
    choice = _choice(state)
    if choice is None:
        return state
    left, seen = _without(state.left, choice.session), state.seen
    if now is not None and done:
        left, seen = _without(left, now.session), (*seen, now.session)[-MAX_KEPT:]
    elif now is not None:
        left = (*_without(left, now.session), now.session)[-MAX_KEPT:]
    return replace(opened(state, choice.session), seen=seen, left=left)


def _choice(state: State) -> SessionCard | None:
    """Another live session: of another Space, a rap battle, one that was not shown yet or not for the longest
    time, the newest; the first of these that tells two apart."""
    spectated = state.spectated
    now = spectated.session if spectated is not None else ""
    space = spectated.view.space if spectated is not None and spectated.view is not None else ""

    def worth(card: SessionCard) -> tuple[bool, bool, int, int]:
        unseen = -state.left.index(card.session) if card.session in state.left else 1
        return card.space != space, card.space == RAP_BATTLE, unseen, card.opened_ms

    live = (card for card in state.cards() if _offered(card, now, state.seen))
    return max(live, key=worth, default=None)


def _offered(card: SessionCard, now: str, seen: Sequence[str]) -> bool:
    return card.status == "live" and card.session != now and card.session not in seen


def _without(sessions: tuple[str, ...], session: str) -> tuple[str, ...]:
    return tuple(each for each in sessions if each != session)


def _done(spectated: Spectated, now_ms: int) -> bool:
    """There is nothing more to see: it has ended and that has been read, or it cannot be watched."""
    if spectated.trouble:
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


def _had_its_time(spectated: Spectated, now_ms: int) -> bool:
    """It goes on, and may be left for another."""
    if spectated.view is None or spectated.ended_ms is not None:
        return False
    if now_ms - max(spectated.since_ms, spectated.stirred_ms) >= STILL_MS:
        return True
    writing = any(spectated.draft_of(draft.seat) for draft in spectated.drafts)
    return now_ms - spectated.since_ms >= STAY_MS + (VERSE_MS if writing else 0)
