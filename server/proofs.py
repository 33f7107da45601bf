"""What the arena hands to whoever wants to check it: the result document of a session (`agon-result/1`).

A function of what the store has kept and never changes: asking twice gives the same bytes. Where the money is on a chain the
signed bytes are made once, and kept (`server.settlement.documents`).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chain.content import cid
from chain.documents.form import encode
from chain.documents.result import (
    Fees,
    Payout,
    RatingAfter,
    ResultDocument,
    ResultSeat,
    ResultVerdict,
)
from server.live.records import SessionRecord
from server.protocol import VerdictView
from server.store import Store
from server.store.ratings import RatingRow
from server.store.sessions import SessionRow
from server.store.settling import ResultRow


async def result_document(store: Store, row: SessionRow) -> bytes | None:
    """The canonical bytes; None while what follows the session is not done."""
    sealed = await store.signed.transcript(row.session)
    if sealed is None:
        return None
    if sealed.signer is not None:
        kept = await store.signed.result(row.session)
        return None if kept is None else kept.document
    result = await unsigned_result(store, row, sealed.document)
    return None if result is None else encode(result)


async def unsigned_result(
    store: Store, row: SessionRow, transcript: bytes, wallets: Sequence[str] | None = None
) -> ResultDocument | None:
    """The result that names this transcript; None while what follows the session is not done. `wallets` are those behind its
    seats, where they pay on a chain."""
    result = await store.results.get(row.session)
    if result is None:
        return None
    rated = await store.ratings.applied(row.session)
    if rated is None and result.status == "settled":
        return None
    record = await store.sessions.record(row.session)
    verdict = await store.verdicts.get(row.session)
    case = None if verdict is None else await store.court.named(row.session)
    if case == "":
        return None  # its file is being made
    assert record is not None, "a stored session has its record"
    return ResultDocument(
        session=row.session,
        transcript=str(cid.of(transcript)),
        space=row.space,
        tier_micros=row.tier_micros,
        seats=_seats(record, wallets),
        verdict=None if verdict is None or result.status == "void" else _verdict(verdict, case),
        ranks=list(result.ranks or ()),
        status=result.status,
        reason=result.reason,
        payouts_micros=_payouts(record, result),
        fees_micros=Fees(result.fees.protocol, result.fees.judges, result.fees.operators),
        ratings=_ratings(record, rated or ()),
    )


def _seats(record: SessionRecord, wallets: Sequence[str] | None) -> list[ResultSeat]:
    seats = sorted(record.seats, key=lambda seat: seat.seat)
    behind = [None] * len(seats) if wallets is None else wallets
    return [
        ResultSeat(each.seat, each.agent, each.version, wallet, each.salt.hex())
        for each, wallet in zip(seats, behind, strict=True)
    ]


def _verdict(body: bytes, case: str | None) -> ResultVerdict:
    view = msgspec.json.decode(body, type=VerdictView)
    scores = [list(line.scores_milli) for line in view.lines]
    return ResultVerdict(case, view.rubric, scores, list(view.judges))


def _payouts(record: SessionRecord, result: ResultRow) -> list[Payout]:
    """In seat order, whatever the order of the transfers was."""
    paid = {each.to: each.amount for each in result.payouts}
    accounts = [
        f"{result.asset}:agent:{seat.agent}"
        for seat in sorted(record.seats, key=lambda seat: seat.seat)
    ]
    return [Payout(account, paid[account]) for account in accounts if paid.get(account)]


def _ratings(record: SessionRecord, rated: Sequence[RatingRow]) -> list[RatingAfter]:
    moves = {each.version: each for each in rated}
    return [
        RatingAfter(seat.version, moves[seat.version].mu_milli, moves[seat.version].sigma_milli)
        for seat in sorted(record.seats, key=lambda seat: seat.seat)
        if seat.version in moves
    ]
