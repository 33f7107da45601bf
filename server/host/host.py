"""The shell around the matches: one tick over all sessions of a host, and one round of appends.

One task ticks, whatever the number of sessions; a few more feed it: one takes the inbox, one claims
leases, one renews them, one for each open inquiry asks the oracle, and some seal what has ended. Each
step may be repeated by another host, so a
host may die between any two.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import structlog

from server.clock import Clock
from server.config import Config
from server.host.arrivals import Arrivals
from server.host.asking import Answer, Answered, Asking, no_oracle
from server.host.commentary import Annotate, no_annotations
from server.host.deadlines import Deadlines
from server.host.ending import Endings
from server.host.grid import Grid
from server.host.held import Held
from server.host.holding import Holding
from server.host.patience import AWAY, persist
from server.host.sealed import Sealed
from server.host.stats import HostStats
from server.live.inbox import Inbox
from server.live.lease import Leases
from server.live.log import Append, Fenced, LiveLog
from server.live.records import Inbound, Reply
from server.match import UnknownRules
from server.match.engine import RULES_BROKE

_logger = structlog.get_logger()

FORGIVE_S = 1.0
"""Being away for longer than this is our fault: decisions that have little time left get it anew."""
PLENTY = 5
"""A decision with this many times the outage left has plenty of time."""
STRANGE_MS = 3_600_000
"""A session whose rules are not ours is left this long, from its opening, to a host that has them: an
upgrade may be under way. Rules that by then nobody has are gone, and the session is voided."""

T = TypeVar("T")


class Host:
    """Plays every session it can lease, up to the capacity. `name` must be unique among processes.

    `seal_session` keeps a finished session; it is called again after a failure, and by the next host
    after a crash. `observe_tick(work_s, lateness_s)` is called after every tick. `answer` is the oracle;
    without one, sessions that need it become void. `annotate` comments on what has ended.
    """

    def __init__(
        self,
        *,
        name: str,
        log: LiveLog,
        inbox: Inbox,
        leases: Leases,
        seal_session: Callable[[Sealed], Awaitable[None]],
        config: Config,
        clock: Clock,
        observe_tick: Callable[[float, float], None] | None = None,
        answer: Answer = no_oracle,
        annotate: Annotate = no_annotations,
    ) -> None:
        self.name = name
        self.stats = HostStats()
        self._log = log
        self._leases = leases
        self._inbox = inbox
        self._config = config
        self._clock = clock
        self._observe_tick = observe_tick
        self._arrivals = Arrivals(inbox, name)
        self._asking = Asking(answer, clock, self._arrivals.wake)
        self._deadlines = Deadlines()
        self._touched: set[str] = set()
        """Sessions to look at in the next tick."""
        gap = self._gap = asyncio.Event()
        """Set between two ticks."""
        gap.set()
        self._holding = Holding(
            name,
            leases,
            log,
            gap,
            capacity=config.host_capacity,
            retry_ms=config.retry_ms,
            taken=self._taken,
            gone=self._asking.forget,
        )
        self._endings = Endings(
            log, seal_session, annotate, clock, gap, done=self._sealed, lost=self._holding.drop
        )
        self._cut_off_s: float | None = None
        """Since when actions cannot reach us, on the loop's clock."""
        self._drain_by_s: float | None = None
        self._stopped = asyncio.Event()
        self._stopped.set()

    # ---------------------------------------------------------------------- life

    async def run(self) -> None:
        """Play until drained or cancelled. Cancelled, it leaves its leases to expire."""
        self._stopped.clear()
        try:
            async with asyncio.TaskGroup() as group:
                self._asking.start(group)
                claims = group.create_task(
                    self._holding.claim_forever(self._config.tick_ms / 1_000), name="host claims"
                )
                others = [
                    group.create_task(self._arrivals.take_forever(), name="host inbox"),
                    group.create_task(self._holding.renew_forever(), name="host leases"),
                    *self._endings.start(group),
                ]
                await self._tick_until_drained()
                self._asking.close()
                self._holding.close()
                await claims
                await self._endings.settle(self._config.drain_ms / 1_000)
                for task in others:
                    task.cancel()
            await self._hand_over()
        finally:
            await self._inbox.aclose()
            self._stopped.set()

    async def drain(self) -> None:
        """Stop claiming, finish the tick and what must be sealed, and hand the rest over; then `run`
        returns, and so does this."""
        self._drain_by_s = asyncio.get_running_loop().time() + self._config.drain_ms / 1_000
        self._arrivals.wake.set()
        await self._stopped.wait()

    def _gives_up(self) -> bool:
        by_s = self._drain_by_s
        return by_s is not None and asyncio.get_running_loop().time() > by_s

    async def _hand_over(self) -> None:
        try:
            count = await persist(self._holding.release_all, "release", self._gives_up)
            _logger.info("host drained", host=self.name, handed_over=count)
        except AWAY as error:
            _logger.warning("leases not released, they expire", host=self.name, error=str(error))

    # ---------------------------------------------------------------------- the tick

    async def _tick_until_drained(self) -> None:
        loop = asyncio.get_running_loop()
        grid = Grid(loop.time(), self._config.tick_ms / 1_000, self._config.tick_min_ms / 1_000)
        while self._drain_by_s is None:
            began_s = await self._wait(grid)
            late_s = grid.begin(began_s)
            self._gap.clear()
            self._check_outage(late_s)
            try:
                await self._tick(self._clock())
            except Exception:
                # No session may take the others with it. What was not written is found out by the
                # next append of its session, which is then restored from its log.
                _logger.exception("tick failed", host=self.name)
            self._gap.set()
            self._note(grid.done(loop.time()), late_s)

    async def _wait(self, grid: Grid) -> float:
        """Until the next grid time, or shortly after something has arrived; the time then."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(grid.next_s):
                await self._arrivals.wake.wait()
        except TimeoutError:
            # uvloop's clock counts whole milliseconds and its timers may fire before the time they are
            # for; taken at its word, such a tick would be an early one, again and again.
            return max(loop.time(), grid.next_s)
        await asyncio.sleep(grid.early_s(loop.time()) - loop.time())
        return loop.time()

    def _note(self, work_s: float, late_s: float) -> None:
        stats = self.stats
        stats.sessions = len(self._holding.sessions)
        stats.ticks += 1
        stats.work_s, stats.lateness_s = work_s, late_s
        if self._observe_tick is not None:
            self._observe_tick(work_s, late_s)

    async def _tick(self, now_ms: int) -> None:
        """Actions and the oracle's answers first, deadlines after them, then one round of appends."""
        self._arrivals.wake.clear()
        self._arrivals.deliver(now_ms, lambda inbound: self._receive(now_ms, inbound))
        for answered in self._asking.take():
            if self._holds(answered.held):
                self._learn(now_ms, answered)
        if self._cut_off_s is None:
            self._strike(now_ms)
        touched, self._touched = self._touched, set()
        appends: list[tuple[Held, Append]] = []
        replies: list[tuple[Held, Reply]] = []
        for session in touched:
            held = self._holding.get(session)
            if held is None:
                continue
            append = held.batch()
            if append is not None:
                appends.append((held, append))
            replies += [(held, reply) for reply in held.match.take_replies()]
            self._deadlines.set(session, held.match.next_deadline())
        written = await self._write(appends) if appends else set()
        if replies:
            await self._reply(replies, written)

    def _learn(self, now_ms: int, answered: Answered) -> None:
        """The answers of a tick are taken and not kept, so none may cost the others theirs."""
        held = answered.held
        try:
            held.match.learn(now_ms, answered.number, answered.observation)
        except Exception:
            _logger.exception("an answer of the oracle broke its match", session=held.session)
            held.match.void(RULES_BROKE, now_ms)
        self._touched.add(held.session)

    def _receive(self, now_ms: int, inbound: Inbound) -> bool:
        held = self._holding.get(inbound.session)
        if held is None:
            return False
        held.match.receive(now_ms, inbound)
        self._touched.add(inbound.session)
        return True

    def _strike(self, now_ms: int) -> None:
        for session in self._deadlines.due(now_ms):
            held = self._holding.get(session)
            if held is not None:
                held.match.tick(now_ms)
                self._touched.add(session)

    async def _reply(self, replies: Sequence[tuple[Held, Reply]], written: set[Held]) -> None:
        """Refuse only where the session is still ours: another host may have accepted the same
        action. `written` has just proved it; what is not sent, the gateway asks for again."""
        others = {held for held, _ in replies} - written
        unproved = {held.session: held for held in others if self._holds(held)}
        if unproved:
            tokens = {session: held.token for session, held in unproved.items()}
            for lost in await self._persist(lambda: self._leases.renew(self.name, tokens)):
                self._holding.drop(unproved.pop(lost), "lease lost")
        proved = written | set(unproved.values())
        answers = [reply for held, reply in replies if held in proved]
        if answers:
            await self._persist(lambda: self._log.replies(answers))

    def _holds(self, held: Held) -> bool:
        return self._holding.get(held.session) is held

    async def _write(self, appends: Sequence[tuple[Held, Append]]) -> set[Held]:
        """Returns the sessions whose events are in the log."""
        written: set[Held] = set()
        answers = await self._persist(lambda: self._append_all([each for _, each in appends]))
        for (held, append), first in zip(appends, answers, strict=True):
            if isinstance(first, Fenced):
                self._holding.drop(held, "fenced")
            elif first is None:
                await self._void_unwritable(held)
            else:
                written.add(held)
                self.stats.events += len(append.events)
                if held.match.finished:
                    self._end(held)
                elif held.match.inquiry is not None:
                    self._asking.ask(held)
        return written

    async def _void_unwritable(self, held: Held) -> None:
        [loaded] = await self._persist(lambda: self._log.load([held.session]))
        if loaded is not None:
            held.void(loaded, "an event could not be written", self._clock())
            self._touched.add(held.session)

    async def _append_all(self, appends: Sequence[Append]) -> Sequence[int | Fenced | None]:
        """First offsets; None for a batch that cannot be encoded, which costs only its session."""
        try:
            return await self._log.append_many(appends)
        except (TypeError, ValueError, OverflowError) as error:
            if len(appends) == 1:
                _logger.error("not encodable", session=appends[0].session, error=str(error))
                return [None]
        answers: list[int | Fenced | None] = []
        for append in appends:
            answers += await self._append_all([append])
        return answers

    async def _persist(self, call: Callable[[], Awaitable[T]]) -> T:
        return await persist(call, "append", self._gives_up)

    # ---------------------------------------------------------------------- sessions come and go

    def _taken(self, held: Held) -> None:
        """Newly leased: begin it, go on with it, or seal it; or leave it to a host that can."""
        strange = isinstance(held.match.failure, UnknownRules)
        if strange and self._clock() < held.record.opened_ms + STRANGE_MS:
            self._holding.leave(held, str(held.match.failure))
        elif held.match.finished:
            self._endings.add(held, annotate=False)
        else:
            held.match.takeover(self._clock())
            self._touched.add(held.session)

    def _check_outage(self, late_s: float) -> None:
        """While actions cannot reach us no deadline strikes; afterwards time is given anew."""
        now_s = asyncio.get_running_loop().time()
        if self._arrivals.cut_off():
            self._cut_off_s = self._cut_off_s or now_s
        elif self._cut_off_s is not None:
            late_s, self._cut_off_s = max(late_s, now_s - self._cut_off_s), None
        if late_s > FORGIVE_S and self._cut_off_s is None:
            self._forgive(late_s)

    def _forgive(self, outage_s: float) -> None:
        """We have failed the agents for a while: no seat shall pay for it with its time.

        Who has plenty of time left has lost but a little of it. Telling all sessions would cost an
        overloaded host the next tick, too.
        """
        self.stats.outages += 1
        now_ms = self._clock()
        soon_ms = now_ms + round(outage_s * 1_000) * PLENTY
        forgiven = 0
        for held in self._holding.sessions.values():
            deadline_ms = held.match.next_deadline()
            if deadline_ms is not None and deadline_ms < soon_ms:
                held.match.takeover(now_ms)
                self._touched.add(held.session)
                forgiven += 1
        _logger.warning(
            "the host was away, open decisions get fresh time",
            host=self.name,
            away_s=round(outage_s, 2),
            sessions=forgiven,
        )

    def _end(self, held: Held) -> None:
        if held.match.failure is not None:
            _logger.error(
                "rules broke, session voided",
                session=held.session,
                space=held.record.space,
                exc_info=held.match.failure,
            )
        self._asking.forget(held)
        self._endings.add(held, annotate=True)

    def _sealed(self, held: Held, sealed: Sealed) -> None:
        self._holding.finished(held)
        self.stats.sealed += 1
        write = _logger.warning if sealed.status == "void" else _logger.info
        write(
            "session sealed",
            session=sealed.session,
            space=held.record.space,
            status=sealed.status,
            outcome=sealed.outcome,
            digest=sealed.digest,
            events=held.match.offset,
            played_ms=held.match.played_ms,
            token=held.token,
            host=self.name,
        )
