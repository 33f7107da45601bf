"""Answers that were good or bad by themselves (kto): of seats that did better or worse, and those that the
rules refused. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated

from msgspec import Meta

from training.chat import Tokenizer, completion_ids, prompt_ids
from training.data.answered import Answered, Learners, answered
from training.data.example import Labelled
from training.data.selection import chosen
from training.trajectory.turn import SeatRecord


class LabelledOptions(Learners, frozen=True, forbid_unknown_fields=True, kw_only=True):
    least_return_milli: Annotated[int, Meta(ge=1, le=1_000)] = 1
    """Seats that came out nearer to the middle than this are left out, but for their faults."""
    faults: bool = True
    """Whether an answer that the rules refused is undesirable, whatever came of its seat."""
    balanced: bool = True
    """Whether good and bad answers weigh the same in all: the more frequent ones then weigh less each
    (the paper wants their sums within 1 to 4/3; Ethayarajh et al., 2024, section 4.2)."""


def labelled(
    records: Iterable[SeatRecord],
    tokenizer: Tokenizer,
    options: LabelledOptions,
    *,
    seed: int = 0,
    most: int = 0,
) -> tuple[list[Labelled], Mapping[str, int]]:
    """Examples in the order of the seed's shuffle, and counts of the form: turns of seats that `won` and
    `lost`, `faults`, `left_out` by caps or by `most`, and of the examples the `desirable` ones."""
    turns = list(answered(records, options))
    least = options.least_return_milli
    won = [each for each in turns if each.turn.legal and each.record.return_milli >= least]
    lost = [each for each in turns if each.turn.legal and each.record.return_milli <= -least]
    faults = [each for each in turns if not each.turn.legal] if options.faults else []
    kept = chosen([*won, *lost, *faults], options, seed, most)
    good = [_is_good(each) for each in kept]
    weights = _weights(sum(good), len(good) - sum(good)) if options.balanced else (1_000, 1_000)
    examples = [
        Labelled(
            prompt=prompt_ids(each.messages, tokenizer),
            completion=completion_ids(each.turn.completion, tokenizer),
            desirable=desirable,
            weight_milli=weights[not desirable],
            origin=each.origin,
        )
        for each, desirable in zip(kept, good, strict=True)
    ]
    return examples, {
        "won": len(won),
        "lost": len(lost),
        "faults": len(faults),
        "left_out": len(won) + len(lost) + len(faults) - len(kept),
        "desirable": sum(good),
    }


def _is_good(each: Answered) -> bool:
    return each.turn.legal and each.record.return_milli > 0


def _weights(good: int, bad: int) -> tuple[int, int]:
    """Of a good and of a bad answer, so that their sums are equal and none weighs more than 1000."""
    if not good or not bad:
        return 1_000, 1_000
    fewer = min(good, bad)
    return max(1, round(1_000 * fewer / good)), max(1, round(1_000 * fewer / bad))
