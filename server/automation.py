"""What an agent may do by itself: limits, the run that counts against them, a weekly schedule. Pure.

While an automation is on, its limits hold for every entry of its agent, whoever queues it. Turning it on begins a *run*. Its counters
begin at what is open then, whoever entered it, and at nothing else: a limit that could be shed by turning the automation off and on
would be none. An entry is counted when its money is held, before anything is played, and it is admitted only if no
outcome of what is open can break a limit: so races cannot either, as long as each step below is made while the row is locked
(`server.store.automations`).

Reasons are words for the owner: the fact, the number, the limit.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from server.ledger import tiers
from server.ledger.tiers import amount, money, unit
from server.weekly import Schedule

State = Literal["on", "off", "stopped"]

REASON_MAX = 280
"""Characters of a reason, at most."""
SPACES_MAX = 32
SESSIONS_MAX = 100_000
PARALLEL_MAX = 100
MONEY_MAX_MICROS = 1_000_000_000_000
"""A million dollars: no limit of an automation is higher."""

MISSES_MAX = 5
"""Seats not confirmed in a row, after which a run ends: nobody is there to play."""
REST_MS = 10_000
"""After a seat that was not confirmed; twice as long after each further one."""
LONGEST_REST_MS = 300_000


class LimitReached(Exception):
    """An entry could break a limit of its agent's automation; `str()` is the reason for the owner."""


class InvalidLimits(ValueError):
    """Limits that contradict themselves or what is offered; the message says which and what to do."""

    def __init__(self, field: str, words: str) -> None:
        super().__init__(f"{field}: {words}")
        self.field = field


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the owner sets. `check` says what the bounds here cannot."""

    tier_micros: Annotated[int, Meta(ge=0, le=25_000_000)]
    """The fee tier it queues in; entries of a higher tier are refused."""
    spaces: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=64)], ...],
        Meta(min_length=1, max_length=SPACES_MAX),
    ]
    """Where it queues, in rotation; entries elsewhere are refused."""
    max_sessions: Annotated[int, Meta(ge=1, le=SESSIONS_MAX)]
    """Sessions begun in a run, void ones included."""
    max_parallel: Annotated[int, Meta(ge=1, le=PARALLEL_MAX)] = 1
    """Entries open at once: waiting in a queue, in play, or played and not yet settled."""
    stop_loss_micros: Annotated[int, Meta(ge=1, le=MONEY_MAX_MICROS)]
    """What a run may lose at most, all that is open counted as lost."""
    take_profit_micros: Annotated[int, Meta(ge=1, le=MONEY_MAX_MICROS)] | None = None
    """The run ends once it has won this much; null: it does not end for that."""
    schedule: Schedule = Schedule()
    """When entries are made. What is open when it closes is played to its end."""

    @property
    def asset(self) -> str:
        """What its entries are paid in."""
        return tiers.asset_of(self.tier_micros)

    @property
    def entry_micros(self) -> int:
        """What an entry of its tier costs, in micros of `asset`."""
        return tiers.entry_micros(self.tier_micros)


class Run(msgspec.Struct, frozen=True):
    """What has come of one run. Money in micros of `asset`."""

    number: int
    """From 1 on; 0 before the first."""
    asset: str
    begun: int = 0
    """Entries made in it, less those that left their queue again."""
    open: int = 0
    """Entries that are not settled, those included that it found open when it began."""
    at_risk_micros: int = 0
    """What the open ones cost."""
    profit_micros: int = 0
    """Won less paid by those that were settled in it; negative: a loss."""
    missed: int = 0
    """Seats not confirmed since something was last settled."""

    @property
    def lost_micros(self) -> int:
        return max(0, -self.profit_micros)


class Entry(msgspec.Struct, frozen=True):
    """An entry that somebody wants to make now."""

    space: str
    tier_micros: int
    asset: str
    micros: int
    at_ms: int
    """Unix ms."""


class Automation(msgspec.Struct, frozen=True):
    """An agent's automation as it stands."""

    agent: str
    state: State
    limits: Limits
    run: Run
    """The one that is on, or was last."""
    reason: str | None
    """Why it is `stopped`; null in the other states."""
    changed_ms: int
    """When the state or the limits last changed, unix ms."""
    due_ms: int | None = None
    """While it is on: when it tries its next entry, unix ms; None while none can be made."""


