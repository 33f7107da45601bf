"""Whether the court's epoch holds what a case's file tells: the leaves by which judges are paid and slashed. Pure."""

from __future__ import annotations

from chain.court.anchor import NO_ORDINAL
from chain.documents import case as cases
from chain.documents import court_epoch as court_epochs
from chain.documents.court_epoch import CourtEpoch, HearingLine
from chain.documents.form import DocumentError
from chain.verify.court.sat import Sat
from chain.verify.finding import Finding, false, line, unchecked
from chain.verify.session import Documents


def finding(documents: Documents, sat: Sat) -> Finding:
    """Whether the court's epoch holds each hearing as the file tells it."""
    if documents.court_epoch is None:
        return unchecked("anchor", documents.missing.get("court_epoch", "it was not given"))
    try:
        epoch = court_epochs.read(documents.court_epoch)
    except DocumentError as error:
        return false("anchor", str(error))
    where = epoch.chain_id, epoch.court.lower()
    if where != (sat.case.chain_id, sat.case.court.lower()):
        return false("anchor", f"it is of court {epoch.court} on chain {epoch.chain_id}")
    wrong = _leaves(sat, epoch)
    held = {each.hearing for each in epoch.hearings if each.session == sat.case.session}
    here = [each.filing.hearing for each in sat.case.hearings if not each.forced]
    if not wrong and (left := [each for each in here if each not in held]):
        words = (
            f"epoch {epoch.epoch} does not hold hearing {left[0]}: is it on the chain? Line forced"
        )
        return unchecked("anchor", words)
    return line(
        "anchor", wrong, f"epoch {epoch.epoch} of the court holds every hearing as it is told here"
    )


def _leaves(sat: Sat, epoch: CourtEpoch) -> str:
    lines = {each.hearing: each for each in epoch.hearings if each.session == sat.case.session}
    due = {each.filing.hearing: each for each in sat.case.hearings if not each.forced}
    if lines.keys() - due.keys():
        return f"epoch {epoch.epoch} holds hearings {sorted(lines)} of the session, the file {sorted(due)}"
    digest = cases.document_digest(sat.block).hex()
    for number, told in lines.items():
        if wrong := _leaf(told, due[number], digest):
            return f"hearing {number}: {wrong}"
    return ""


def _leaf(held: HearingLine, hearing: cases.Hearing, digest: str) -> str:
    if held.document != digest:
        return "the epoch is over another file of the case"
    if held.verdict != cases.verdict_hash(hearing).hex():
        return "the epoch holds another verdict"
    told = {each.judge: (each.ordinal, each.skill, each.pay, each.slash) for each in held.seats}
    seats = {
        each.judge.lower(): (
            NO_ORDINAL if each.ordinal is None else each.ordinal,
            each.skill_ppm,
            each.pay_micros,
            each.slash,
        )
        for each in hearing.seats
    }
    return "" if told == seats else "the epoch pays its judges otherwise"
