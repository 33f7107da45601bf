"""The court's arithmetic, as a verifier needs it: `judges.court`, which is unknown here, put in by whoever calls."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Literal, Protocol

import msgspec

from chain.court.filing import Filing
from chain.court.snapshot import Snapshot
from spaces.transcript import Replayed

Sheet = Sequence[int]
"""By line of the rubric, then by contestant, thousandths of a point."""


class Means(msgspec.Struct, frozen=True):
    """What a hearing means for one judge."""

    skill: int
    """Millionths."""
    pay: int
    """Micro-USDC."""
    slash: int
    """FRAC, in its smallest part."""


class Reckoned(msgspec.Struct, frozen=True):
    medians: tuple[int, ...]
    totals: tuple[int, ...]
    margin: int
    seats: tuple[Means, ...]
    """In the order of the sheets."""


class Over(msgspec.Struct, frozen=True):
    """A hearing that is over."""

    seats: int
    margin: int | None
    """None: it has failed."""


class Rubric(msgspec.Struct, frozen=True):
    id: str
    lines: tuple[str, ...]
    weights: tuple[int, ...]


class Rules(Protocol):
    def rubric(self, space: str) -> Rubric | None:
        """That is in force for a Space; None where no judges decide."""
        ...

    def drawn(
        self, snapshot: Snapshot, seats: int, word: Callable[[int], int]
    ) -> tuple[list[str], list[str]]:
        """(panel, reserves), in the order of the draw. Raises ValueError where the snapshot can't fill the panel."""
        ...

    def reckon(self, filing: Filing, sheets: Sequence[Sheet], reference: Sheet | None) -> Reckoned:
        """Raises ValueError where there is no sheet."""
        ...

    def missed(self, filing: Filing, standing: Literal["unrevealed", "absent"]) -> Means: ...

    def unpaid(self, filing: Filing) -> Means:
        """Of a judge that has revealed where too few others did."""
        ...

    def overturned(
        self, filing: Filing, sheet: Sheet, was: Sequence[int], last: Sequence[int]
    ) -> int:
        """What the judge of this sheet loses if the case's last hearing came to these totals, and its own to those."""
        ...

    def quorum(self, seats: int) -> int: ...

    def following(
        self, over: Sequence[Over], margin: int, escalations: int, can: Callable[[int], bool]
    ) -> int | None:
        """How many judges another panel has to seat after these; None: none has to sit. `can`: whether so many can be seated."""
        ...

    def seatable(self, snapshot: Snapshot, seats: int, lock: int) -> bool:
        """Whether any draw fills such a panel."""
        ...

    def ranks(self, space: str, totals: Sequence[int], played: Replayed | None) -> list[int]:
        """By contestant, 1 is best; seats that have forfeited (`forfeited`) are last."""
        ...

    def forfeited(self, played: Replayed) -> Collection[int]:
        """Contestants that have given nothing that can be judged."""
        ...
