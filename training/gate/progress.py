"""How far a gate has come, from its plan and what came of its matches; and what it plays next. Pure.

Pairs against the current version are read in the order of their numbers, whatever order they end in: quick matches, which are
not like slow ones, cannot come before them. So the state of a gate is a function of its results, in every life of it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import count

import msgspec

from training.gate import pairing, pool, verdict
from training.gate.format import Answers
from training.gate.pairing import CANDIDATE, CURRENT, Match, Plan
from training.gate.sprt import Sprt
from training.gate.verdict import Evidence, Verdict

MOST_GIVEN_UP = 3
"""More pairs that could not be played end a gate: what cannot be played may be what would have been lost."""

AHEAD = 3
"""Times the pairs that are played at once: so far beyond the last pair that was read others are begun."""


class Result(msgspec.Struct, frozen=True):
    """What came of one match."""

    half_points: int | None
    """0, 1 or 2 for the seat that counts; None: it could not be played and was given up."""
    answers: tuple[Answers, Answers] = (Answers(), Answers())
    """Of candidate and current version; of who was not seated, none."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a gate stands."""

    tests: tuple[Sprt, ...]
    """The test before the first pair and after each one that was read: what is drawn."""
    seen: Evidence
    verdict: Verdict | None
    """None while there is something to play."""

    @property
    def test(self) -> Sprt:
        return self.tests[-1]


Results = Mapping[str, Result]
"""By the name of the match."""


def standing(plan: Plan, results: Results) -> Standing:
    """Where the gate stands, as far as it can be read."""
    tests, answers, given_up = [Sprt(bounds=plan.bounds)], [Answers(), Answers()], 0
    for number in count():
        pair = pairing.against_current(plan, number)
        if tests[-1].state != "running" or not all(match.name in results for match in pair):
            break
        score = _score(pair, results)
        if score is None:
            given_up += 1
            if given_up > MOST_GIVEN_UP:
                break
            continue
        tests.append(tests[-1].take(score))
        _count(answers, pair, results)
    compared, complete = _pool(plan, results, answers)
    seen = Evidence(
        test=tests[-1],
        candidate=answers[CANDIDATE],
        current=answers[CURRENT],
        pool=compared,
        given_up=given_up,
    )
    return Standing(tests=tuple(tests), seen=seen, verdict=_verdict(seen, complete))


def wanted(plan: Plan, results: Results, open_: Collection[str], pairs: int) -> Iterator[Match]:
    """The matches to be begun now, so that at most about `pairs` pairs are played at once; `open_` are those under way."""
    found = standing(plan, results)
    if found.verdict is not None:
        return
    left = 2 * pairs - len(open_)
    for pair in _following(plan, found, pairs):
        due = [match for match in pair if match.name not in results and match.name not in open_]
        if due and left <= 0:
            return
        yield from due
        left -= len(due)


def _following(plan: Plan, found: Standing, pairs: int) -> Iterator[tuple[Match, Match]]:
    if found.test.state == "running":
        # As many as may still be read, and those that were given up besides; not all of them while one that lags is waited for.
        read = found.test.pairs + found.seen.given_up
        most = min(plan.bounds.most + found.seen.given_up, read + AHEAD * pairs)
        yield from (pairing.against_current(plan, number) for number in range(most))
    else:
        yield from pairing.against_pool(plan)


def _verdict(seen: Evidence, pool_complete: bool) -> Verdict | None:
    if seen.given_up > MOST_GIVEN_UP:
        return verdict.stopped(
            seen, f"{seen.given_up} pairs of matches could not be played, so the gate was ended."
        )
    return verdict.decided(seen) or (
        verdict.final(seen) if seen.test.state == "passed" and pool_complete else None
    )


def _pool(plan: Plan, results: Results, answers: list[Answers]) -> tuple[pool.Compared, bool]:
    """The pairs against the pool that both have played, and whether all have been."""
    scores: dict[str, list[int | None]] = {"pool": [], "pool-current": []}
    complete = True
    pairs = pairing.against_pool(plan)
    for pair, counterpart in zip(pairs, pairs, strict=True):
        if not all(match.name in results for match in (*pair, *counterpart)):
            complete = False
            continue
        for each in (pair, counterpart):
            scores[each[0].arm].append(_score(each, results))
            _count(answers, each, results)
    return pool.comparable(scores["pool"], scores["pool-current"]), complete


def _score(pair: tuple[Match, Match], results: Results) -> int | None:
    """Half points of both matches; None where one was given up."""
    first, second = (results[match.name].half_points for match in pair)
    return None if first is None or second is None else first + second


def _count(answers: list[Answers], pair: tuple[Match, Match], results: Results) -> None:
    for match in pair:
        for player, found in enumerate(results[match.name].answers):
            answers[player] = answers[player].plus(found.turns, found.valid)
