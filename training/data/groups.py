"""Every answer with how much better than expected it turned out (grpo). Pure.

From transcripts these are what a past version did (off-policy): nobody knows with which probability it
answered, so `logprobs` are empty, and no recipe learns from them yet: grpo learns online, from the rollouts of
`training.play`, which knows them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

from msgspec import Meta

from training.chat import Tokenizer, completion_ids, prompt_ids
from training.data.advantage import Baselines, group_relative, role_of
from training.data.answered import Answered, Learners, answered
from training.data.example import Sample
from training.data.selection import chosen
from training.trajectory.turn import SeatRecord


class GroupsOptions(Learners, frozen=True, forbid_unknown_fields=True, kw_only=True):
    baseline: Literal["role", "group"] = "role"
    """`role`: the running mean of the game's seat, over sessions in the order of their CIDs. `group`: the
    other answers to the same question; one that was asked once then teaches nothing."""
    decay_milli: Annotated[int, Meta(ge=0, le=1_000)] = 950
    fault_milli: Annotated[int, Meta(ge=-10_000, le=0)] = -1_000
    """The reward of an answer that the rules refused, in place of what came of its session: format and
    outcome are apart."""


def groups(
    records: Iterable[SeatRecord],
    tokenizer: Tokenizer,
    options: GroupsOptions,
    *,
    seed: int = 0,
    most: int = 0,
) -> tuple[list[Sample], Mapping[str, int]]:
    """Samples in the order of the seed's shuffle, and counts of the form: `groups` that share a baseline,
    and `left_out`, by caps or by `most`."""
    turns = list(answered(records, options))
    lead = _by_role(turns, options) if options.baseline == "role" else _by_group(turns, options)
    kept = chosen(turns, options, seed, most)
    names = {
        each: f"question-{number}"
        for number, each in enumerate(dict.fromkeys(each.messages for each in turns))
    }
    samples = [
        Sample(
            prompt=prompt_ids(each.messages, tokenizer),
            completion=completion_ids(each.turn.completion, tokenizer),
            logprobs=(),
            advantage=lead[each.origin],
            group=_role(each) if options.baseline == "role" else names[each.messages],
        )
        for each in kept
    ]
    counts = {"groups": len({each.group for each in samples}), "left_out": len(turns) - len(kept)}
    return samples, counts


def _reward(each: Answered, options: GroupsOptions) -> float:
    milli = each.record.return_milli if each.turn.legal else options.fault_milli
    return milli / 1_000


def _role(each: Answered) -> str:
    return role_of(each.record.space, each.record.seat)


def _by_role(turns: Sequence[Answered], options: GroupsOptions) -> dict[str, float]:
    """By origin. A session is a batch; what its faults cost moves no expectation of its outcome."""
    baselines = Baselines(decay=options.decay_milli / 1_000)
    sessions: defaultdict[str, list[Answered]] = defaultdict(list)
    for each in turns:
        sessions[each.turn.session].append(each)
    lead: dict[str, float] = {}
    for _, session in sorted(sessions.items()):
        outcomes = {_role(each): each.record.return_milli / 1_000 for each in session}
        told, after = baselines.advantages(list(outcomes.items()))
        by_role = dict(zip(outcomes, told, strict=True))
        for each in session:
            refused = _reward(each, options)
            lead[each.origin] = by_role[_role(each)] if each.turn.legal else refused
        baselines = after
    return lead


def _by_group(turns: Sequence[Answered], options: GroupsOptions) -> dict[str, float]:
    questions: defaultdict[object, list[Answered]] = defaultdict(list)
    for each in turns:
        questions[each.messages].append(each)
    lead: dict[str, float] = {}
    for group in questions.values():
        told = group_relative([_reward(each, options) for each in group])
        lead.update(zip((each.origin for each in group), told, strict=True))
    return lead
