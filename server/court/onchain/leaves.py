"""What an epoch anchors of a case, read from its file (`agon-case/1`), so that whoever has the file makes the same lines. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from chain.court.anchor import NO_ORDINAL
from chain.court.filing import case_id
from chain.documents import case as cases
from chain.documents.case import CaseSeat
from chain.documents.court_epoch import HearingLine, SeatLine


def lines_of(document: bytes, forced: Mapping[str, Collection[int]]) -> list[HearingLine]:
    """Of each hearing that was done by messages. `forced`: by the case's id in hex, hearings that were put on the chain, also after
    the file was closed: what was found there is what counts. Raises DocumentError."""
    case = cases.read(document)
    there = forced.get(case_id(case.session).hex(), ())
    digest = cases.document_digest(document).hex()
    return [
        HearingLine(
            session=case.session,
            hearing=each.filing.hearing,
            verdict=cases.verdict_hash(each).hex(),
            document=digest,
            seats=[_seat(seat) for seat in each.seats],
        )
        for each in case.hearings
        if not each.forced and each.filing.hearing not in there
    ]


def _seat(seat: CaseSeat) -> SeatLine:
    ordinal = NO_ORDINAL if seat.ordinal is None else seat.ordinal
    return SeatLine(seat.judge.lower(), ordinal, seat.skill_ppm, seat.pay_micros, seat.slash)
