"""What the clerk needs of the chain, and what the chain is told of what the clerk has found.

The clerk asks, again and again, and remembers nothing between two rounds but its rows. So whoever stands behind this keeps rows of
its own for what it was asked to file, and answers by what is final on the chain: a filing that a reorganisation may take back is
not filed yet. Every method may be called again after a crash at any point.

The other way goes by rows: what is to be anchored and slashed is in `server.store.court` (`Court.unanchored`, `Court.anchor`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec

from judges.court.draw import Candidate, Word

Sheet = tuple[int, ...]
"""Scores by line, then by contestant (row-major), thousandths of a point."""


class Draft(msgspec.Struct, frozen=True):
    """What a hearing is to be about: a filing (`chain.court.filing`) before it is in a batch."""

    session: str
    case: bytes
    """32 bytes: SHA-256 of the session's id."""
    hearing: int
    """From 0."""
    transcript: bytes
    """32 bytes: SHA-256 of the transcript's block."""
    seats: int
    snapshot: int
    """One that `Chain.newest` has named; those of one batch share it."""
    contestants: int
    weights: tuple[int, ...]
    """Of each line of the rubric."""
    prior: tuple[int, ...]
    """For each line the usual score, thousandths of a point."""
    scale: int
    fee_micros: int
    """Micro-USDC, for the whole panel."""
    lock: int
    """FRAC, in its smallest unit, for each seat."""
    margin: int
    """Thousandths of a point: less, and a bigger panel looks again."""
    commit_s: int
    reveal_s: int
    salt: bytes
    """32 secret bytes, which hide in `reference` whether there is an answer."""
    answer: Sheet | None = None
    """Of a hidden audit."""


class Filed(msgspec.Struct, frozen=True):
    """A hearing whose batch is on the chain for good."""

    batch: int
    filing: dict[str, Any]
    """As in `agon-case/1`, with its place and proof in the batch (keys of `chain.documents.case`)."""
    filed_ms: int
    """The time of its block."""
    seed: bytes | None
    """32 bytes; None until the chain has kept it. If it never can (nobody asked in time), `lost`."""
    lost: bool = False
    """This batch has no seed and never will: the hearing is to be filed again, by the same terms."""


class Pool(msgspec.Struct, frozen=True):
    """A snapshot: who can be drawn."""

    snapshot: int
    candidates: tuple[Candidate, ...]
    """In the snapshot's order; judges and operators are EIP-55 addresses."""


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
    seats: tuple[ForcedSeat, ...]
    """Reserves last."""
    medians: Sheet = ()
    totals: tuple[int, ...] = ()
    margin: int = 0
    by_appeal: bool = False


class Messages(Protocol):
    """Signatures and commitments of one court. Pure."""

    def commit_signer(
        self, case: bytes, hearing: int, commitment: bytes, ordinal: int, signature: bytes
    ) -> str | None:
        """Who has signed this Commit, EIP-55; None for what is no signature."""
        ...

    def reveal_signer(
        self, case: bytes, hearing: int, scores_hash: bytes, salt: bytes, signature: bytes
    ) -> str | None: ...

    def scores_hash(self, sheet: Sheet, reasons: Sequence[Sequence[str]]) -> bytes:
        """keccak256(abi.encode(sheet, SHA-256 of the canonical JSON of the reasons))."""
        ...

    def commitment(
        self, case: bytes, hearing: int, judge: str, scores_hash: bytes, salt: bytes
    ) -> bytes: ...

    def word(self, seed: bytes, case: bytes, hearing: int) -> Word:
        """What draws each seat of a hearing."""
        ...


class Chain(Protocol):
    """All methods raise OSError while the chain, or what is known of it, cannot be had."""

    @property
    def messages(self) -> Messages: ...

    async def newest(self) -> Pool | None:
        """The snapshot that the next filings are to name; None while there is none."""
        ...

    async def pool(self, snapshot: int) -> Pool:
        """One that `newest` has named."""
        ...

    async def file(self, drafts: Sequence[Draft]) -> None:
        """Have these hearings filed, soon, many in one batch. Idempotent by case and hearing: the first draft stands, until
        its batch was `lost`."""
        ...

    async def filed(self, case: bytes, hearing: int) -> Filed | None:
        """None until it is final."""
        ...

    async def forced(self, case: bytes) -> Sequence[Forced]:
        """All hearings of a case that are on the chain itself, by number; by an appeal, too, whose number is that of the last one and 1."""
        ...
