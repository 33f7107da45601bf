"""What the clerk needs of the chain, and how the chain's side learns what the clerk has found.

The clerk asks, again and again, and remembers nothing between two rounds but its rows. So whoever stands behind this keeps rows of
its own for what it was asked to file, and answers by what is final on the chain: a filing that a reorganisation may take back is
not filed yet. Every method may be called again after a crash at any point.

The other way goes by rows: what is to be anchored, paid and slashed is in `server.store.court` (`Court.unanchored`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from chain.court.filing import Filing
from chain.court.snapshot import Snapshot
from chain.documents.case import Message
from judges.court.draw import Candidate

Sheet = tuple[int, ...]
"""Scores by line, then by contestant (row-major), thousandths of a point."""


class Filed(msgspec.Struct, frozen=True):
    """A hearing whose batch is on the chain for good."""

    batch: int
    index: int
    """Of the filing, in its batch."""
    proof: tuple[bytes, ...]
    """From its leaf's sibling up."""
    filed_ms: int
    """The time of its block, unix milliseconds."""
    seed: bytes | None
    """32 bytes; None until the chain has kept it for good."""
    transactions: tuple[tuple[str, str], ...] = ()
    """(`file` or `seed`, hash), for whoever looks."""
    lost: bool = False
    """It has no seed and never will, as nobody asked in time: file the hearing again."""


class Pool(msgspec.Struct, frozen=True):
    """A snapshot: who can be drawn."""

    snapshot: Snapshot
    families: Mapping[bytes, str]
    """What families of it are called, by their id; others are shown as hex."""

    def candidates(self) -> list[Candidate]:
        """For the draw, in the snapshot's order."""
        return [
            Candidate(each.judge, each.operator, each.family.hex(), each.weight)
            for each in self.snapshot.judges
        ]

    def family(self, judge: str) -> str:
        """As people call it."""
        id_ = next(each.family for each in self.snapshot.judges if each.judge == judge)
        return self.families.get(id_) or id_.hex()


class ForcedSeat(msgspec.Struct, frozen=True):
    """A judge of a hearing on the chain."""

    judge: str
    operator: str
    family: str
    state: Literal["drawn", "committed", "revealed", "absent", "replaced"]
    reserve: bool
    ordinal: int | None = None
    sheet: Sheet | None = None
    """Told by its reveal there."""
    skill: int = 0
    pay: int = 0
    slash: int = 0


class Forced(msgspec.Struct, frozen=True):
    """A hearing that somebody has put on the chain. What comes of it there is what counts."""

    hearing: int
    state: Literal["open", "decided", "failed"]
    seats: tuple[ForcedSeat, ...] = ()
    """In the order in which they were drawn; empty before."""
    medians: Sheet = ()
    totals: tuple[int, ...] = ()
    margin: int = 0
    ended_ms: int | None = None
    """The time of the block that ended it."""
    filing: Filing | None = None
    """None: as it was filed; else the contract itself has made the hearing, by an appeal or an escalation."""
    batch: int | None = None
    """Of a hearing that the contract has made: it is a batch by itself."""
    seed: bytes | None = None
    messages: tuple[Message, ...] = ()
    """What was brought there, in the order of the chain, for `agon-case/1` (`i` and `prev` are filled in by the clerk)."""
    transactions: tuple[tuple[str, str], ...] = ()


class Chain(Protocol):
    """All methods raise OSError while the chain, or what is known of it, cannot be had."""

    async def appeal_s(self) -> int:
        """For how long the contract takes appeals."""
        ...

    async def newest(self) -> Pool | None:
        """The snapshot that the next filings are to name; None while there is none."""
        ...

    async def pool(self, snapshot: int) -> Pool:
        """One that `newest` has named."""
        ...

    async def file(self, filings: Sequence[Filing]) -> None:
        """Have these hearings filed soon, those of one snapshot in one batch. Idempotent by case and hearing: the first that was
        asked for stands, until its batch was `lost`."""
        ...

    async def filed(self, case: bytes, hearing: int) -> Filed | None:
        """None until it is final."""
        ...

    async def forced(self, case: bytes) -> Sequence[Forced]:
        """All hearings of a case that are on the chain itself, by number: by force, or by an appeal or an escalation there."""
        ...

    async def uncontested(self, case: bytes, hearings: Sequence[int], since_ms: int) -> bool:
        """Whether the newest block, which is of `since_ms` (Unix) or later, has none of these hearings of a case done on the chain.
        What was put there lately is not told by `forced` yet: so money does not move past an appeal while its block is buried, or
        while logs are not read."""
        ...
