"""The hearings of a case, line by line: what each was about, who sat, what they said and earned, and what had to follow. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from chain.content import cid as cids
from chain.court.commitment import Court
from chain.court.filing import case_id
from chain.documents import case as cases
from chain.documents.case import CaseDocument
from chain.verify.court.hearing import Heard
from chain.verify.court.rules import Rules
from chain.verify.court.sat import Sat
from chain.verify.finding import Finding, false, line, true, unchecked

ON_CHAIN = "the hearing was done on the chain, which has counted: line forced"
NOT_OPENED = "the arena has not opened it: nobody can know whether it was a hidden audit"


def findings(sat: Sat, rules: Rules) -> Iterator[Finding]:
    each = heard(sat.case, rules)
    seats = ", then ".join(str(one.filing.seats) for one in each)
    yield line("filing", _filed(sat, rules), "each is of this transcript, by the rubric's weights")
    yield line("snapshot", _snapshots(sat), "the lists are those of the digests that are named")
    yield line(
        "panel", _first(each, Heard.drawn), f"{seats} judges, as the seed draws them by stake"
    )
    yield line(
        "messages",
        _first(each, Heard.linked),
        "chained; nobody showed a sheet before all had committed",
    )
    yield line(
        "commitments",
        _first(each, Heard.committed) or _ordinals(each),
        "one each, signed, by those whose turn it was",
    )
    yield line(
        "reveals", _first(each, Heard.revealed), "each opens its judge's commitment, and is signed"
    )
    here = [one for one in each if not one.hearing.forced]
    yield _recounted(
        "standings",
        here,
        _first(here, Heard.stood),
        "who has revealed, and who has not, is as the messages say",
    )
    yield _references(each)
    yield _recounted(
        "scores",
        here,
        _first(here, Heard.came_to),
        "medians, totals and margins follow from the sheets",
    )
    yield _recounted(
        "judges' pay", here, _pay(each), "skill, pay and slash of every seat follow from the sheets"
    )
    wrong = _escalated(sat.case, each, rules)
    if not wrong and sat.case.hearings[-1].end == "appealed":
        yield unchecked("escalation", "the appeal's panel is not in the file: could it be seated?")
    else:
        yield line("escalation", wrong, "bigger panels sat where it was close, and no others")


def heard(case: CaseDocument, rules: Rules) -> list[Heard]:
    """The hearings, each beside what it should be."""
    court = Court(case.chain_id, case.court)
    lists = {each.number: each.lists() for each in case.snapshots}
    return [
        Heard(hearing, court, lists[hearing.filing.snapshot], rules) for hearing in case.hearings
    ]


def _recounted(what: str, here: Sequence[Heard], wrong: str, words: str) -> Finding:
    """`here`: the hearings that were done by messages; of the others the chain has counted, and what stands there counts."""
    return line(what, wrong, words) if here else unchecked(what, ON_CHAIN)


def _first(each: Sequence[Heard], check: Callable[[Heard], str]) -> str:
    """What is wrong with the first hearing of which anything is."""
    for one in each:
        if wrong := check(one):
            return f"hearing {one.filing.hearing}: {wrong}"
    return ""


def _filed(sat: Sat, rules: Rules) -> str:
    case = sat.case
    rubric = rules.rubric(case.space)
    if rubric is None:
        return f"judges do not decide {case.space}"
    if (case.rubric, tuple(case.lines)) != (rubric.id, rubric.lines):
        return f"rubric {case.rubric} with lines {', '.join(case.lines)} is none of {case.space}"
    try:
        digest = cids.parse(case.transcript).digest
    except cids.NotACid as error:
        return str(error)
    for hearing in case.hearings:
        filing, number = hearing.filing.filing(), hearing.filing.hearing
        if filing.case != case_id(case.session):
            return f"hearing {number} is of another case"
        if filing.transcript != digest:
            return f"hearing {number} is of another transcript"
        if filing.weights != rubric.weights:
            return f"hearing {number} weighs the lines {list(filing.weights)}, not {list(rubric.weights)}"
        if sat.played is not None and filing.contestants != len(sat.played.seats):
            return f"hearing {number} has {filing.contestants} contestants"
    return ""


def _snapshots(sat: Sat) -> str:
    for each in sat.case.snapshots:
        if each.lists().digest().hex() != each.digest:
            return f"the lists of snapshot {each.number} are not those of its digest"
    return ""


def _ordinals(each: Sequence[Heard]) -> str:
    """No judge has used an ordinal twice in the case."""
    used: set[tuple[str, int]] = set()
    for one in each:
        for commit in one.commits:
            key = commit.judge.lower(), commit.ordinal
            if key in used:
                return f"{commit.judge} has used ordinal {commit.ordinal} twice"
            used.add(key)
    return ""


def _references(each: Sequence[Heard]) -> Finding:
    closed = None
    for one in each:
        wrong = one.opened()
        if wrong:
            return false("reference", f"hearing {one.filing.hearing}: {wrong}")
        if wrong is None:
            closed = one if closed is None or not one.hearing.forced else closed
    if closed is not None:
        words = f"hearing {closed.filing.hearing}: {NOT_OPENED}"
        return (unchecked if closed.hearing.forced else false)("reference", words)
    audits = [
        one.filing.hearing for one in each if one.hearing.reference and one.hearing.reference.sheet
    ]
    if audits:
        return true(
            "reference",
            f"hidden audit, opened: judges are held against its answer (hearing {audits[0]})",
        )
    return true("reference", "opened: no hidden audit")


def _pay(each: Sequence[Heard]) -> str:
    decided = [one for one in each if one.hearing.end != "failed"]
    for one in each:
        if one.hearing.forced:
            continue
        later = decided[-1] if decided and decided[-1] is not one else None
        if wrong := one.paid(None if later is None else later.hearing.totals_milli):
            return f"hearing {one.filing.hearing}: {wrong}"
    return ""


def _escalated(case: CaseDocument, each: Sequence[Heard], rules: Rules) -> str:
    """Whether every panel had to sit, and none is missing at the end."""
    over = [one.over() for one in each]
    for at in range(len(each)):
        one, after = each[at], each[at + 1] if at + 1 < len(each) else None
        margin, end = one.filing.margin, one.hearing.end
        can = (lambda _seats: True) if after is not None else _can(case, one, rules)
        due = rules.following(over[: at + 1], margin, case.escalations, can)
        if after is None:
            return _ended(case, one, due)
        if end == "appealed":
            wanted = min(2 * one.filing.seats + 1, cases.MAX_PANEL)
            if after.filing.seats < wanted:
                return f"an appeal seats {wanted} judges, hearing {at + 1} has {after.filing.seats}"
        elif end == "decided":
            return f"hearing {at} is decided, and hearing {at + 1} comes after it"
        elif due is None:
            return f"hearing {at + 1} sat, and hearing {at} was neither close nor failed"
        elif after.filing.seats != due:
            return f"hearing {at + 1} seats {after.filing.seats} judges, not {due}"
    return ""


def _ended(case: CaseDocument, last: Heard, seats: int | None) -> str:
    number = last.filing.hearing
    if last.hearing.end == "escalated" and case.verdict is not None:
        return f"hearing {number} is {last.hearing.end}, and the next is left out"
    if last.hearing.end in ("escalated", "appealed"):
        return ""  # nobody ranks by the one (`outcome.verdict`); the chain knows what came of the other (`forced.py`)
    if seats is not None:
        why = "has failed" if last.hearing.end == "failed" else "was close"
        return f"hearing {number} {why}, and a panel of {seats} could be seated: it is left out"
    return ""


def _can(case: CaseDocument, last: Heard, rules: Rules) -> Callable[[int], bool]:
    """By the snapshot that the last hearing was drawn from, as the clerk reckons."""
    lists = {each.number: each.lists() for each in case.snapshots}[last.filing.snapshot]
    return lambda seats: rules.seatable(lists, seats, last.filing.lock)
