"""The judge's rounds: check what it is told, judge once, keep the sheet, commit, reveal.

What is to be done follows from the journal and from what is told, never from memory: kill it between any two steps, and the
next round goes on. A judge that cannot judge says so and tries again until the deadline; nothing is ever scored in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

import msgspec

from judges.faults import JudgeFault
from judges.llm import Call
from judges.node.duty import Kept, Step, Told, due
from judges.node.journal import Journal, Price, Sealed, Signed
from judges.node.sheet import Scored

SALT_BYTES = 32
FIRST_WAIT_MS = 500
MAX_WAIT_MS = 15_000
"""Between two tries of the same thing: doubles from the first to the last."""
SHOWN_MS = 3_000
"""What was taken shows in what we are told after so long; else it is said again."""


class NotNow(Exception):
    """It cannot be had or done now; the message says why. Tried again."""


class Never(Exception):
    """It is not what it is said to be, or is refused for good. Not tried again in this hearing."""


class Docket(Protocol):
    """What is known of hearings besides what is told: the chain."""

    async def check(self, told: Told) -> int:
        """That we sit on this panel, by what was fixed before anybody could choose; the least ordinal that we may sign. Raises
        NotNow, Never."""
        ...

    async def bound(self, told: Told) -> None:
        """That every seat of the panel has bound itself, by its own signature. Raises NotNow where that is not shown, Never."""
        ...


class Bench(Protocol):
    """What judges."""

    async def judge(self, told: Told) -> tuple[Scored, tuple[Call, ...]]:
        """Of the transcript, fetched, checked and replayed. Raises JudgeFault, NotNow, Never."""
        ...


class Hand(Protocol):
    """The judge's key."""

    def sign(self, told: Told, scored: Scored, salt: bytes, ordinal: int) -> Signed: ...


class Ear(Protocol):
    """Where messages go: the clerk, or the chain."""

    async def commit(self, told: Told, sealed: Sealed) -> None:
        """The same again is harmless. Raises NotNow, Never."""
        ...

    async def reveal(self, told: Told, sealed: Sealed) -> None:
        """As `commit`."""
        ...


class _Held(msgspec.Struct):
    tries: int = 0
    until_ms: int = 0
    over: bool = False


_Matter = tuple[Step, str, int, bool]
"""What is held: a step of a hearing, by messages or on the chain. What the clerk refuses for good, the chain may take."""


def _matter(step: Step, told: Told) -> _Matter:
    return (step, *told.key, told.forced)


