"""The step `judge`: from the sealed transcript to a verdict that stands.

The judges see only what the transcript says: it is replayed, so what is judged is what was played. A
verdict that cannot be had is our fault and no score: entries go back, and the session stays unrated.
With a court (docs/court.md) the step brings the session before it, and waits for as long as it takes; the clerk wakes it.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import msgspec

from judges.case import Case
from judges.house import Judging
from judges.reading import NoCase, Read, read_case
from judges.verdict import Verdict
from server.jobs.aftermath import Aftermath, Change, step_change
from server.jobs.faults import Awaits, NotNow, Permanent
from server.jobs.fence import Fence
from server.protocol import Step, VerdictView
from server.store import Store

if TYPE_CHECKING:
    from server.court.asking import Docket

NAME = "judge"
SHOWN = "judged"


PANEL_SHARE = 0.9
"""The judges' part of the step's time-out; the rest replays the transcript and stores the verdict."""


class Panel(Protocol):
    """Who judges where there is no court: `judges.house.HousePanel`."""

    async def judge(self, case: Case, nonce: str) -> Judging:
        """Raises JudgeFault. `nonce` is unknown to the contestants and quotes their text."""


class JudgeStep:
    name = NAME

    def __init__(
        self,
        *,
        store: Store,
        aftermath: Aftermath,
        panel: Panel,
        timeout_s: float,
        court: Docket | None = None,
    ) -> None:
        """`court`: None where judges have no stake; then `panel` decides."""
        self._court = court
        self._store = store
        self._aftermath = aftermath
        self._panel = panel
        self.timeout_s = timeout_s

    async def run(self, session: str, fence: Fence) -> dict[str, object]:
        said: dict[str, object] = {}
        result = await self._store.results.get(session)
        if result is not None and result.status == "void":
            # Given up before: the letter was driven again too late, or it could not be told then.
            await fence.check()
            await self._tell_void(session, result.reason or "not judged")
            return {"void": result.reason}
        body = await self._store.verdicts.get(session)
        if body is None:
            judging = await self._by_court(session)
            if judging is None:
                await fence.check()
                await self._aftermath.tell(session, step_change(Step(SHOWN, "running")))
                judging = await self._by_house(session)
            # Of a session that was voided meanwhile, nothing is to be found.
            body = await self._store.verdicts.put(session, _encode(judging.verdict), fence.hold)
            said = _calls(judging)
        verdict = msgspec.json.decode(body, type=VerdictView)
        change = Change(
            type="verdict",
            by="judge",
            body=msgspec.to_builtins(verdict),
            steps=(Step(SHOWN, "done"),),
            verdict=verdict,
        )
        await fence.check()
        await self._aftermath.tell(session, change, once="verdict")
        return {"ranks": verdict.ranks, "totals_milli": verdict.totals_milli, **said}

    async def give_up(self, session: str, reason: str) -> None:
        """A verdict that cannot be had is our fault: entries go back, and nobody is scored. One that stands and
        could only not be told stays; the letter waits to be driven again."""
        words = f"not judged: {reason}"
        if await self._store.verdicts.get(session) is not None:
            await self._aftermath.tell(session, step_change(Step(SHOWN, "failed", words)))
            return
        standing = await self._store.results.void(session, words)
        await self._tell_void(session, standing.reason or words)

    async def _tell_void(self, session: str, words: str) -> None:
        refunded = Step("settled", "done", "void, entries returned: there is no verdict")
        unrated = Step("rated", "failed", "not rated: there is no verdict")
        await self._aftermath.tell(
            session, step_change(Step(SHOWN, "failed", words), refunded, unrated)
        )

    async def _by_court(self, session: str) -> Judging | None:
        """None where the court leaves it to the house. Raises NotNow until a verdict stands, Permanent where there will be none."""
        if self._court is None:
            return None
        from server.court.asking import Elsewhere, NoVerdict, Undecided

        answer = await self._court.ask(session)
        if answer is None:
            question = (await self._read(session)).case
            try:
                answer = await self._court.bring(session, question)
            except OSError as error:  # a day without a node makes no session void
                raise NotNow(f"the court's chain cannot be asked just now: {error}") from error
        match answer:
            case Verdict():
                return Judging(answer, ())
            case Elsewhere():
                return None
            case Undecided(waits_for, woken):
                raise Awaits(waits_for) if woken else NotNow(waits_for)
            case NoVerdict(why):
                raise Permanent(why)

    async def _by_house(self, session: str) -> Judging:
        read = await self._read(session)
        return await self._panel.judge(read.case, read.nonce)

    async def _read(self, session: str) -> Read:
        document = await self._store.sessions.transcript(session)
        if document is None:
            raise Permanent("the session has no transcript")
        # Off the event loop: replaying hashes every entry.
        try:
            return await asyncio.to_thread(read_case, document)
        except NoCase as error:
            raise Permanent(str(error)) from None


def _encode(verdict: Verdict) -> bytes:
    """As it is published and stored: VerdictView in JSON."""
    return msgspec.json.encode(msgspec.convert(msgspec.to_builtins(verdict), VerdictView))


def _calls(judging: Judging) -> dict[str, object]:
    return {
        "calls": len(judging.calls),
        "asked": sum(call.attempts for call in judging.calls),
        "prompt_tokens": sum(call.prompt_tokens for call in judging.calls),
        "completion_tokens": sum(call.completion_tokens for call in judging.calls),
        "model_ms": sum(call.latency_ms for call in judging.calls),
    }
