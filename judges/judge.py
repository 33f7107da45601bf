"""What a judge is, whatever is behind it: a model that is asked, or instruments that are read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from judges.case import Case
from judges.rubric import Rubric
from judges.verdict import Opinion

if TYPE_CHECKING:
    from judges.llm import Call


class Judge(Protocol):
    """Safe to use from several tasks."""

    model: str
    """What the opinions are signed with: a model's name, or a family's with its version."""
    how: str
    """How the points came about, for people."""

    async def opinion(
        self, rubric: Rubric, case: Case, nonce: str
    ) -> tuple[Opinion, tuple[Call, ...]]:
        """Thousandths of points, 0 .. 10,000, for each rubric line and seat, and what was asked for them.

        `nonce` is unknown to the contestants. Raises JudgeFault: a judge that fails has no opinion.
        """

    async def aclose(self) -> None:
        """Idempotent."""