class Node:
    """One per journal. `tell` is called with what a person should know, in one line. `salt` gives SALT_BYTES that nobody can
    guess."""

    def __init__(
        self,
        *,
        journal: Journal,
        docket: Docket,
        bench: Bench,
        hand: Hand,
        ear: Ear,
        salt: Callable[[], bytes],
        clock: Callable[[], int],
        tell: Callable[[str], None],
        price: Price = Price(),  # noqa: B008 - frozen
    ) -> None:
        self._journal = journal
        self._docket = docket
        self._bench = bench
        self._hand = hand
        self._ear = ear
        self._salt = salt
        self._clock = clock
        self._tell = tell
        self._price = price
        self._held: dict[_Matter, _Held] = {}
        self._busy: set[tuple[str, int]] = set()

    # ----------------------------------------------------------------------- messages

    async def send(self, cases: Sequence[Told]) -> None:
        """One round of commitments and reveals, soonest due first. What is left undone is done in a later round."""
        self._forget(cases)
        for told in sorted(cases, key=_soonest):
            match self._due(told):
                case Step.COMMIT as step:
                    await self._send(step, told)
                case Step.REVEAL as step:
                    await self._send(step, told)
                case Step.MISSED:
                    self._once(Step.MISSED, told, self._missed(told))
                case Step.STRANGER:
                    self._once(
                        Step.STRANGER,
                        told,
                        "our key has committed, and this journal knows nothing of it: the sheet cannot be revealed from here. Does another"
                        " machine run with this key, or was the folder lost? It is not committed again, for that would cost the whole stake",
                    )
                case _:
                    pass

    async def _send(self, step: Step, told: Told) -> None:
        sealed = self._journal.sealed(*told.key)
        assert sealed is not None, "messages are due of what is sealed"
        first = sealed.committed_ms if step is Step.COMMIT else sealed.revealed_ms
        saying, note = (
            (self._ear.commit, self._journal.committed)
            if step is Step.COMMIT
            else (self._ear.reveal, self._journal.revealed)
        )
        try:
            if step is Step.REVEAL and not told.forced and self._clock() < told.commit_by_ms:
                # Whoever sees a sheet before it is bound can copy it: that all are is not believed before the time is over.
                await self._docket.bound(told)
            await saying(told, sealed)
        except NotNow as error:
            self._again(step, told, str(error))
        except Never as error:
            self._give_up(step, told, str(error))
        else:
            note(*told.key, self._clock())
            self._hold(step, told).until_ms = self._clock() + SHOWN_MS
            if first is None:
                self._say(told, "committed" if step is Step.COMMIT else "revealed")

    # ----------------------------------------------------------------------- judging

    async def judge_next(self, cases: Sequence[Told]) -> bool:
        """Judge the case that is due soonest and that nobody judges now; False where there is none. A failure is held against the
        case for a while. Several may run at once."""
        ready = [each for each in cases if self._due(each) is Step.JUDGE]
        free = [each for each in ready if each.key not in self._busy]
        if not free:
            return False
        told = min(free, key=_soonest)
        self._busy.add(told.key)
        try:
            await self._judge(told)
        finally:
            self._busy.discard(told.key)
        return True

    async def _judge(self, told: Told) -> None:
        try:
            least_ordinal = await self._docket.check(told)
            scored, calls = await self._bench.judge(told)
        except JudgeFault as error:
            self._journal.asked(*told.key, error.calls, self._price, self._clock())
            self._again(Step.JUDGE, told, str(error))
            return
        except NotNow as error:
            self._again(Step.JUDGE, told, str(error))
            return
        except Never as error:
            self._give_up(Step.JUDGE, told, str(error))
            return
        self._journal.asked(*told.key, calls, self._price, self._clock())
        salt = self._salt()
        sealed = self._journal.seal(
            session=told.session,
            case=told.case,
            hearing=told.hearing,
            space=told.space,
            scored=scored,
            salt=salt,
            sign=lambda ordinal: self._hand.sign(told, scored, salt, ordinal),
            least_ordinal=least_ordinal,
            now_ms=self._clock(),
        )
        self._say(told, f"judged; commitment {sealed.ordinal} is kept")

    # ----------------------------------------------------------------------- what is due, what is put off

    def wanted(self, cases: Sequence[Told]) -> bool:
        """Whether there is something to judge now."""
        return any(self._due(each) is Step.JUDGE and each.key not in self._busy for each in cases)

    def _due(self, told: Told) -> Step:
        sealed = self._journal.sealed(*told.key)
        kept: Kept | None = None if sealed is None else sealed.kept
        now_ms = self._clock()
        step = due(told, kept, now_ms)
        held = self._held.get(_matter(step, told))
        if held is not None and (held.over or now_ms < held.until_ms):
            return Step.NOTHING
        return step

    def _missed(self, told: Told) -> str:
        sealed = self._journal.sealed(*told.key)
        if sealed is None:
            return "MISSED: it was not judged in time; a seat that does not commit loses stake"
        if sealed.committed_ms is None:
            return "MISSED: the commitment was not taken in time; a seat that does not commit loses stake"
        return "MISSED: the reveal was not taken in time; such a seat loses all of its lock"

    def _hold(self, step: Step, told: Told) -> _Held:
        return self._held.setdefault(_matter(step, told), _Held())

    def _again(self, step: Step, told: Told, why: str) -> None:
        held = self._hold(step, told)
        held.until_ms = self._clock() + min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** min(held.tries, 10))
        if held.tries in (0, 4):
            self._say(told, f"not now: {why}")
        held.tries += 1

    def _give_up(self, step: Step, told: Told, why: str) -> None:
        self._hold(step, told).over = True
        self._say(told, f"REFUSED: {why}")

    def _once(self, step: Step, told: Told, line: str) -> None:
        held = self._hold(step, told)
        if not held.over:
            held.over = True
            self._say(told, line)

    def _say(self, told: Told, what: str) -> None:
        again = f", hearing {told.hearing}" if told.hearing else ""
        self._tell(f"{told.space} {told.session}{again}: {what}")

    def _forget(self, cases: Collection[Told]) -> None:
        """What is held of hearings that nobody tells of any more."""
        told = {each.key for each in cases}
        if len(self._held) > 4 * len(told) + 64:
            self._held = {key: held for key, held in self._held.items() if key[1:3] in told}


def _soonest(told: Told) -> tuple[int, str]:
    return (told.reveal_by_ms if told.all_committed else told.commit_by_ms, told.case)
