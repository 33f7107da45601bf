"""Two answers to one task, the better one chosen (dpo). Pure.

Which is better the scores say where judges gave some, and else what came of the seats' sessions. How far a
label is to be believed is data: a panel that is right on seven of ten such margins makes pairs with a
smoothing of 300 thousandths (robust dpo; Chowdhury et al., 2024).
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from training.chat import Message, Tokenizer, completion_ids, prompt_ids
from training.data.answered import Answered, Learners, answered
from training.data.example import Pair
from training.data.selection import chosen, drawn
from training.trajectory.turn import SeatRecord

MAX_SMOOTHING_MILLI = 499
"""At 500 a label says nothing."""

Milli = Annotated[int, Meta(ge=0, le=1_000)]
Margin = Annotated[int, Meta(ge=0, le=10_000)]


class PairsOptions(Learners, frozen=True, forbid_unknown_fields=True, kw_only=True):
    same: Literal["question", "task"] = "question"
    """What two answers share. `question`: every word that was asked. `task`: session, kind of decision and
    the how-manieth it was of its seat, e.g. the second verses of a battle; the pair then has the chosen
    one's question, which the rejected one was asked but for what rivals had said."""
    across: bool = False
    """Pair answers of different sessions (with `same` question, e.g. the first bid of a game): each winner's with
    one loser's, drawn by the seed."""
    least_margin_milli: Margin = 0
    """A smaller lead in scores makes no pair."""
    reliability: tuple[tuple[Margin, Milli], ...] = ((0, 1_000),)
    """From which margin on labels are right how often, by ascending margins; pairs without scores have the
    margin 0."""
    retries: bool = True
    """Pair an answer that the rules refused with the one that they took of the same decision."""


class Couple(msgspec.Struct, frozen=True):
    """A pair before it is made of tokens."""

    better: Answered
    worse: Answered
    margin_milli: int = 0
    certain: bool = False
    """The rules said so, and no judge."""

    @property
    def origin(self) -> str:
        return f"{self.better.origin}/{self.worse.origin}"

    @property
    def messages(self) -> tuple[Message, ...]:
        return self.better.messages

    @property
    def answer(self) -> tuple[str, ...]:
        return (self.better.turn.completion, self.worse.turn.completion)


def pairs(
    records: Iterable[SeatRecord],
    tokenizer: Tokenizer,
    options: PairsOptions,
    *,
    seed: int = 0,
    most: int = 0,
) -> tuple[list[Pair], Mapping[str, int]]:
    """Pairs in the order of the seed's shuffle, and counts of the form: `coupled`, of these `retried`, and
    `left_out`, by caps or by `most`."""
    turns = list(answered(records, options))
    couples = list(_couples([each for each in turns if each.turn.legal], options, seed))
    retried = list(_retries(turns)) if options.retries else []
    kept = chosen([*couples, *retried], options, seed, most)
    counts = {
        "coupled": len(couples) + len(retried),
        "retried": len(retried),
        "left_out": len(couples) + len(retried) - len(kept),
    }
    return [_pair(each, tokenizer, options) for each in kept], counts


def _couples(turns: Sequence[Answered], options: PairsOptions, seed: int) -> Iterator[Couple]:
    groups: defaultdict[object, list[Answered]] = defaultdict(list)
    nth: defaultdict[object, int] = defaultdict(int)
    for each in turns:
        session, kind = each.turn.session, each.turn.kind
        nth[session, each.turn.seat, kind] += 1
        if options.same == "task":
            groups[session, kind, nth[session, each.turn.seat, kind]].append(each)
        else:
            groups["" if options.across else session, kind, each.messages].append(each)
    for group in groups.values():
        if options.across and options.same == "question":
            yield from _matched(group, seed)
        else:
            yield from _all_of(group, options)


def _all_of(group: Sequence[Answered], options: PairsOptions) -> Iterator[Couple]:
    """Every two seats of one session of which one did better."""
    for one, other in itertools.permutations(group, 2):
        mine, theirs = one.record.score_milli, other.record.score_milli
        scored = mine is not None and theirs is not None
        margin = mine - theirs if mine is not None and theirs is not None else 0
        better = one.record.return_milli > other.record.return_milli
        if not better or (scored and margin < options.least_margin_milli):
            continue
        if one.turn.completion != other.turn.completion:
            yield Couple(one, other, max(0, margin))


def _matched(group: Sequence[Answered], seed: int) -> Iterator[Couple]:
    """Winners' answers, each with a loser's that is another one, as far as they go around."""
    order = sorted(group, key=lambda each: drawn(seed, each.origin))
    lost = [each for each in order if each.record.return_milli < 0]
    for better in (each for each in order if each.record.return_milli > 0):
        worse = next((one for one in lost if one.answer != better.answer), None)
        if worse is not None:
            lost.remove(worse)
            yield Couple(better, worse)


def _retries(turns: Iterable[Answered]) -> Iterator[Couple]:
    """First attempts that were refused, with the second ones that were not; asked as the first were."""
    refused: dict[object, Answered] = {}
    for each in turns:
        decision = (each.turn.session, each.turn.seat, each.turn.number)
        if not each.turn.legal:
            refused.setdefault(decision, each)
        elif (worse := refused.pop(decision, None)) is not None:
            asked = msgspec.structs.replace(each.turn, messages=worse.messages)
            yield Couple(msgspec.structs.replace(each, turn=asked), worse, certain=True)


def smoothing_milli(margin_milli: int, reliability: Sequence[tuple[int, int]]) -> int:
    """How likely a label of this margin is wrong, in thousandths, below 500. Margins under the first of
    the list are as reliable as a coin."""
    right = 500
    for least, milli in reliability:
        if margin_milli >= least:
            right = milli
    return min(MAX_SMOOTHING_MILLI, max(0, 1_000 - right))


def _pair(couple: Couple, tokenizer: Tokenizer, options: PairsOptions) -> Pair:
    smoothing = 0 if couple.certain else smoothing_milli(couple.margin_milli, options.reliability)
    return Pair(
        prompt=prompt_ids(couple.messages, tokenizer),
        chosen=completion_ids(couple.better.turn.completion, tokenizer),
        rejected=completion_ids(couple.worse.turn.completion, tokenizer),
        margin_milli=couple.margin_milli,
        smoothing_milli=smoothing,
        origin=couple.origin,
    )
