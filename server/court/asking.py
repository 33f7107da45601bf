"""How a session comes before the court, and what whoever asks is told. One per worker process; any number may ask."""

from __future__ import annotations

import asyncio
import secrets
from typing import Protocol

import msgspec

from judges.case import Case as Question
from judges.court.terms import panel_seats
from judges.evidence import evidence_of
from judges.instruments.embedding import Vectors
from judges.instruments.pronounce import VowelsOf
from judges.rubric import rubric_of
from judges.screen import screen
from judges.verdict import Verdict
from server.clock import Clock
from server.config import Config
from server.court import docket
from server.court.case import Case, Held
from server.court.findings import verdict_of
from server.court.judges import standing
from server.court.seam import Chain
from server.court.stakes import MOST_HEARINGS, covered, terms_of, usual
from server.store import Store


class Undecided(msgspec.Struct, frozen=True):
    """The court is at it, or waits for something."""

    waits_for: str
    woken: bool = True
    """The clerk wakes whoever waits; else ask again soon."""


class NoVerdict(msgspec.Struct, frozen=True):
    """There will be none."""

    why: str


class Elsewhere(msgspec.Struct, frozen=True):
    """Nothing is at stake and too few judges stand: the arena's own panel decides."""

    why: str


Answer = Verdict | Undecided | NoVerdict | Elsewhere


class Docket(Protocol):
    """Where sessions are brought before the court: `Desk` is one."""

    async def ask(self, session: str) -> Answer | None:
        """None: the court has not heard of it yet, and `bring` makes its case."""
        ...

    async def bring(self, session: str, question: Question) -> Answer: ...


class Desk:
    def __init__(
        self,
        *,
        store: Store,
        chain: Chain,
        config: Config,
        clock: Clock,
        vowels_of: VowelsOf,
        vectors: Vectors | None = None,
    ) -> None:
        self._vectors = vectors
        self._store = store
        self._chain = chain
        self._config = config
        self._clock = clock
        self._vowels_of = vowels_of

    async def ask(self, session: str) -> Answer | None:
        """Raises what the store raises."""
        case = await self._store.court.get(session)
        return None if case is None else told(case)

    async def bring(self, session: str, question: Question) -> Answer:
        """Make the case of a session that has ended, once its transcript can be fetched. Idempotent. Raises OSError, and what the
        store raises."""
        pin = await self._store.pins.get(session)
        if pin is None:
            return Undecided("the transcript is not pinned yet", woken=False)
        row = await self._store.sessions.get(session)
        assert row is not None, "it has a transcript"
        if not row.tier_micros and not await self._may_sit(question.seats):
            return Elsewhere(docket.NO_PANEL)
        rubric = rubric_of(question.space)
        past = await self._store.court.closed(MOST_HEARINGS, question.space)
        stood = [each.case.hearings[each.case.stands or 0] for each in past]
        evidence = await asyncio.to_thread(evidence_of, question, self._vowels_of, self._vectors)
        found = usual(stood, len(rubric.lines))
        appeal_s = await self._chain.appeal_s()
        terms = terms_of(rubric, row.tier_micros, question.seats, found, self._config, appeal_s)
        seats = panel_seats(row.tier_micros > 0, 0)
        case = Case(
            session=session,
            space=question.space,
            transcript=pin.cid,
            rubric=rubric.id,
            lines=tuple(line.name for line in rubric.lines),
            contestants=question.seats,
            terms=terms,
            paid=row.tier_micros > 0,
            answer=await self._store.court.answer(session) if _whole(question) else None,
            forfeited=tuple(screen(question).forfeited),
            evidence=evidence,
            made_ms=self._clock(),
            hearings=(Held(hearing=0, seats=seats, salt=secrets.token_hex(32)),),
        )
        return told(await self._store.court.make(case))

    async def _may_sit(self, contestants: int) -> bool:
        """Whether a panel for a free session can be drawn, as far as is known: a snapshot may still be to be taken."""
        pool = await self._chain.newest()
        if pool is not None:
            return covered(pool, 0, contestants, self._config)
        return await standing(self._store, self._clock()) >= panel_seats(paid=False, appeals=0)


def _whole(question: Question) -> bool:
    """Whether each side has given all that was asked for: else a planted answer says nothing."""
    return all(piece.text is not None for piece in question.pieces)


def told(case: Case) -> Answer:
    match case.state:
        case "final":
            return verdict_of(case)
        case "void" if case.note == docket.NO_PANEL and not case.paid:
            return Elsewhere(case.note)
        case "void":
            return NoVerdict(case.note)
    held = case.last
    if case.stands is not None:
        return Undecided("a verdict stands unless somebody appeals")
    return Undecided(f"hearing {held.hearing} is {held.state}")
