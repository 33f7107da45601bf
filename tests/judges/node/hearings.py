"""A court for one judge, in memory: a clerk that follows the clock, counts what it is sent, and tells the judge how it stands."""

from __future__ import annotations

import hashlib
from pathlib import Path

from judges.faults import JudgeUnavailable
from judges.llm import Call
from judges.node.duty import Sat, Stage, Told
from judges.node.journal import Journal, Sealed, Signed
from judges.node.node import Never, Node, NotNow
from judges.node.sheet import Scored

SCORED = Scored(((7_000, 4_000), (5_500, 5_000)), (("good", "weak"), ("", "")))
CALL = Call("small", (0, 1), 1, 900, 40, 1_200)


class Killed(BaseException):
    """The process ends here."""


class Knife:
    """Kills at the given effects; each effect has two instants, before and after it."""

    def __init__(self, *at: int) -> None:
        self._at = set(at)
        self.passed = 0

    def instant(self) -> None:
        self.passed += 1
        if self.passed - 1 in self._at:
            raise Killed


class Hearing:
    """One case as the clerk has it."""

    def __init__(
        self, number: int, filed_ms: int, commit_ms: int = 10_000, reveal_ms: int = 10_000
    ) -> None:
        self.session = f"S{number:03}"
        self.case = "0x" + hashlib.sha256(self.session.encode()).hexdigest()
        self.commit_by_ms = filed_ms + commit_ms
        self.reveal_by_ms = self.commit_by_ms + reveal_ms
        self.filed_ms = filed_ms
        self.commitments: list[bytes] = []
        self.reveals: list[bytes] = []

    def told(self, now_ms: int) -> Told:
        stage = (
            Stage.EARLY
            if now_ms < self.filed_ms
            else Stage.COMMITTING
            if now_ms < self.commit_by_ms
            else Stage.REVEALING
            if now_ms < self.reveal_by_ms
            else Stage.OVER
        )
        if self.reveals:
            seat = Sat.REVEALED
        elif self.commitments:
            seat = Sat.COMMITTED
        else:
            seat = Sat.DRAWN if now_ms < self.commit_by_ms else Sat.LOST
        return Told(
            session=self.session,
            case=self.case,
            hearing=0,
            space="rap-battle",
            transcript="bafk",
            stage=stage,
            seat=seat,
            all_committed=now_ms >= self.commit_by_ms,
            commit_by_ms=self.commit_by_ms,
            reveal_by_ms=self.reveal_by_ms,
        )


class Court:
    """Docket, bench, hand and ear of a judge, with what each is to do. Every effect is told to the knife before and after."""

    def __init__(self, hearings: list[Hearing]) -> None:
        self.hearings = {each.case: each for each in hearings}
        self.now_ms = 0
        self.knife = Knife()
        self.judged: list[str] = []
        self.failures: list[BaseException] = []
        """What judging raises, one after the other."""
        self.deaf = False
        self.refused: str | None = None
        self.answers_lost = 0
        """So many messages are taken, and the answer is lost."""
        self.least_ordinal = 0
        self.unbound = False
        """Others are not shown to have committed."""
        self.salts = 0
        self.lines: list[str] = []

    def clock(self) -> int:
        return self.now_ms

    def salt(self) -> bytes:
        self.salts += 1
        return self.salts.to_bytes(32, "big")

    def tell(self, line: str) -> None:
        self.lines.append(line)

    async def check(self, told: Told) -> int:
        self.knife.instant()
        return self.least_ordinal

    async def bound(self, told: Told) -> None:
        if self.unbound:
            raise NotNow("4 of 5 seats are shown to have committed")

    async def judge(self, told: Told) -> tuple[Scored, tuple[Call, ...]]:
        self.knife.instant()
        if self.failures:
            raise self.failures.pop(0)
        self.judged.append(told.case)
        self.knife.instant()
        return SCORED, (CALL,)

    def sign(self, told: Told, scored: Scored, salt: bytes, ordinal: int) -> Signed:
        self.knife.instant()
        digest = hashlib.sha256(told.case.encode() + salt + bytes([ordinal])).digest()
        return Signed(b"s" * 32, digest, b"sig" + digest)

    async def commit(self, told: Told, sealed: Sealed) -> None:
        self.knife.instant()
        self._heard(self.hearings[told.case].commitments, sealed.commitment)
        self.knife.instant()

    async def reveal(self, told: Told, sealed: Sealed) -> None:
        self.knife.instant()
        digest = hashlib.sha256(told.case.encode() + sealed.salt + bytes([sealed.ordinal])).digest()
        self._heard(self.hearings[told.case].reveals, digest)
        self.knife.instant()

    def _heard(self, box: list[bytes], message: bytes) -> None:
        if self.deaf:
            raise NotNow("no answer")
        if self.refused is not None:
            raise Never(self.refused)
        box.append(message)
        if self.answers_lost:
            self.answers_lost -= 1
            raise NotNow("the answer is lost")

    # -----------------------------------------------------------------------

    def node(self, journal: Journal) -> Node:
        return Node(
            journal=journal,
            docket=self,
            bench=self,
            hand=self,
            ear=self,
            salt=self.salt,
            clock=self.clock,
            tell=self.tell,
        )

    async def run(self, path: Path, until_ms: int, step_ms: int = 250) -> None:
        """One process, until the clock is there or the knife falls (Killed)."""
        journal = journal_at(path)
        try:
            node = self.node(journal)
            while self.now_ms < until_ms:
                told = [each.told(self.now_ms) for each in self.hearings.values()]
                await node.send(told)
                await node.judge_next(told)
                self.now_ms += step_ms
        finally:
            journal.close()


def journal_at(path: Path) -> Journal:
    return Journal(path, judge="0xAA", court="31337:0xBB")


def unavailable() -> JudgeUnavailable:
    return JudgeUnavailable("the model server answered 500")
