"""One gate being played: takes what came of its sessions, forms the next ones, tells everybody, and ends in a verdict.

What it knows beyond the store is only a copy: `PlayedGate.load` makes it anew, in this process or the next. Its matches are ordinary
sessions of the free tier, formed here as a tournament's are: anybody may watch, the transcripts are pinned and verify. They move no
rating, earn no points and count in no career; candidates and sparring partners would else be paid for meeting each other.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import Protocol

import msgspec
import structlog

from server import ratings
from server.clock import Clock
from server.forming import SALT_BYTES, FormSession, Opener
from server.identity import new_id
from server.live.agents import AgentChannels
from server.live.records import SeatRecord, SessionRecord
from server.store.gates import GateRow, Gates, MatchRow, results_of
from server.store.lineages import Lineages
from server.store.sessions import Sessions
from server.store.tournaments import Played, Tournaments
from server.training.card import card
from spaces import registry
from training.gate import format as answers
from training.gate import pairing, progress, verdict
from training.gate.format import Answers
from training.gate.pairing import CANDIDATE, CURRENT
from training.gate.progress import Result

FORM_AT_ONCE = 8
LOOK_MS = 2_000
"""Between two looks whether the agent is still what is being tested."""
REASON_CHARS = 200

_logger = structlog.get_logger()


class Services(Protocol):
    """What a gate works with; who plays gates has it."""

    gates: Gates
    lineages: Lineages
    sessions: Sessions
    tournaments: Tournaments
    channels: AgentChannels
    opener: Opener
    form_session: FormSession
    clock: Clock
    spectator_delay_ms: int


class PlayedGate:
    """Construct through `load`."""

    def __init__(self, services: Services, row: GateRow, matches: Sequence[MatchRow]) -> None:
        self._services = services
        self.row = row
        self._results: dict[str, Result] = {}
        self._live: dict[str, MatchRow] = {}
        """By session."""
        self._attempts: dict[str, int] = {}
        self._formed: set[str] = set()
        for each in matches:
            self._take(each)
        self.standing = progress.standing(row.plan, self._results)
        self._looked_ms = 0
        self._told = -1
        self.over = row.status == "ended"

    @classmethod
    async def load(cls, services: Services, gate: str) -> PlayedGate:
        """The gate as it stands in the store."""
        row = await services.gates.get(gate)
        assert row is not None, "a running gate is in the store"
        return cls(services, row, await services.gates.matches(gate))

    async def step(self) -> None:
        """One round. Raises StaleGate where somebody else plays it: load it anew. Cancelling it, or whatever else it raises, leaves facts that
        `load` can go on from."""
        await self._take_results()
        found = self.standing.verdict or await self._interrupted()
        if found is not None:
            await self._end(found)
            return
        await self._form()
        await self._tell()

    # ------------------------------------------------------------------ results

    async def _take_results(self) -> None:
        came = await self._services.tournaments.played(list(self._live))
        self._formed = {session for session in self._live if session in came}
        shown_ms = self._services.clock() - self._services.spectator_delay_ms
        settled = []
        for session, row in self._live.items():
            # Not before the public may see how a session ended: the gate would tell.
            if session in came and came[session].sealed_ms <= shown_ms:
                new = await self._settled(row, came[session])
                if new is not None:
                    settled.append(new)
        if settled:
            # the store first: should we die in between, the next one reads it there
            await self._services.gates.settle(settled)
            for new in settled:
                self._take(new)
            self.standing = progress.standing(self.row.plan, self._results)

    def _take(self, row: MatchRow) -> None:
        name = row.match.name
        self._attempts[name] = max(row.attempt, self._attempts.get(name, 0))
        self._live.pop(row.session, None)
        if row.state == "live":
            self._live[row.session] = row
        self._results |= results_of([row])

    async def _settled(self, row: MatchRow, played: Played) -> MatchRow | None:
        """The match with what came of its session; None while it goes on, or while judges are out."""
        replace = msgspec.structs.replace
        if played.status == "void":
            return replace(row, state="void", reason=played.reason[:REASON_CHARS] or "void")
        if played.status != "ended":
            return None
        ranks = played.ranks if played.returns is None else ratings.ranks_of(played.returns)
        if ranks is None:
            unjudged = replace(row, state="void", reason="the judges gave no verdict")
            return unjudged if played.unjudged else None
        result = Result(pairing.half_points(row.match, ranks), await self._answers(row))
        return replace(row, state="scored", result=result)

    async def _answers(self, row: MatchRow) -> tuple[Answers, Answers]:
        document = await self._services.sessions.transcript(row.session)
        assert document is not None, "what has ended has its transcript"
        entries = msgspec.json.decode(document)["entries"]
        found = [Answers(), Answers()]
        for seat, player in enumerate(row.match.seats):
            if player in (CANDIDATE, CURRENT):
                found[player] = answers.of_seat(entries, seat)
        return found[CANDIDATE], found[CURRENT]

    # ------------------------------------------------------------------ forming

    async def _form(self) -> None:
        open_ = {row.match.name for row in self._live.values()}
        due = list(progress.wanted(self.row.plan, self._results, open_, self.row.at_once))
        if due:
            rows = [
                MatchRow(
                    match=match, attempt=self._attempts.get(match.name, 0) + 1, session=new_id()
                )
                for match in due
            ]
            await self._services.gates.plan(self.row.gate, rows)
            for row in rows:
                self._take(row)
        unformed = [row for session, row in self._live.items() if session not in self._formed]
        at_once = asyncio.Semaphore(FORM_AT_ONCE)

        async def form(row: MatchRow) -> None:
            async with at_once:
                standing = await self._services.form_session(self._draw(row))
                await self._services.opener.open(standing)
                self._formed.add(row.session)

        async with asyncio.TaskGroup() as group:
            for row in unformed:
                group.create_task(form(row))

    def _draw(self, row: MatchRow) -> SessionRecord:
        """The session of a match: seats and seed as the plan says."""
        plan = self.row.plan
        players = [self.row.players[player] for player in row.match.seats]
        return SessionRecord(
            session=row.session,
            space=plan.space,
            rules=registry.get(plan.space).rules,
            params=plan.params,
            tier_micros=0,
            opened_ms=self._services.clock(),
            seed=pairing.seed_of(self.row.seed, row.match),
            seats=tuple(
                SeatRecord(
                    seat=seat,
                    agent=each.agent,
                    name=each.name,
                    version=each.version,
                    owner=each.owner,
                    salt=secrets.token_bytes(SALT_BYTES),
                    kind=each.kind,
                )
                for seat, each in enumerate(players)
            ),
            spectator_delay_ms=self._services.spectator_delay_ms,
            gate=self.row.gate,
        )

    # ------------------------------------------------------------------ the end

    async def _interrupted(self) -> verdict.Verdict | None:
        now_ms = self._services.clock()
        if now_ms - self._looked_ms < LOOK_MS:
            return None
        self._looked_ms = now_ms
        why = await self._services.gates.interrupted(self.row)
        return None if why is None else verdict.stopped(self.standing.seen, why)

    async def _end(self, found: verdict.Verdict) -> None:
        """What is still being played is played to its end, and counts for nothing."""
        stands = await self._services.lineages.conclude(self.row, found)
        now_ms = self._services.clock()
        self.row = msgspec.structs.replace(
            self.row, status="ended", ended_ms=now_ms, verdict=stands
        )
        await self._tell()
        self.over = True
        _logger.info(
            "gate ended",
            gate=self.row.gate,
            agent=self.row.agent,
            space=self.row.space,
            candidate=self.row.candidate,
            decision=stands.decision,
            pairs=self.standing.test.pairs,
            score=round(self.standing.test.score, 3),
            took_s=(now_ms - self.row.created_ms) // 1_000,
        )

    async def _tell(self) -> None:
        """On the agent's channel, once for each state: the batch's name says which."""
        told = len(self._results) + (self.row.status == "ended")
        if told == self._told:
            return
        batch = f"gate:{self.row.gate}:{self.row.status}:{told}"
        await self._services.channels.gate(self.row.agent, card(self.row, self.standing), batch)
        self._told = told
