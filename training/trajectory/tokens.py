"""A seat's way through a session as arrays over tokens. Pure.

A seat's T tokens are its turns one after the other, each with its question and its answer: a turn is a
conversation of its own, nothing of one is read in the next (`turns` says where each begins).

    ids         (T,)  token ids
    loss_mask   (T,)  1 where the model answered, 0 where it read; the end token is part of the answer
    outcome     (T,)  thousandths; the seat's return, at the last token of its last answer
    format      (T,)  thousandths; `FAULT_MILLI` at the last token of each answer that the rules refused

Outcome and format are apart, so that whoever trains may weigh them; their sum is the reward. The end of an
answer bears its reward: what the model reads afterwards it did not choose.
"""

from __future__ import annotations

import msgspec

from training.chat import Tokenizer, completion_ids, prompt_ids
from training.trajectory.turn import SeatRecord, Turn

FAULT_MILLI = -1_000
"""Of an answer that did not count."""


class Span(msgspec.Struct, frozen=True):
    """Where a turn lies in its seat's tokens: `[start, answer)` is read, `[answer, stop)` is said."""

    start: int
    answer: int
    stop: int


class SeatTokens(msgspec.Struct, frozen=True, kw_only=True):
    """All of shape (T,) but `turns`."""

    ids: tuple[int, ...]
    loss_mask: tuple[int, ...]
    outcome: tuple[int, ...]
    format: tuple[int, ...]
    turns: tuple[Span, ...]

    @property
    def rewards_milli(self) -> tuple[int, ...]:
        """Outcome and format together, shape (T,)."""
        return tuple(a + b for a, b in zip(self.outcome, self.format, strict=True))


def tokens(record: SeatRecord, tokenizer: Tokenizer) -> SeatTokens:
    """Of the turns whose words are known; T is 0 where there is none."""
    ids: list[int] = []
    mask: list[int] = []
    format_: list[int] = []
    spans: list[Span] = []
    for turn in said(record):
        asked = prompt_ids(turn.messages, tokenizer)
        answered = completion_ids(turn.completion, tokenizer)
        spans.append(Span(len(ids), len(ids) + len(asked), len(ids) + len(asked) + len(answered)))
        ids += asked + answered
        mask += [0] * len(asked) + [1] * len(answered)
        format_ += [0] * (len(asked) + len(answered) - 1) + [0 if turn.legal else FAULT_MILLI]
    outcome = [0] * len(ids)
    if ids:
        outcome[-1] = record.return_milli
    return SeatTokens(
        ids=tuple(ids),
        loss_mask=tuple(mask),
        outcome=tuple(outcome),
        format=tuple(format_),
        turns=tuple(spans),
    )


def said(record: SeatRecord) -> tuple[Turn, ...]:
    """The turns whose words are known: those that the rules took, and faults whose words were kept."""
    return tuple(turn for turn in record.turns if turn.legal or turn.completion)
