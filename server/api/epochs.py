"""The epochs by which the chain pays, as documents that anybody can check, and proofs of what each wallet may claim."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from eth_utils.address import is_address, to_checksum_address
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from chain.documents.payouts import PayoutProof, proof_of
from server.api import problems
from server.api.operation import Limit, Operation, Services, as_json, read_id, read_query
from server.api.problems import Problem
from server.api.tags import has_current
from server.store.epochs import EpochRow, EpochSummary

_FOR_EVER = "public, max-age=31536000, immutable"
_LATEST = "latest"


class EpochQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: Limit = 20
    """Epochs on one page."""
    before: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    """The `next` of the page before."""


class EpochCard(msgspec.Struct, frozen=True, kw_only=True):
    """An epoch in a list."""

    epoch: int
    state: Literal["made", "closed"]
    """`closed`: the escrow has taken it. Until then it may be made anew, and its document is not handed out."""
    result_root: str
    """RFC 6962's root over the digests of its results, hex."""
    payout_root: str
    """Of what each wallet may claim since the beginning, hex."""
    allotted_micros: int
    """To all wallets together, since the beginning."""
    tx: str | None = None
    """The transaction that closed it."""
    made_ms: int
    cid: str | None = None
    """Of its document (`agon-epoch/1`), once it is pinned."""
    payouts_cid: str | None = None
    """Of `agon-payouts/1`."""


class EpochPage(msgspec.Struct, frozen=True):
    """Newest first."""

    epochs: list[EpochCard]
    next: int | None
    """`before` for the next page; null on the last one."""


async def epochs(services: Services, request: Request) -> Response:
    query = read_query(request, EpochQuery)
    rows = await services.store.epochs.page(query.before, query.limit)
    cards = [await card_of(services, row) for row in rows]
    following = rows[-1].number if len(rows) == query.limit else None
    return as_json(EpochPage(cards, following), Cache_Control="no-store")


async def card_of(services: Services, row: EpochSummary | EpochRow) -> EpochCard:
    pins = services.store.document_pins
    document = await pins.get("epoch", str(row.number))
    payouts = await pins.get("payouts", str(row.number))
    return EpochCard(
        epoch=row.number,
        state=row.state,
        result_root=row.result_root,
        payout_root=row.payout_root,
        allotted_micros=row.allotted_micros,
        tx=row.tx,
        made_ms=row.made_ms,
        cid=None if document is None else document.cid,
        payouts_cid=None if payouts is None else payouts.cid,
    )


async def epoch(services: Services, request: Request) -> Response:
    """`agon-epoch/1`, as it was signed."""
    row = await _closed(services, request)
    return _document(request, row, row.document, row.result_root)


async def payouts(services: Services, request: Request) -> Response:
    """`agon-payouts/1`."""
    row = await _closed(services, request)
    if row.payouts is None:
        pin = await services.store.document_pins.get("payouts", str(row.number))
        where = "" if pin is None else f"; it is on IPFS as {pin.cid}"
        words = f"the pay-outs of epoch {row.number} are not kept here: newer ones say all that they said{where}"
        raise Problem(404, "replaced", words)
    return _document(request, row, row.payouts, row.payout_root)


async def payout(services: Services, request: Request) -> Response:
    """One wallet's leaf of the newest tree, with its proof."""
    account = read_id(request, "address")
    if not is_address(account):
        raise Problem(400, "bad-address", "an address is 0x and 40 hex digits")
    newest = await services.payout_trees.newest(services.store.epochs)
    if newest is None:
        raise Problem(404, "no-epoch", "no epoch is closed yet")
    document, tree = newest
    try:
        proof = proof_of(document, tree, account)
    except KeyError:
        words = (
            f"{to_checksum_address(account)} has been allotted nothing up to epoch {document.epoch}"
        )
        raise Problem(404, "nothing-allotted", words) from None
    return as_json(proof, Cache_Control="no-store")


async def _closed(services: Services, request: Request) -> EpochRow:
    """The epoch that the path names. Raises Problem 404."""
    name = read_id(request, "epoch")
    if name == _LATEST:
        row = await services.store.epochs.last_closed()
        if row is None:
            raise Problem(404, "no-epoch", "no epoch is closed yet")
        return row
    number = int(name) if name.isascii() and name.isdigit() and len(name) < 10 else 0
    row = await services.store.epochs.get(number) if number else None
    if row is None:
        raise problems.not_found("epoch", name)
    if row.state != "closed":
        raise Problem(404, "not-closed", f"the escrow has not closed epoch {number} yet")
    return row


def _document(request: Request, row: EpochRow, document: bytes, root: str) -> Response:
    latest = request.path_params["epoch"] == _LATEST
    tag = f'"{row.number}-{root}"'
    headers = {"ETag": tag, "Cache-Control": "no-cache" if latest else _FOR_EVER}
    if has_current(request, tag):
        return Response(status_code=304, headers=headers)
    return Response(document, headers=headers, media_type="application/json")


_NO_EPOCH = "no such epoch (`unknown-epoch`), not closed on the chain yet (`not-closed`), or none is at all (`no-epoch`)"

OPERATIONS = (
    Operation(
        id="listEpochs",
        path="/v1/epochs",
        handler=epochs,
        summary="The epochs by which the chain pays",
        answer=EpochPage,
        query=EpochQuery,
        problems={400: "a parameter is unknown or out of range"},
        tag="proofs",
    ),
    Operation(
        id="getEpoch",
        path="/v1/epochs/{epoch}",
        handler=epoch,
        summary="An epoch, by its number or `latest`, as a document that anybody can check: agon-epoch/1, canonical bytes",
        problems={404: _NO_EPOCH},
        tag="proofs",
    ),
    Operation(
        id="getPayouts",
        path="/v1/epochs/{epoch}/payouts",
        handler=payouts,
        summary="What every wallet may claim by an epoch, or by the `latest`: agon-payouts/1, canonical bytes",
        problems={404: f"{_NO_EPOCH}; or it is an old one (`replaced`)"},
        tag="proofs",
    ),
    Operation(
        id="getPayout",
        path="/v1/epochs/latest/payouts/{address}",
        handler=payout,
        summary="What one wallet may claim since the beginning, with the proof that the escrow takes",
        answer=PayoutProof,
        problems={
            400: "no address",
            404: "no epoch is closed (`no-epoch`), or the wallet was allotted nothing (`nothing-allotted`)",
        },
        tag="proofs",
    ),
)