def check(limits: Limits) -> None:
    """Raises InvalidLimits where the fields contradict each other or name no fee tier."""
    if limits.tier_micros not in tiers.FEE_TIERS:
        known = tiers.listed(tiers.FEE_TIERS)
        named = amount(limits.tier_micros)
        raise InvalidLimits("tier_micros", f"{named} is no fee tier; there are {known}")
    if len(set(limits.spaces)) < len(limits.spaces):
        twice = next(each for each in limits.spaces if limits.spaces.count(each) > 1)
        raise InvalidLimits("spaces", f"{twice} is named twice; name each once")
    if limits.stop_loss_micros < limits.entry_micros:
        raise InvalidLimits(
            "stop_loss_micros",
            f"{money(limits.stop_loss_micros, limits.asset)} does not cover one entry of"
            f" {amount(limits.entry_micros)}; raise it or choose a lower tier",
        )


def admit(limits: Limits, run: Run, entry: Entry) -> str | None:
    """Why the entry may not be made now; None when it may, whatever comes of all that is open."""
    return (
        _elsewhere(limits, run, entry)
        or _take_profit(limits, run)
        or _sessions(limits, run)
        or _parallel(limits, run)
        or _stop_loss(limits, run, entry.micros)
        or _closed(limits, entry)
    )


def finished(limits: Limits, run: Run) -> str | None:
    """Why no entry of its tier can follow for good, so that the run is over; None when one may.

    To be asked whenever something is settled or released, or the limits change. While entries are open
    only a profit ends a run: one that leaves its queue makes room again.
    """
    if reason := _take_profit(limits, run):
        return reason
    if run.open:
        return None
    return (
        _sessions(limits, run) or _stop_loss(limits, run, limits.entry_micros) or _unattended(run)
    )


def next_entry_ms(limits: Limits, run: Run, now_ms: int) -> int | None:
    """When the run may make its next entry, from `now_ms` (unix) on; None while only a release or a settlement
    can make room for one."""
    if _sessions(limits, run) or _stop_loss(limits, run, limits.entry_micros):
        return None
    if _parallel(limits, run):
        return None
    return limits.schedule.next_opening(now_ms + rest_ms(run.missed))


def waits(automation: Automation, now_ms: int, waiting: Collection[str]) -> str | None:
    """Why an automation that is on makes no entry now, in words; None when it does. `waiting`: the Spaces in whose
    queue of its tier the agent waits already, which takes it once."""
    limits, run = automation.limits, automation.run
    entry = Entry(limits.spaces[0], limits.tier_micros, run.asset, limits.entry_micros, now_ms)
    if reason := admit(limits, run, entry):
        return reason
    rest = (automation.due_ms or 0) - now_ms
    if run.missed and rest > 0:
        return f"did not confirm its seat {run.missed} times in a row: rests for {rest // 1_000} s"
    if next_space(limits, run, waiting) is None:
        return "waits in the queue of each of its Spaces already"
    return None


def next_space(limits: Limits, run: Run, taken: Collection[str]) -> str | None:
    """Where the run enters next: its Spaces in rotation, without those in `taken`. None: all are taken."""
    first = (run.begun + run.missed) % len(limits.spaces)
    rotation = (*limits.spaces[first:], *limits.spaces[:first])
    return next((space for space in rotation if space not in taken), None)


def rest_ms(missed: int) -> int:
    """How long a run leaves an agent alone that has not confirmed `missed` seats in a row."""
    return min(LONGEST_REST_MS, REST_MS * 2 ** (missed - 1)) if missed else 0


