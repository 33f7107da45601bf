"""The documents of a session, as an honest arena makes them; tests bend them."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import msgspec

from chain import payouts
from chain.documents import epoch as epochs
from chain.documents.form import digest_of, encode
from chain.documents.result import (
    Fees,
    Payout,
    RatingAfter,
    ResultDocument,
    ResultSeat,
    ResultVerdict,
)
from chain.verify.session import Asked, Documents
from spaces import transcript
from tests.conformance.rig import Session

TIER = 500_000
ESCROW = "0x" + "e5" * 20


def entry_micros(tier_micros: int) -> int:
    return tier_micros or 1_000_000


def cid_of(block: bytes) -> str:
    """CIDv1, raw, sha2-256, base32, as it is written in the specification."""
    raw = bytes([0x01, 0x55, 0x12, 0x20]) + hashlib.sha256(block).digest()
    return "b" + base64.b32encode(raw).decode().rstrip("=").lower()


def result_of(session: Session, document: bytes, tier_micros: int = TIER) -> ResultDocument:
    read = transcript.read(document)
    count = len(read.seats)
    seats = [
        ResultSeat(seat, f"AGENT{seat}", f"agent-{seat}@v1", None, bytes([seat]).hex() * 32)
        for seat in range(count)
    ]
    asset = "usdc" if tier_micros else "play"
    entries = [entry_micros(tier_micros)] * count
    returns = read.outcome.returns
    verdict = None
    if read.outcome == transcript.VOID:
        ranks, split, status, reason = [], payouts.refund(entries), "void", "it was"
    else:
        if returns is None:
            ranks = list(range(1, count + 1))
            verdict = ResultVerdict(
                None, "rap/1", [[9_000 - seat for seat in range(count)]], ["smollm2"]
            )
        else:
            ranks = [1 + sum(other > mine for other in returns) for mine in returns]
        split, status, reason = payouts.split(entries, ranks), "settled", None
    rated = [] if status == "void" else [RatingAfter(each.version, 25_000, 8_000) for each in seats]
    return ResultDocument(
        session=read.session,
        transcript=cid_of(document),
        space=read.space,
        tier_micros=tier_micros,
        seats=seats,
        verdict=verdict,
        ranks=ranks,
        status=status,  # type: ignore[arg-type]
        reason=reason,
        payouts_micros=[
            Payout(f"{asset}:agent:{seat.agent}", amount)
            for seat, amount in zip(seats, split.payouts, strict=True)
            if amount
        ],
        fees_micros=Fees(split.fees.protocol, split.fees.judges, split.fees.operators),
        ratings=rated,
    )


def epoch_of(results: list[ResultDocument]) -> epochs.EpochDocument:
    rows = sorted((each.session, digest_of(each)) for each in results)
    return epochs.EpochDocument(
        epoch=1,
        chain_id=31_337,
        escrow=ESCROW,
        closed_ms=1_750_000_999_000,
        results=[epochs.EpochResult(*row) for row in rows],
        root=epochs.root_of([digest for _, digest in rows]),
        payouts=epochs.EpochPayouts("00" * 32, 950_000),
    )


def documents_of(session: Session, tier_micros: int = TIER) -> Documents:
    document = session.document()
    result = result_of(session, document, tier_micros)
    return Documents(transcript=document, result=encode(result), epoch=encode(epoch_of([result])))


def asked(**known: Any) -> Asked:
    return Asked(entry_micros=entry_micros, **known)


def bent(result: bytes, **changes: Any) -> bytes:
    """A result that says something else, in canonical form."""
    read = msgspec.json.decode(result, type=ResultDocument)
    return encode(msgspec.structs.replace(read, **changes))
