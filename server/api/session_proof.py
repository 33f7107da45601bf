"""How far the proof of a session has come, and all that is needed to check it."""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chain.content import cid
from chain.documents import epoch as epoch_documents
from server.api.operation import Operation, Services, as_json
from server.api.session_steps import opening_tx
from server.api.sessions import row_of
from server.protocol import Step
from server.store.epochs import EpochRow, EscrowSession
from server.store.sessions import SessionRow


class ProofDocument(msgspec.Struct, frozen=True):
    """A document of the session: its bytes are at `/v1/sessions/{session}/transcript` or `/result`, and on IPFS."""

    cid: str
    pinned: bool
    """The content store has it."""


class ProofOpening(msgspec.Struct, frozen=True, kw_only=True):
    """What the escrow knows of the session."""

    state: Literal["wanted", "open", "refused", "settled", "refunded"]
    """`wanted`: it is about to be opened there."""
    digest: str
    """What the escrow calls it: SHA-256 of the session's id, hex."""
    entry_micros: int
    owners: list[str]
    """The wallet behind each seat."""
    tx: str | None = None
    """The transaction that took the entries."""


class ProofEpoch(msgspec.Struct, frozen=True, kw_only=True):
    """Where the result stands among those of its epoch."""

    epoch: int
    closed: bool
    """The escrow holds its roots."""
    root: str
    place: int
    """Of the result's leaf, from 0."""
    results: int
    """Leaves in all."""
    path: list[str]
    """RFC 6962's audit path from the leaf to the root, hex."""
    cid: str | None = None
    """Of the epoch's document, once it is pinned."""
    payouts_cid: str | None = None
    tx: str | None = None
    """The transaction that closed it."""


class ProofClaim(msgspec.Struct, frozen=True):
    """What a wallet of the session's seats has been paid, by all sessions since the beginning."""

    wallet: str
    cumulative_micros: int
    """Allotted by the newest epoch."""
    claimed_micros: int
    """Of those in its balance at the escrow."""


class SessionProof(msgspec.Struct, frozen=True, kw_only=True):
    """Which links of the chain from play to money there are; each is checked by `agon verify`, not believed."""

    session: str
    lines: list[Step]
    """In order: `opened`, `sealed`, `signed`, `pinned`, `settled`, `published`, `anchored`, `paid`. Those of money are there where
    the escrow moves it."""
    transcript: ProofDocument | None = None
    result: ProofDocument | None = None
    escrow: ProofOpening | None = None
    """Null where nothing is paid on a chain."""
    epoch: ProofEpoch | None = None
    claims: list[ProofClaim] = []


async def proof(services: Services, request: Request) -> Response:
    row = await row_of(services, request)
    escrow = await services.store.epochs.session(row.session)
    transcript, signer = await _transcript(services, row)
    result = await _result(services, row)
    epoch = None if row.digest is None else await _epoch(services, row.session, escrow)
    claims = await _claims(services, escrow) if epoch is not None and epoch.closed else []
    opening = None if escrow is None else await _opening(services, escrow)
    found = SessionProof(
        session=row.session,
        lines=[],
        transcript=transcript,
        result=result,
        escrow=opening,
        epoch=epoch,
        claims=claims,
    )
    lines = _lines(row, signer, found, None if escrow is None else escrow.tx)
    return as_json(msgspec.structs.replace(found, lines=lines), Cache_Control="no-store")


async def _transcript(
    services: Services, row: SessionRow
) -> tuple[ProofDocument | None, str | None]:
    """With whose signature it bears."""
    if row.digest is None:
        return None, None
    pin = await services.store.pins.get(row.session)
    sealed = await services.store.signed.transcript(row.session)
    assert sealed is not None, "a digest stands only beside its transcript"
    if pin is not None:
        return ProofDocument(pin.cid, pin.state == "pinned"), sealed.signer
    if sealed.signer is None and services.config.settlement == "chain":
        return None, None
    return ProofDocument(str(cid.of(sealed.document)), False), sealed.signer


