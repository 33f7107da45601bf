"""Hearings that are done on the chain, typed: every step by force, appeals, bonds. What each call does and refuses is said in
`chain/contracts/hearings.vy`."""

from __future__ import annotations

import enum
from collections.abc import Sequence

import msgspec

from chain.client.contract import Caller, Contract, Invocation
from chain.court.anchor import SeatLeaf
from chain.court.filing import Filing, unpacked
from chain.court.messages import Commit
from chain.court.snapshot import Snapshot

MARKED = 1 << 64
"""Of a seat's marks, the bits below are its ordinal."""


class Stage(enum.IntEnum):
    ELSEWHERE = 0
    """By messages, or not at all."""
    FORCED = 1
    """Its panel is to be drawn."""
    COMMITTING = 2
    RECOMMITTING = 3
    """Reserves sit for those who did not commit."""
    REVEALING = 4
    DECIDED = 5
    FAILED = 6
    """Under the quorum."""
    UNSEATED = 7
    """The snapshot could not fill the panel."""

    @property
    def over(self) -> bool:
        return self >= Stage.DECIDED


class Course(msgspec.Struct, frozen=True):
    """What changes while a hearing is done."""

    state: int
    at: int
    """Until when the step may be done; once it has ended, when it did. Unix seconds."""
    size: int
    seats: int
    drawn: int
    called: int
    committed: int
    due: int
    revealed: int
    failures: int
    differed: bool
    upheld: bool
    settled: bool

    @property
    def stage(self) -> Stage:
        return Stage(self.state)


class Put(msgspec.Struct, frozen=True):
    """A hearing that was put on the chain; zeros of one that was not."""

    filing: bytes
    """Its leaf."""
    batch: int
    course: int
    challenger: str
    bond: int
    """FRAC of whoever has forced it."""
    appeal: int
    """Micro-USDC of whoever has appealed."""
    inputs: bytes
    verdict: bytes
    """`chain.court.anchor.verdict_hash`; zeros until it is decided."""
    result: int

    def totals(self, contestants: int) -> list[int]:
        """Of a decided one, thousandths of a point."""
        return list(unpacked(self.result, 16, contestants))

    @property
    def margin(self) -> int:
        return self.result >> 128


class Seat(msgspec.Struct, frozen=True):
    judge: str
    commitment: bytes
    """Zeros where it has not committed."""
    marks: int
    sheet: tuple[int, int, int, int]
    slash: int
    """FRAC that the hearing has cost it."""

    @property
    def committed(self) -> bool:
        return self.commitment != bytes(32)

    @property
    def ordinal(self) -> int | None:
        """None where it has not committed."""
        return self.marks % MARKED if self.committed else None

    @property
    def revealed(self) -> bool:
        return bool(self.marks & MARKED)

    @property
    def overturned(self) -> bool:
        return bool(self.marks & MARKED << 1)


