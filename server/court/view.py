"""A case as everybody may see it. Pure: this is the one place that decides what is told of it, and when."""

from __future__ import annotations

from typing import Any

import msgspec

from chain.documents.case import Commitment, Shown
from server.court.case import Case, Chair, Held, by_line
from server.protocol import BenchSeat, CaseView, SheetView

AUDIT = "it was a hidden audit: judges are held against its answer, which the case's document opens"


def view_of(case: Case, ranks: list[int] | None = None) -> CaseView:
    """In its newest hearing; with the sheets and what they came to only once that is over."""
    held = case.last
    fields = held.filing
    return CaseView(
        session=case.session,
        case="0x" + case.id.hex(),
        space=case.space,
        hearing=held.hearing,
        seats=held.seats,
        state=held.state,
        rubric=case.rubric,
        lines=list(case.lines),
        contestants=case.contestants,
        transcript=case.transcript,
        final=case.state == "final",
        filed_ms=held.filed_ms,
        commit_by_ms=held.commit_by_ms,
        reveal_by_ms=held.reveal_by_ms,
        appeal_by_ms=case.appeal_by_ms,
        fee_micros=case.terms.fee_micros,
        lock_frac=case.terms.lock,
        batch=None if held.filed is None else held.filed.batch,
        snapshot=None if fields is None else fields.snapshot,
        seed=None if held.seed is None else "0x" + held.seed,
        filing=filing_of(held),
        panel=panel_of(held),
        sheets=sheets_of(case, held),
        medians_milli=by_line(held.medians, case.contestants) if held.over else [],
        totals_milli=list(held.totals) if held.over else [],
        ranks=(ranks or []) if held.over else [],
        margin_milli=held.margin if held.over else None,
        note=note_of(case, held),
        document=case.document or None,
    )


def brief(view: CaseView) -> CaseView:
    """For lists that many follow: without what is asked for by itself."""
    panel = [
        msgspec.structs.replace(each, commitment="", ordinal=None, signature="")
        for each in view.panel
    ]
    return msgspec.structs.replace(view, filing=None, panel=panel, sheets=[], medians_milli=[])


def filing_of(held: Held) -> dict[str, object] | None:
    """What a judge checks: the filing, and its place and proof in the batch."""
    if held.filing is None or held.filed is None:
        return None
    return {
        "filing": msgspec.to_builtins(held.filing),
        "filed": msgspec.to_builtins(held.filed),
    }


def panel_of(held: Held) -> list[BenchSeat]:
    """With what each is bound to once nobody can choose any more: not before, lest it be told apart who has sent what."""
    bound = {} if held.state == "committing" else _bound(held)
    return [
        msgspec.structs.replace(
            BenchSeat(each.judge, each.operator, each.family, each.state.value, each.reserve),
            **bound.get(each.judge, {}),
        )
        for each in held.bench
    ]


def _bound(held: Held) -> dict[str, dict[str, Any]]:
    """By judge: its signed commitment."""
    return {
        each.judge: {
            "commitment": f"0x{each.commitment}",
            "ordinal": each.ordinal,
            "signature": "" if each.sig is None else each.sig,
        }
        for each in held.messages
        if isinstance(each, Commitment)
    }


def note_of(case: Case, held: Held) -> str:
    """That it was an audit is told when nobody can judge the case any more."""
    opened = AUDIT if case.state != "open" and case.answer is not None and held.over else ""
    return "; ".join(each for each in (held.note or case.note, opened) if each)


def sheets_of(case: Case, held: Held) -> list[SheetView]:
    """Nothing before the hearing is over, whatever has been sent. Nor what it brought its judges while another panel may follow: that
    would tell it whether there is an answer, and which."""
    if not held.over:
        return []
    means = {each.judge: each for each in held.bench} if case.reckoned else {}
    return [_sheet(each, means.get(each.judge)) for each in held.shown()]


def _sheet(shown: Shown, means: Chair | None) -> SheetView:
    return SheetView(
        judge=shown.judge,
        scores_milli=shown.scores_milli,
        reasons=shown.reasons or [["" for _ in line] for line in shown.scores_milli],
        skill_ppm=0 if means is None else means.skill or 0,
        pay_micros=0 if means is None else means.pay,
        slash_frac="0" if means is None else means.slash,
    )
