"""The step `judge`: from the sealed transcript to a verdict that stands.

The judges see only what the transcript says: it is replayed, so what is judged is what was played. A
verdict that cannot be had is our fault and no score: entries go back, and the session stays unrated.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

import msgspec

from judges.case import Case
from judges.house import Judging
from judges.reading import NoCase, read_case
from judges.verdict import Verdict
from server.jobs.aftermath import Aftermath, Change, step_change
from server.jobs.faults import Permanent
from server.jobs.fence import Fence
from server.protocol import Step, VerdictView
from server.store import Store

NAME = "judge"
SHOWN = "judged"


PANEL_SHARE = 0.9
"""The judges' part of the step's time-out; the rest replays the transcript and stores the verdict."""


class Panel(Protocol):
    """Who judges: `judges.house.HousePanel`, later the court."""

    async def judge(self, case: Case, nonce: str) -> Judging:
        """Raises JudgeFault. `nonce` is unknown to the contestants and quotes their text."""


class JudgeStep:
    name = NAME

    def __init__(
        self, *, store: Store, aftermath: Aftermath, panel: Panel, timeout_s: float
    ) -> None:
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
            await fence.check()
            await self._aftermath.tell(session, step_change(Step(SHOWN, "running")))
            judging = await self._judge(session)
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

    async def _judge(self, session: str) -> Judging:
        document = await self._store.sessions.transcript(session)
        if document is None:
            raise Permanent("the session has no transcript")
        # Off the event loop: replaying hashes every entry.
        try:
            read = await asyncio.to_thread(read_case, document)
        except NoCase as error:
            raise Permanent(str(error)) from None
        return await self._panel.judge(read.case, read.nonce)


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
