"""What came of a case: the verdict that stands, and the session's result that ranks by it. Pure."""

from __future__ import annotations

from chain.documents.result import ResultDocument, ResultVerdict
from chain.verify.court.rules import Rules
from chain.verify.court.sat import Sat
from chain.verify.finding import Finding, false, true, unchecked


def verdict(sat: Sat) -> Finding:
    """What stands is what the last hearing that has decided came to."""
    case = sat.case
    decided = [each for each in case.hearings if each.end != "failed"]
    if not decided:
        if case.verdict is not None:
            return false("verdict", "there is one, and no hearing has decided")
        return true("verdict", "none: no panel has found anything")
    due, verdict = decided[-1], case.verdict
    if verdict is None and case.hearings[-1].end == "escalated":
        words = "none: the panel that was to look again never sat, by the arena's word; void"
        return unchecked("verdict", words)
    if verdict is None:
        return false("verdict", f"there is none, and hearing {due.filing.hearing} has decided")
    if verdict.hearing != due.filing.hearing or verdict.totals_milli != due.totals_milli:
        words = f"it is not what hearing {due.filing.hearing} came to: {due.totals_milli}"
        return false("verdict", words)
    return true("verdict", f"that of hearing {verdict.hearing}: totals {verdict.totals_milli}")


def ranked(sat: Sat, result: ResultDocument, told: ResultVerdict, rules: Rules) -> Finding:
    """Whether the result ranks by the verdict."""
    case = sat.case
    if case.verdict is None:
        return false("ranks", "the result has a verdict, and the court found none")
    hearing = case.hearings[case.verdict.hearing]
    out = set() if sat.replayed is None else set(rules.forfeited(sat.replayed))
    for line, (said, due) in enumerate(zip(told.scores_milli, hearing.medians_milli, strict=False)):
        if any(
            a != b and not (a == 0 and seat in out)
            for seat, (a, b) in enumerate(zip(said, due, strict=False))
        ):
            return false(
                "ranks", f"the result's scores of {case.lines[line]} are {said}, the panel's {due}"
            )
    if len(told.scores_milli) != len(case.lines) or len(result.seats) != hearing.filing.contestants:
        return false("ranks", "the result's scores are not those of the panel")
    revealed = [each.judge.lower() for each in hearing.seats if each.standing == "revealed"]
    if sorted(each.lower() for each in told.panel) != sorted(revealed):
        return false("ranks", "the result names another panel")
    due_ranks = rules.ranks(case.space, hearing.totals_milli, sat.replayed)
    if case.verdict.ranks != due_ranks or result.ranks != due_ranks:
        said_ranks = case.verdict.ranks if case.verdict.ranks != due_ranks else result.ranks
        return false("ranks", f"{said_ranks}, the court's totals say {due_ranks}")
    words = f"{result.ranks}, as the totals {hearing.totals_milli} of {len(revealed)} judges say"
    if sat.replayed is None:
        return unchecked("ranks", f"{words}, if nobody has forfeited: no transcript that holds")
    return true("ranks", words)
