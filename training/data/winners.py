"""What better seats answered, to be imitated (sft): expert iteration, or rejection sampling. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from msgspec import Meta

from training.chat import Tokenizer, completion_ids, prompt_ids
from training.data.answered import Answered, Learners, answered
from training.data.example import Example
from training.data.selection import chosen
from training.trajectory.turn import SeatRecord


class WinnersOptions(Learners, frozen=True, forbid_unknown_fields=True, kw_only=True):
    least_return_milli: Annotated[int, Meta(ge=-1_000, le=1_000)] = 1
    """A seat of this return or more has won; 1: it beat more of the others than beat it."""
    weighted: bool = False
    """Whether an example weighs as much as its seat's return, at least a tenth; else all weigh the same."""


LEAST_WEIGHT_MILLI = 100


def winners(
    records: Iterable[SeatRecord],
    tokenizer: Tokenizer,
    options: WinnersOptions,
    *,
    seed: int = 0,
    most: int = 0,
) -> tuple[list[Example], Mapping[str, int]]:
    """Examples in the order of the seed's shuffle, and counts of the form: `won`, the turns of winning
    seats, and of these `left_out`, by caps or by `most`."""
    won = [
        each
        for each in answered(records, options)
        if each.turn.legal and each.record.return_milli >= options.least_return_milli
    ]
    kept = chosen(won, options, seed, most)
    examples = [_example(each, tokenizer, options) for each in kept]
    return examples, {"won": len(won), "left_out": len(won) - len(kept)}


def _example(each: Answered, tokenizer: Tokenizer, options: WinnersOptions) -> Example:
    weight = max(each.record.return_milli, LEAST_WEIGHT_MILLI) if options.weighted else 1_000
    return Example(
        prompt=prompt_ids(each.turn.messages, tokenizer),
        completion=completion_ids(each.turn.completion, tokenizer),
        weight_milli=weight,
        origin=each.origin,
    )