class Hearings(Contract):
    """The contract at `address`."""

    def __init__(self, node: Caller, address: str) -> None:
        super().__init__(node, "hearings", address)

    async def stage(self, case: bytes, hearing: int, block: int | None = None) -> Stage:
        return Stage(int(await self.read("state_of", case, hearing, block=block)))

    async def hearing(self, case: bytes, hearing: int) -> tuple[Put, Course]:
        found, course = await self.read("hearing_of", case, hearing)
        return Put(*found), Course(*course)

    async def seat(self, case: bytes, hearing: int, number: int) -> Seat:
        """`number`: in the order of the draw, reserves last."""
        return Seat(*await self.read("seat_of", case, hearing, number))

    async def has_said(self, leaf: SeatLeaf) -> bool:
        """Whether a hearing there has meant that for the judge."""
        return bool(await self.read("has_said", leaf.leaf()))

    async def put(self, case: bytes) -> int:
        """One more than the number of the case's last hearing that was put there; 0: none was."""
        return int(await self.read("last_put", case))

    async def decided(self, case: bytes) -> int:
        """One more than the number of the case's last hearing that was decided there; 0: none was."""
        return int(await self.read("last_decided", case))

    async def owed(self, account: str) -> tuple[int, int]:
        """(FRAC, micro-USDC) of bonds that `collect` pays."""
        frac = int(await self.read("frac_owed", account))
        return frac, int(await self.read("usdc_owed", account))

    def force(self, batch: int, filing: Filing, proof: Sequence[bytes]) -> Invocation:
        """By anybody, who has approved the bond in FRAC."""
        return self.invoke("force", batch, filing.words(), list(proof))

    def appeal(self, batch: int, filing: Filing, proof: Sequence[bytes], bond: int) -> Invocation:
        """By anybody, who has approved the bond in micro-USDC: at least twice the next panel's fee."""
        return self.invoke("appeal", batch, filing.words(), list(proof), bond)

    def follow(self, filing: Filing) -> Invocation:
        """By anybody: the hearing that has to come after this one, which has ended there."""
        return self.invoke("follow", filing.words())

    def draw(self, filing: Filing, snapshot: Snapshot) -> Invocation:
        """By anybody, once the batch has its seed."""
        rows = snapshot.judges
        return self.invoke(
            "draw",
            filing.words(),
            [each.judge for each in rows],
            [each.operator for each in rows],
            [each.family for each in rows],
            [each.weight for each in rows],
        )

    def commit(self, number: int, commit: Commit, signature: bytes) -> Invocation:
        """By anybody who has the judge's signed message. `number`: of its seat."""
        fields = (commit.case, commit.hearing, commit.commitment, commit.ordinal)
        return self.invoke("commit", number, fields, signature)

    def call(self, case: bytes, hearing: int) -> Invocation:
        """By anybody, when the time for commitments is over."""
        return self.invoke("call", case, hearing)

    def reveal(
        self,
        case: bytes,
        hearing: int,
        number: int,
        sheet: Sequence[int],
        reasons_digest: bytes,
        salt: bytes,
    ) -> Invocation:
        """By anybody who knows what the judge has committed to."""
        return self.invoke("reveal", case, hearing, number, list(sheet), reasons_digest, salt)

    def finalize(
        self, filing: Filing, salt: bytes | None = None, answer: Sequence[int] = ()
    ) -> Invocation:
        """By anybody. `salt`: of the filing's reference, `answer`: of an audit; None: nobody has opened it for a step's time."""
        opened = salt is not None
        return self.invoke("finalize", filing.words(), opened, salt or bytes(32), list(answer))

    def overturn(self, filing: Filing, number: int) -> Invocation:
        """By anybody, when the case is over there."""
        return self.invoke("overturn", filing.words(), number)

    def contradict(
        self,
        case: bytes,
        hearing: int,
        epoch: int,
        verdict: bytes,
        document: bytes,
        proof: Sequence[bytes],
        found: tuple[Sequence[int], Sequence[int], int] = ((), (), 0),
    ) -> Invocation:
        """By anybody: the clerk has anchored another verdict. `found`: (medians, totals, margin) of the leaf's, to prove a lie."""
        medians, totals, margin = found
        return self.invoke(
            "contradict",
            case,
            hearing,
            epoch,
            verdict,
            document,
            list(proof),
            list(medians),
            list(totals),
            margin,
        )

    def contradict_seat(
        self, number: int, epoch: int, leaf: SeatLeaf, proof: Sequence[bytes]
    ) -> Invocation:
        """By anybody: the clerk has anchored something else for a seat that has revealed there."""
        seat = (leaf.judge, leaf.ordinal, leaf.skill, leaf.pay, leaf.slash)
        return self.invoke(
            "contradict_seat", leaf.case, leaf.hearing, number, epoch, seat, list(proof)
        )

    def uphold(
        self,
        case: bytes,
        hearing: int,
        epoch: int,
        document: bytes,
        proof: Sequence[bytes],
        found: tuple[Sequence[int], Sequence[int], int],
        inputs: bytes,
    ) -> Invocation:
        """By anybody: the hearing before an appeal had the same winner. `found`: its (medians, totals, margin)."""
        medians, totals, margin = found
        return self.invoke(
            "uphold",
            case,
            hearing,
            epoch,
            document,
            list(proof),
            list(medians),
            list(totals),
            margin,
            inputs,
        )

    def settle(self, case: bytes, hearing: int) -> Invocation:
        """By anybody: whose the hearing's bond is."""
        return self.invoke("settle", case, hearing)

    def collect(self, account: str) -> Invocation:
        """By anybody; it is paid to the account."""
        return self.invoke("collect", account)
