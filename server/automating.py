"""The automations' loop: queues the agents that play by themselves, and tells their channels of starts and stops.

One process does it at a time, any number may try. The limits are not kept here but where the money is held
(`store.automations.admit`): a loop that is late, twice there or mistaken is refused, and does no harm. What is due stands in the
automations' rows, so a look costs as much as there is to do.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Sequence
from typing import Protocol

import structlog
from redis.asyncio import Redis

from server.automation import Automation, next_space
from server.clock import Clock, unix_ms
from server.entering import TOO_FEW_JUDGES, EntryRefused
from server.escrow_room import AWAITING, DAY, next_day_ms
from server.identity import Identity
from server.live import keys
from server.live.agents import AgentChannels
from server.live.leader import Leadership
from server.live.queue import AlreadyQueued, UnknownTicket
from server.live.records import TicketRecord
from server.metrics import Metrics
from server.protocol import AutomationCard, Ticket
from server.store.due_automations import Due
from spaces import registry

DUTY = "automations"
EVERY_S = 1.0
"""Between two looks, unless there was more to do than one look takes on."""
ENTRIES = 256
"""Automations looked at at once, at most."""
TELLINGS = 256
AT_ONCE = 16
"""Entries made at the same time: a few, since each is a transaction."""
AGAIN_MS = 3_000
"""What could not be entered just now, e.g. since the agent waits everywhere already, is tried again after this long."""
CLAIM_MS = 15_000
"""The same where what was won is to be paid by the next epoch first, a minute or so away, or where judges have to stake more first."""
DAY_MOST_MS = 600_000
"""The same where the day's cap of the owner's wallet is reached, or until the day is over; he may set another one."""
MEND_MS = 30_000
"""The same after a failure of ours."""

_logger = structlog.get_logger()


class Entrance(Protocol):
    """What is used of `server.entering.Entrance`."""

    async def enter(
        self, identity: Identity, space: str, tier_micros: int, *, run: int | None = None
    ) -> TicketRecord: ...
    async def leave(self, ticket: str, agent: str) -> Ticket: ...


class Work(Protocol):
    """What is used of `store.due_automations.DueAutomations`."""

    async def due(self, now_ms: int, limit: int) -> list[Due]: ...
    async def defer(self, agents: Collection[str], seen_ms: int, until_ms: int) -> None: ...
    async def untold(self, limit: int) -> list[Automation]: ...
    async def told(self, automations: Sequence[Automation]) -> None: ...
    async def waiting(self, automation: Automation) -> list[str]: ...


class Stopping(Protocol):
    """What is used of `store.automations.Automations`."""

    async def stop(self, agent: str, run: int, reason: str) -> bool: ...


class Automating:
    """One per process."""

    def __init__(
        self,
        *,
        name: str,
        redis: Redis,
        work: Work,
        automations: Stopping,
        entrance: Entrance,
        channels: AgentChannels,
        metrics: Metrics,
        clock: Clock = unix_ms,
        every_s: float = EVERY_S,
    ) -> None:
        self._work = work
        self._automations = automations
        self._entrance = entrance
        self._channels = channels
        self._metrics = metrics
        self._clock = clock
        self._every_s = every_s
        self._stopping = asyncio.Event()
        self._leadership = Leadership(
            redis,
            key=keys.leader(DUTY),
            fence=keys.leader_fence(DUTY),
            name=name,
            stopping=self._stopping,
        )

    async def run(self) -> None:
        """Queue and tell whenever we lead, until cancelled or drained."""
        await self._leadership.lead(self._term)

    async def drain(self) -> None:
        """Queue nothing more; `run` returns after the round that is under way."""
        self._stopping.set()

    async def _term(self) -> None:
        while not self._stopping.is_set():
            if not await self._round():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), self._every_s)

    async def _round(self) -> bool:
        try:
            return await self.round()
        except Exception as error:  # whatever Redis or the store raise: there is a next time
            _logger.warning("automations wait", error=repr(error))
            return False

    async def round(self) -> bool:
        """Tell what is untold and enter what is due, as much as one look takes on. True when there may be
        more at once. Raises what Redis and the store raise; the next round goes on from there."""
        told = await self._tell()
        seen_ms = self._clock()
        found = await self._work.due(seen_ms, ENTRIES)
        later = await self._enter_all(found)
        for wait_ms, agents in later.items():
            await self._work.defer(agents, seen_ms, self._clock() + wait_ms)
        return told == TELLINGS or len(found) == ENTRIES

    async def _enter_all(self, found: Sequence[Due]) -> dict[int, list[str]]:
        """The agents that could not be entered, by how long they are left alone (ms)."""
        at_once = asyncio.Semaphore(AT_ONCE)

        async def enter(due: Due) -> int:
            async with at_once:
                return await self._enter(due)

        answers = await asyncio.gather(*map(enter, found), return_exceptions=True)
        later: dict[int, list[str]] = {}
        failures: list[BaseException] = []
        for due, answer in zip(found, answers, strict=True):
            agent = due.identity.agent
            if isinstance(answer, BaseException):
                self._count("failed")
                failures.append(answer)
                later.setdefault(MEND_MS, []).append(agent)
            elif answer:
                self._count("again")
                later.setdefault(answer, []).append(agent)
        if failures:
            _logger.error("automations cannot enter", count=len(failures), exc_info=failures[0])
        return later

    async def _enter(self, due: Due) -> int:
        """Make one entry, or stop the run where none can be. Returns how long to leave the agent alone (ms); 0 where the row
        says by itself when it is due next."""
        offered = {space.id for space in registry.offered()}
        closed = {space for space in due.limits.spaces if space not in offered}
        if not set(due.limits.spaces) - closed - due.unplayed:
            return await self._stop(due, _nowhere(due, closed))
        space = next_space(due.limits, due.run, due.waiting | closed | due.unplayed)
        if space is None:
            return AGAIN_MS
        try:
            await self._entrance.enter(
                due.identity, space, due.limits.tier_micros, run=due.run.number
            )
        except AlreadyQueued:
            return AGAIN_MS
        except EntryRefused as refusal:
            return await self._refused(due, refusal)
        self._count("entered")
        self._metrics.automation_lateness.observe((self._clock() - due.due_ms) / 1_000)
        return 0

    async def _refused(self, due: Due, refusal: EntryRefused) -> int:
        """Some refusals pass by themselves; the owner has to know of the others."""
        if refusal.code in (AWAITING, TOO_FEW_JUDGES):
            return CLAIM_MS
        if refusal.code == DAY:
            now_ms = self._clock()
            return min(DAY_MOST_MS, next_day_ms(now_ms) - now_ms)
        passes = refusal.code == "limit-reached"
        # What is in play may come back, with winnings.
        passes |= refusal.code == "unfunded" and due.run.open > 0
        return AGAIN_MS if passes else await self._stop(due, str(refusal))

    async def _stop(self, due: Due, reason: str) -> int:
        agent, run = due.identity.agent, due.run.number
        if await self._automations.stop(agent, run, reason):
            self._count("stopped")
            _logger.info("automation stopped", agent=agent, run=run, reason=reason)
        return 0

    def _count(self, answer: str) -> None:
        self._metrics.automation_entries.labels(answer).inc()

    async def _tell(self) -> int:
        """Tell the agents' channels what has changed, and take out of the queues what a run that is over has put there. Should
        we die in between, they are told twice, which the channel notices."""
        untold = await self._work.untold(TELLINGS)
        told = []
        for each in untold:
            try:
                await self._tell_of(each)
                told.append(each)
            except Exception as error:  # it is told later, and holds up nobody else
                _logger.warning("automation not told yet", agent=each.agent, error=repr(error))
        if told:
            await self._work.told(told)
        return len(told)

    async def _tell_of(self, automation: Automation) -> None:
        await self._withdraw(automation)
        await self._channels.automation(automation.agent, card_of(automation))

    async def _withdraw(self, automation: Automation) -> None:
        """Whoever turns an automation off wants no more of it: not the match that its ticket waits for, either; nor who has
        turned it on again for other money before we have seen it off."""
        for ticket in await self._work.waiting(automation):
            with contextlib.suppress(UnknownTicket):  # it has become a seat meanwhile
                await self._entrance.leave(ticket, automation.agent)


def _nowhere(due: Due, closed: Collection[str]) -> str:
    if set(due.limits.spaces) <= set(closed):
        return "none of its Spaces is offered here"
    return "by its spec the agent plays none of the Spaces of its automation that are offered here"


def card_of(automation: Automation) -> AutomationCard:
    """As the agent's channel shows it."""
    run = automation.run
    return AutomationCard(
        state=automation.state,
        run=run.number,
        asset=run.asset,
        begun=run.begun,
        open=run.open,
        at_risk_micros=run.at_risk_micros,
        profit_micros=run.profit_micros,
        reason=automation.reason,
    )
