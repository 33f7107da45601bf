"""What comes of a gate, with its reasons in words. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from training.gate import format as answers
from training.gate import pool, sprt
from training.gate.format import Answers
from training.gate.pool import Compared
from training.gate.sprt import Sprt

Decision = Literal["promote", "keep", "undecided"]
"""`promote`: the candidate plays from now on. `keep`: the current version goes on. `undecided`: it goes on, too, since nothing was shown."""


class Verdict(msgspec.Struct, frozen=True):
    decision: Decision
    reasons: tuple[str, ...]
    """Sentences, the deciding ones first."""


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """All that a gate has seen."""

    test: Sprt
    candidate: Answers = Answers()
    current: Answers = Answers()
    pool: Compared = Compared()
    given_up: int = 0
    """Pairs that could not be played."""


def decided(seen: Evidence) -> Verdict | None:
    """The verdict as far as the test and the answers say it, without the pool: None while the test runs, and where only the pool
    can still speak against a promotion."""
    if seen.test.state == "running":
        return None
    if seen.test.state != "passed" or answers.regressed(seen.candidate, seen.current):
        return final(seen)
    return None


def final(seen: Evidence) -> Verdict:
    """The verdict when nothing more is played."""
    test, reasons = seen.test, [_of_test(seen.test)]
    decision: Decision = {"passed": "promote", "failed": "keep"}.get(test.state, "undecided")  # type: ignore[assignment]
    if decision == "promote":
        against = [
            *([_format_lost(seen)] if answers.regressed(seen.candidate, seen.current) else []),
            *([_ground_lost(seen.pool)] if pool.lost_ground(seen.pool) else []),
        ]
        if against:
            decision, reasons = "keep", [*against, *reasons]
        else:
            reasons += [*_of_format(seen), *_of_pool(seen.pool)]
    if seen.given_up:
        reasons.append(
            f"{_counted(seen.given_up, 'pair')} could not be played and {'counts' if seen.given_up == 1 else 'count'} for nothing."
        )
    return Verdict(decision, tuple(reasons))


def stopped(seen: Evidence, why: str) -> Verdict:
    """A gate that was ended before its time, for the sentence `why`."""
    return Verdict("undecided", (why, _of_test(seen.test)))


def _of_test(test: Sprt) -> str:
    low, high = sprt.interval(test.counts)
    said = (
        f"It scored {test.score:.1%} in {_counted(test.pairs, 'pair')} of matches against the version that plays"
        f" (95 % interval {low:.1%} to {high:.1%}; LLR {test.llr:+.2f} between {test.bounds.lower:+.2f} and {test.bounds.upper:+.2f})"
    )
    p0, p1 = f"{test.bounds.p0:.0%}", f"{test.bounds.p1:.0%}"
    return (
        said
        + {
            "passed": f": more like {p1} than {p0}, so it is the better one.",
            "failed": f": more like {p0} than {p1}, so it is not shown to be better.",
            "undecided": f": that decides neither for {p0} nor for {p1}, and no more pairs are played.",
            "running": ": the test was not over.",
        }[test.state]
    )


def _format_lost(seen: Evidence) -> str:
    return (
        f"Fewer of its first answers were valid: {seen.candidate.share:.1%} of {seen.candidate.turns:,} against"
        f" {seen.current.share:.1%} of {seen.current.turns:,} (p = {answers.worse(seen.candidate, seen.current):.3f})."
    )


def _of_format(seen: Evidence) -> list[str]:
    if not seen.candidate.turns:
        return []
    return [
        f"{seen.candidate.share:.1%} of its {seen.candidate.turns:,} first answers were valid, against"
        f" {seen.current.share:.1%} of {seen.current.turns:,}: no loss is shown."
    ]


def _ground_lost(compared: Compared) -> str:
    return (
        f"It lost ground against the pool: {compared.difference:+.1%} over {_counted(compared.pairs, 'pair')} with the same seeds"
        f" (p = {pool.worse(compared):.3f})."
    )


def _of_pool(compared: Compared) -> list[str]:
    if not compared.pairs:
        return []
    return [
        f"Against the pool it scored {compared.difference:+.1%} beside the version that plays, over"
        f" {_counted(compared.pairs, 'pair')} with the same seeds: no ground lost is shown."
    ]


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
