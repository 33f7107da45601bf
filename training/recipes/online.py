"""What a run of GRPO is told beside `TrainConfig`: what is played, against whom, and what counts. Needs no torch."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from training.chat import SYSTEM
from training.play.curriculum import ALONE, BID_TAC_TOE, Curriculum
from training.play.samples import Credit

EASY_PUZZLES = ("chain_sum", "products", "gcd", "spell_backward", "letter_counting")
"""The plainest generators of `logic` at the level `easy`: one step of reckoning or spelling, answered in a word."""


class Online(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A function of the step and of what was learnt before: no match is played twice."""

    space: str = "bid-tac-toe"
    params: dict[str, Any] = {}
    """Of the sessions; missing ones take the Space's default."""
    system: str = SYSTEM
    constrained: bool = True
    """Answers among the legal ones where they can be counted up, as hosted agents give them; False: freely, so that
    the form is learnt, too."""
    temperature: Annotated[float, Meta(gt=0, le=2)] = 1.0
    """Of the learner and of the selves that it meets; at 1 the samples are the policy's own."""
    max_tokens: Annotated[int, Meta(ge=1, le=4_096)] = 48
    """Of a free answer."""
    matches: Annotated[int, Meta(ge=1, le=4_096)] = 16
    """Played for an update, half of them in either seat; of their answers `TrainConfig.batch` are learnt from."""
    copies: Annotated[int, Meta(ge=1, le=64)] = 1
    """Of these matches so many share a seed and so a puzzle: a larger group to be compared with."""
    credit: Credit = Credit()
    curriculum: Curriculum = BID_TAC_TOE


def bid_tac_toe(**changes: Any) -> Online:
    """The default, with changes."""
    return msgspec.structs.replace(Online(), **changes)


def logic(**changes: Any) -> Online:
    """Groups on the same puzzle: five seats, and two matches of each seed, make ten answers to compare.

    For a parent that already answers in form, e.g. by sft: of 40 free answers of SmolLM2-135M-Instruct to sums none had it
    (`training/LOG.md`), and where all fail alike there is nothing to compare.
    """
    return msgspec.structs.replace(
        Online(
            space="logic",
            params={"rounds": 1, "level": "easy", "topics": list(EASY_PUZZLES)},
            constrained=False,
            matches=8,
            copies=2,
            credit=Credit(baseline="group", format_weight=0.25),
            curriculum=ALONE,
        ),
        **changes,
    )
