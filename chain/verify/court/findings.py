"""The court's part of a verifier's report."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from chain.documents import case as cases
from chain.documents.form import DocumentError
from chain.verify.court import anchored, course, outcome
from chain.verify.court.rules import Rules
from chain.verify.court.sat import Sat, is_judged, result_of, sat_of
from chain.verify.finding import Finding, false, true, unchecked
from chain.verify.session import CidOf, Documents

NEEDS_CHAIN = "needs a chain (--rpc)"
ON_CHAIN = ("filed", "seed", "staked", "anchored", "forced")
"""What `onchain.py` checks."""


def findings(documents: Documents, rules: Rules, cid_of: CidOf) -> Iterator[Finding]:
    """Line by line. Nothing where no court has sat."""
    if not is_judged(documents):
        return
    result = result_of(documents)
    if documents.case is None:
        why = documents.missing.get("case", "it was not given")
        yield unchecked("case", why)
        yield unchecked("ranks", f"follow from the court's file: {why}")
        return
    try:
        case = cases.read(documents.case)
    except DocumentError as error:
        yield false("case", str(error))
        return
    sat = sat_of(documents, case, documents.case)
    form = _form(sat, cid_of)
    yield form
    if form.standing != "true":
        return
    yield from course.findings(sat, rules)
    yield outcome.verdict(sat)
    if result is not None and result.verdict is not None:
        yield outcome.ranked(sat, result, result.verdict, rules)
    yield anchored.finding(documents, sat)
    for what in ON_CHAIN:
        yield unchecked(what, NEEDS_CHAIN)
    signed = not isinstance(case.sig, msgspec.UnsetType)
    yield unchecked("case signature", NEEDS_CHAIN if signed else "not signed")


def _form(sat: Sat, cid_of: CidOf) -> Finding:
    """Whether it is the file of this session, and the one that the result names."""
    case, result = sat.case, sat.result
    if result is not None:
        named = None if result.verdict is None else result.verdict.case
        found = cid_of(sat.block)
        if named is not None and named != found:
            return false("case", f"its bytes are those of {found}, the result names {named}")
        if result.session != case.session or result.space != case.space:
            return false("case", f"it is of {case.space} session {case.session}")
        if result.transcript != case.transcript:
            return false("case", f"it judges transcript {case.transcript}, not {result.transcript}")
        if result.verdict is not None and result.verdict.rubric != case.rubric:
            return false(
                "case", f"it is by rubric {case.rubric}, the result's is {result.verdict.rubric}"
            )
    if sat.block_played is not None and cid_of(sat.block_played) != case.transcript:
        return false("case", f"it judges transcript {case.transcript}, which is another one")
    count = len(case.hearings)
    words = f"canonical {cases.VERSION}, {count} hearing{'s' if count != 1 else ''}"
    return true("case", f"{words} of session {case.session}")
