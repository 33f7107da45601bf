"""When an agent's next training in a Space may begin, and why not yet. Pure.

The formula, which is shown to owners as it is here: a training needs N scored sessions in its Space since the last one that was
gated. N is 40 for who stands in Bronze, or too shortly to stand surely anywhere, and BONUS less for each league above: 36 in
Silver, 32 in Gold, 28 in Platinum, 24 in Diamond, 20 in Master. Better play is scarcer, and worth learning from sooner.

Beside it: the owner's consent; a budget of device-seconds in any seven days (a training has no price in money today); one job at a
time for an agent and a Space; a rest after a gate that was failed, twice as long after each further one in a row, since the
same sessions with little more would fail it again.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from server.leagues import LEAGUES

SESSIONS = 40
BONUS = 4
"""Sessions less for each league above Bronze."""
DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
REST_MS = DAY_MS
"""After a gate that was failed."""
LONGEST_REST_MS = 7 * DAY_MS
FAILED_REST_MS = 3_600_000
"""After a job that could not be done: whatever stood in its way may stand there still."""
BUDGET_S = 3_600
BUDGET_MAX_S = 7 * 86_400


class Consent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an owner allows for an agent in a Space."""

    on: bool = False
    """Trainings begin by themselves as soon as they may."""
    budget_s: Annotated[int, Meta(ge=60, le=BUDGET_MAX_S)] = BUDGET_S
    """Seconds of a training device (a GPU, or the CPU threads of one slot) that this agent's trainings in this Space may use in any seven
    days. A training that has used them up waits where it is."""


class History(msgspec.Struct, frozen=True, kw_only=True):
    """What has happened so far, as the records have it."""

    scored: int = 0
    """Sessions in the Space that were played to a score since the last gated training, by any version of the agent."""
    league: int = 0
    """0 Bronze … 5 Master; 0 while its place is provisional."""
    job: str | None = None
    """The one that is not over."""
    kept: int = 0
    """Gates failed in a row, up to now."""
    kept_ms: int | None = None
    """When the last of them was, unix ms."""
    failed_ms: int | None = None
    """When the last job failed, unix ms; None when one was gated since."""
    spent: tuple[tuple[int, int], ...] = ()
    """(unix ms at the job's latest progress, device-milliseconds) of the jobs of the last seven days."""
    obstacle: str | None = None
    """Why no training of this agent could be, whatever it plays: it has no weights of ours, or is at rest."""


class Eligibility(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a training may begin now."""

    ready: bool
    reason: str
    """In words: what it waits for, or that it may begin."""
    scored: int
    """Scored sessions since the last gated training."""
    needed: int
    """N by the published formula."""
    next_ms: int | None = None
    """When a rest or the budget ends, unix ms; null where what it waits for has no date."""


def needed(league: int) -> int:
    """N for a league, 0 (Bronze) to 5 (Master)."""
    return SESSIONS - BONUS * max(0, min(league, len(LEAGUES) - 1))


def spent_ms(history: History, now_ms: int) -> int:
    """Device-milliseconds of the last seven days."""
    return sum(used for at_ms, used in history.spent if at_ms > now_ms - WEEK_MS)


def budget_frees_ms(consent: Consent, history: History, now_ms: int) -> int:
    """The first moment at which the last seven days are within the budget again; now, if they are."""
    spent, frees_ms = spent_ms(history, now_ms), now_ms
    for at_ms, used in sorted(history.spent):
        if spent < consent.budget_s * 1_000:
            break
        if at_ms > now_ms - WEEK_MS:
            spent -= used
            frees_ms = at_ms + WEEK_MS
    return frees_ms


def rest_ms(kept: int) -> int:
    """How long to rest after so many failed gates in a row."""
    return min(LONGEST_REST_MS, REST_MS * 2 ** (kept - 1)) if kept else 0


def look(consent: Consent, history: History, now_ms: int, *, by_hand: bool = False) -> Eligibility:
    """`by_hand`: its owner asks for it now, which is consent enough for this one; all else holds."""
    wanted = needed(history.league)

    def said(reason: str, *, ready: bool = False, next_ms: int | None = None) -> Eligibility:
        return Eligibility(
            ready=ready, reason=reason, scored=history.scored, needed=wanted, next_ms=next_ms
        )

    if history.obstacle is not None:
        return said(history.obstacle)
    if history.job is not None:
        return said(f"training {history.job} is under way; one at a time")
    if history.scored < wanted:
        return said(f"{history.scored} of {wanted} scored sessions")
    rested_ms = _rested_ms(history)
    if rested_ms > now_ms:
        return said(_resting(history, rested_ms - now_ms), next_ms=rested_ms)
    freed_ms = budget_frees_ms(consent, history, now_ms)
    if freed_ms > now_ms:
        used = spent_ms(history, now_ms) // 1_000
        words = f"the week's budget is used up: {used:,} of {consent.budget_s:,} device-seconds"
        return said(words, next_ms=freed_ms)
    if not consent.on and not by_hand:
        return said(f"{history.scored} of {wanted} scored sessions; training is off: turn it on")
    return said(f"{history.scored} of {wanted} scored sessions: it may begin", ready=True)


def _rested_ms(history: History) -> int:
    after_gate = 0 if history.kept_ms is None else history.kept_ms + rest_ms(history.kept)
    after_fault = 0 if history.failed_ms is None else history.failed_ms + FAILED_REST_MS
    return max(after_gate, after_fault)


def _resting(history: History, left_ms: int) -> str:
    hours = max(1, -(-left_ms // 3_600_000))
    left = f"{hours} hour{'s' if hours > 1 else ''} left"
    if history.kept_ms is not None and _rested_ms(history) == history.kept_ms + rest_ms(
        history.kept
    ):
        times = "" if history.kept == 1 else f", the {history.kept}. in a row"
        return f"resting after a gate that was failed{times}: {left}"
    return f"resting after a training that could not be done: {left}"