async def _result(services: Services, row: SessionRow) -> ProofDocument | None:
    kept = None if row.digest is None else await services.store.signed.result(row.session)
    if kept is None:
        return None
    pin = await services.store.document_pins.get("result", row.session)
    return ProofDocument(kept.cid, pin is not None and pin.state == "pinned")


async def _opening(services: Services, escrow: EscrowSession) -> ProofOpening:
    return ProofOpening(
        state=escrow.state,
        digest=hashlib.sha256(escrow.session.encode()).hexdigest(),
        entry_micros=escrow.entry_micros,
        owners=list(escrow.owners),
        tx=await opening_tx(services, escrow),
    )


async def _epoch(
    services: Services, session: str, escrow: EscrowSession | None
) -> ProofEpoch | None:
    if escrow is None or escrow.epoch is None:
        return None
    row = await services.store.epochs.get(escrow.epoch)
    return None if row is None else await _place(services, session, row)


async def _place(services: Services, session: str, row: EpochRow) -> ProofEpoch:
    document = msgspec.json.decode(row.document, type=epoch_documents.EpochDocument)
    place, path = epoch_documents.proof_of(document, session)
    pins, number = services.store.document_pins, str(row.number)
    pin, payouts = await pins.get("epoch", number), await pins.get("payouts", number)
    return ProofEpoch(
        epoch=row.number,
        closed=row.state == "closed",
        root=row.result_root,
        place=place,
        results=len(document.results),
        path=[node.hex() for node in path],
        cid=None if pin is None else pin.cid,
        payouts_cid=None if payouts is None else payouts.cid,
        tx=row.tx,
    )


async def _claims(services: Services, escrow: EscrowSession | None) -> list[ProofClaim]:
    newest = None if escrow is None else await services.payout_trees.newest(services.store.epochs)
    if escrow is None or newest is None:
        return []
    _, tree = newest
    claims = []
    for wallet in dict.fromkeys(escrow.owners):
        try:
            cumulative = tree.cumulative(wallet)
        except KeyError:  # it has never won
            continue
        claimed = await services.store.epochs.claimed_by(wallet)
        claims.append(ProofClaim(wallet, cumulative, claimed))
    return claims


def _lines(row: SessionRow, signer: str | None, proof: SessionProof, tx: str | None) -> list[Step]:
    """`tx` is the transaction that the escrow's state of the session is by."""
    transcript, result, opening, epoch = proof.transcript, proof.result, proof.escrow, proof.epoch
    if opening is not None and opening.state == "refused":
        return [Step("opened", "failed", "the escrow has refused it: a wallet would not pay")]
    pinned = transcript is not None and transcript.pinned
    lines = [
        _line("sealed", row.digest is not None, row.digest or ""),
        _line("signed", signer is not None, signer or ""),
        _line("pinned", pinned, transcript.cid if transcript is not None and pinned else ""),
        _line("settled", result is not None, "" if result is None else result.cid),
        _line("published", result is not None and result.pinned),
    ]
    if opening is None:
        return lines
    lines.insert(0, _line("opened", opening.state != "wanted", opening.tx or ""))
    if opening.state == "refunded":
        return [*lines, _line("anchored", True, f"refunded, tx {tx or 'unknown'}")]
    closed = epoch is not None and epoch.closed
    words = f"epoch {epoch.epoch}, tx {epoch.tx}" if epoch is not None and closed else ""
    owed = [each for each in proof.claims if each.claimed_micros < each.cumulative_micros]
    return [*lines, _line("anchored", closed, words), _line("paid", closed and not owed)]


def _line(name: str, done: bool, words: str = "") -> Step:
    return Step(name, "done" if done else "waiting", words)


OPERATIONS = (
    Operation(
        id="getSessionProof",
        path="/v1/sessions/{session}/proof",
        handler=proof,
        summary="How far the proof of a session has come: content ids, transactions, its epoch and the audit path",
        answer=SessionProof,
        problems={404: "no such session"},
        tag="proofs",
    ),
)
