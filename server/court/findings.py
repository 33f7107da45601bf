"""What a case has come to: its verdict, and the document by which anybody can check it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chain.court.commitment import Court
from chain.court.snapshot import Snapshot
from chain.documents import case as documents
from chain.documents.case import CaseDocument, CaseSeat, CaseVerdict, Reference
from judges import panel
from judges.court.hearing import SeatState
from judges.rubric import Rubric, rubric_of
from judges.verdict import Opinion, Verdict
from server.court.case import Case, Chair, Held, by_line


def ranks_of(case: Case, held: Held) -> tuple[int, ...]:
    """By contestant: totals that are less than the rubric's tie apart are a draw, and who has forfeited is last."""
    return panel.ranks(held.totals, case.terms.tie_milli, case.forfeited)


def verdict_of(case: Case) -> Verdict:
    """Of the hearing that stands: medians as the court has them, with the reasons of the judge who is nearest to each."""
    assert case.stands is not None, "there is a verdict"
    held = case.hearings[case.stands]
    rubric = rubric_of(case.space)
    opinions = _opinions(held, rubric, case.contestants)
    found = panel.aggregate(rubric, opinions, case.evidence, _note(case))
    lines = tuple(
        msgspec.structs.replace(
            line,
            scores_milli=tuple(scores),
            reasons=tuple(
                panel.FORFEITED if seat in case.forfeited else reason
                for seat, reason in enumerate(line.reasons)
            ),
        )
        for line, scores in zip(found.lines, by_line(held.medians, case.contestants), strict=True)
    )
    return msgspec.structs.replace(
        found, lines=lines, totals_milli=held.totals, ranks=ranks_of(case, held)
    )


def _opinions(held: Held, rubric: Rubric, contestants: int) -> list[Opinion]:
    nothing = tuple(("",) * contestants for _ in rubric.lines)
    return [
        Opinion(
            judge=each.judge,
            scores_milli=tuple(tuple(line) for line in each.scores_milli),
            reasons=nothing
            if each.reasons is None
            else tuple(tuple(line) for line in each.reasons),
        )
        for each in held.shown()
    ]


def _note(case: Case) -> str:
    assert case.stands is not None
    held = case.hearings[case.stands]
    how = (
        f"the court: {len(held.shown())} of {held.seats} judges who have staked, drawn by the chain"
    )
    parts = [how]
    if case.stands:
        parts.append(f"hearing {case.stands + 1}, as the first was close or had failed")
    if held.forced:
        parts.append("adjudicated on the chain")
    if case.answer is not None:
        parts.append("a hidden audit, which is opened in the case's document")
    return "; ".join(parts)


def document_of(case: Case, court: Court, snapshots: Sequence[Snapshot]) -> CaseDocument:
    """The case's `agon-case/1`, unsigned. `snapshots`: all that its hearings name. The case is over; a hearing that was never
    drawn is left out."""
    assert case.closed_ms is not None, "the case is over"
    held = finished(case)
    verdict = None
    if case.state == "final" and case.stands is not None:
        stands = case.hearings[case.stands]
        verdict = CaseVerdict(case.stands, list(stands.totals), list(ranks_of(case, stands)))
    named = {each.filing.snapshot for each in held if each.filing is not None}
    return documents.build(
        session=case.session,
        chain_id=court.chain_id,
        court=court.address,
        space=case.space,
        transcript=case.transcript,
        rubric=case.rubric,
        lines=case.lines,
        escalations=case.terms.most,
        snapshots=[each for each in snapshots if each.number in named],
        hearings=[_hearing(case, each) for each in held],
        verdict=verdict,
        closed_ms=case.closed_ms,
    )


def finished(case: Case) -> list[Held]:
    """Hearings that were drawn and have come to their end; of a session that was voided meanwhile the last one has not."""
    return [each for each in case.hearings if each.seed is not None and each.over]


def _hearing(case: Case, held: Held) -> documents.Hearing:
    assert held.filing is not None
    assert held.filed is not None
    assert held.seed is not None
    decided = held.margin is not None
    opening = None
    if held.salt:
        opening = Reference(held.salt, list(case.answer or ()))
    return documents.Hearing(
        filing=held.filing,
        filed=held.filed,
        seed=held.seed,
        panel=[each.judge for each in held.bench if not each.reserve],
        reserves=[each.judge for each in held.bench if each.reserve],
        messages=list(held.messages),
        medians_milli=by_line(held.medians, case.contestants) if decided else [],
        totals_milli=list(held.totals) if decided else [],
        margin_milli=held.margin,
        seats=[_seat(each) for each in called(held)],
        reference=opening,
        end=held.end or ("decided" if decided else "failed"),
        forced=held.forced,
        note=held.note,
        transactions=[documents.Transaction(*each) for each in held.transactions],
    )


def called(held: Held) -> list[Chair]:
    """Who was to sit: the panel, and the reserves that were called in, in the order of the draw."""
    reserves = sum(each.state is SeatState.REPLACED for each in held.bench)
    seated = [each for each in held.bench if not each.reserve]
    return [*seated, *[each for each in held.bench if each.reserve][:reserves]]


def _seat(chair: Chair) -> CaseSeat:
    revealed = chair.state is SeatState.REVEALED
    standing = "revealed" if revealed else "unrevealed" if chair.bound else "absent"
    return CaseSeat(
        judge=chair.judge,
        standing=standing,  # type: ignore[arg-type]
        ordinal=chair.ordinal,
        skill_ppm=chair.skill or 0,
        pay_micros=chair.pay,
        slash=chair.slash,
    )