def stopped(automation: Automation, reason: str, now_ms: int) -> Automation:
    """After its run has ended for a reason."""
    return msgspec.structs.replace(
        automation, state="stopped", reason=reason[:REASON_MAX], changed_ms=now_ms
    )


def begin(number: int, asset: str, open_micros: Sequence[int]) -> Run:
    """A run that begins while entries of these micros are open: they are at risk in it, and what they come to is its
    profit or loss. It has not begun them."""
    return Run(number, asset, open=len(open_micros), at_risk_micros=sum(open_micros))


def entered(run: Run, micros: int) -> Run:
    """After an entry of `micros` was admitted and is held."""
    return msgspec.structs.replace(
        run, begun=run.begun + 1, open=run.open + 1, at_risk_micros=run.at_risk_micros + micros
    )


def released(run: Run, micros: int, *, missed: bool = False, carried: bool = False) -> Run:
    """After an entry left its queue unplayed: as if it had not been made, but that `missed` seats are
    remembered. `carried`: it was open when the run began."""
    return msgspec.structs.replace(
        run,
        begun=run.begun - (not carried),
        open=run.open - 1,
        at_risk_micros=run.at_risk_micros - micros,
        missed=run.missed + missed,
    )


def settled(run: Run, micros: int, won_micros: int) -> Run:
    """After an entry of `micros` brought `won_micros`, all of it when it was refunded."""
    return msgspec.structs.replace(
        run,
        open=run.open - 1,
        at_risk_micros=run.at_risk_micros - micros,
        profit_micros=run.profit_micros + won_micros - micros,
        missed=0,
    )


def _elsewhere(limits: Limits, run: Run, entry: Entry) -> str | None:
    if entry.tier_micros > limits.tier_micros:
        ceiling = money(limits.tier_micros, "usdc") if limits.tier_micros else "the free tier"
        return f"tier above the ceiling: {money(entry.tier_micros, 'usdc')}, at most {ceiling}"
    if entry.asset != run.asset:
        return (
            f"another asset: the automation counts in {unit(run.asset)},"
            f" the entry is paid in {unit(entry.asset)}"
        )
    if entry.space not in limits.spaces:
        named = f"one of the {len(limits.spaces)}" if len(limits.spaces) > 1 else "the one"
        return f"another Space: {entry.space} is not {named} that the automation plays"
    return None


def _take_profit(limits: Limits, run: Run) -> str | None:
    goal = limits.take_profit_micros
    if goal is None or run.profit_micros < goal:
        return None
    won = amount(run.profit_micros)
    return f"take-profit reached: won {won} of {money(goal, run.asset)}"


def _sessions(limits: Limits, run: Run) -> str | None:
    if run.begun < limits.max_sessions:
        return None
    return f"session limit reached: {run.begun} begun of at most {limits.max_sessions}"


def _stop_loss(limits: Limits, run: Run, micros: int) -> str | None:
    """The worst case: all that is open is lost, and this entry, too."""
    worst = run.at_risk_micros - run.profit_micros
    if worst + micros <= limits.stop_loss_micros:
        return None
    lost, most = amount(run.lost_micros), money(limits.stop_loss_micros, run.asset)
    reason = f"stop-loss reached: lost {lost} of at most {most}"
    if run.at_risk_micros:
        at_risk = amount(run.at_risk_micros)
        reason = f"stop-loss within reach: lost {lost} and {at_risk} at risk of at most {most}"
    if worst < limits.stop_loss_micros:
        reason += f", and an entry costs {amount(micros)}"
    return reason


def _parallel(limits: Limits, run: Run) -> str | None:
    if run.open < limits.max_parallel:
        return None
    return f"parallel limit reached: {run.open} open of at most {limits.max_parallel}"


def _unattended(run: Run) -> str | None:
    if run.missed < MISSES_MAX:
        return None
    return f"did not confirm its seat {run.missed} times in a row: is its bot running?"


def _closed(limits: Limits, entry: Entry) -> str | None:
    if limits.schedule.open_at(entry.at_ms):
        return None
    return f"closed by the schedule until {limits.schedule.words(entry.at_ms)}"
