"""What can go wrong with a judge. Always our fault: a failed judge raises, it never scores 0.

JudgeFault
├── JudgeUnavailable   no answer: refused, timed out, overloaded
└── JudgeUnreadable    an answer that is not in the form that was asked for
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from judges.llm import Call


class JudgeFault(Exception):
    """No opinion came of this judging. `reason` may be shown to people and told to the model. `calls`: what it took all the same."""

    def __init__(self, reason: str, calls: tuple[Call, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.calls = calls


class JudgeUnavailable(JudgeFault):
    """The judge could not be asked; asking later may help."""


class JudgeUnreadable(JudgeFault):
    """The judge's answer cannot be used."""
