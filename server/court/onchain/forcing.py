"""Brings what it has to hearings that somebody has put on the chain: panels, judges' signed messages, the reference's opening; and has
them decided.

Anybody may do each of these steps, so nothing hangs on the arena; but a judge that has sent its message to the clerk has done its
part, and is not to lose stake because somebody else forces the hearing.
"""

from __future__ import annotations

import structlog

from chain.client.contract import Invocation
from chain.client.hearings import Hearings
from chain.client.node import Head
from chain.court.messages import Commit
from chain.documents.case import Commitment, Message, Shown, flat
from server.court.case import Case, Held
from server.court.onchain.forced import Course, courses
from server.court.seam import Chain
from server.operators.acting import Acts
from server.store.court import Court as Cases
from server.store.court_logs import CourtLogs

_logger = structlog.get_logger()


class Forcing:
    """By any key; two at once act under the same names."""

    def __init__(
        self,
        *,
        hearings: Hearings,
        logs: CourtLogs,
        cases: Cases,
        chain: Chain,
        acts: Acts,
        prefix: str,
    ) -> None:
        """`prefix`: of the names of actions, with which this deployment's begin."""
        self._hearings = hearings
        self._logs = logs
        self._cases = cases
        self._chain = chain
        self._acts = acts
        self._prefix = prefix

    async def round(self, head: Head) -> None:
        """Raises OSError, and what the store raises."""
        for case_id in await self._logs.unended():
            session = await self._logs.session_of(case_id)
            case = None if session is None else await self._cases.get(session)
            for course in courses(await self._logs.of(case=case_id)):
                if not course.over:
                    await self._further(course, case, head.timestamp)

    async def _further(self, course: Course, case: Case | None, now_s: int) -> None:
        held = _held(case, course)
        messages = () if held is None else held.messages
        match course.stage:
            case "put":
                await self._draw(course)
            case "committing" | "recommitting" if now_s > course.until_s:
                filing = course.filing
                await self._act(
                    course, f"call:{course.stage}", self._hearings.call(filing.case, filing.hearing)
                )
            case "committing" | "recommitting":
                await self._commit(course, messages)
            case "revealing":
                if now_s <= course.until_s:
                    await self._reveal(course, messages)
                if not course.hidden() or now_s > course.until_s:
                    await self._finalize(course, case, held)

    async def _draw(self, course: Course) -> None:
        if await self._logs.newest("Seeded", ordinal=course.batch) is None:
            return
        pool = await self._chain.pool(course.filing.snapshot)
        await self._act(course, "draw", self._hearings.draw(course.filing, pool.snapshot))

    async def _commit(self, course: Course, messages: tuple[Message, ...]) -> None:
        turns = course.turns()
        for each in messages:
            number = course.number(each.judge)
            if isinstance(each, Commitment) and each.sig and number in turns:
                filing = course.filing
                bound = bytes.fromhex(each.commitment)
                commit = Commit(filing.case, filing.hearing, bound, each.ordinal)
                call = self._hearings.commit(number, commit, bytes.fromhex(each.sig[2:]))
                await self._act(course, f"commit:{number}", call)

    async def _reveal(self, course: Course, messages: tuple[Message, ...]) -> None:
        hidden = course.hidden()
        for each in messages:
            number = course.number(each.judge)
            if isinstance(each, Shown) and number in hidden:
                filing = course.filing
                call = self._hearings.reveal(
                    filing.case,
                    filing.hearing,
                    number,
                    flat(each.scores_milli),
                    bytes.fromhex(each.reasons_digest),
                    bytes.fromhex(each.salt),
                )
                await self._act(course, f"reveal:{number}", call)

    async def _finalize(self, course: Course, case: Case | None, held: Held | None) -> None:
        """With the opening of the reference, where it is ours: of a hearing that the contract made it is that of the one before."""
        salt: bytes | None = None
        answer: tuple[int, ...] = ()
        if case is not None:
            salts = [each.salt for each in case.hearings if each.salt and _same(each, course)]
            salt = bytes.fromhex(salts[-1]) if salts else None
            answer = case.answer or ()
        call = self._hearings.finalize(course.filing, salt, answer)
        await self._act(course, "finalize" if salt else "finalize-unopened", call)

    async def _act(self, course: Course, name: str, call: Invocation) -> None:
        async def made() -> Invocation:
            return call

        filing = course.filing
        at = f"{filing.case.hex()[:32]}:{filing.hearing}"
        await self._acts.act(f"{self._prefix}:forced:{at}:{name}", made)


def _held(case: Case | None, course: Course) -> Held | None:
    if case is None or course.filing.hearing >= len(case.hearings):
        return None
    return case.hearings[course.filing.hearing]


def _same(held: Held, course: Course) -> bool:
    """Whether what opens this hearing's reference opens that one's."""
    return held.filing is not None and held.filing.reference == course.filing.reference.hex()
