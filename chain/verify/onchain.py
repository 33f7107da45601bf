"""What the chain says of a session: whose signatures the documents bear, and whether it holds the epoch's roots.

Believed: the node that is asked, and the escrow's address, which the caller names.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from eth_utils.crypto import keccak

from chain.client.contract import Caller
from chain.client.escrow import Escrow
from chain.documents import epoch as epochs
from chain.documents import result as results
from chain.documents.epoch import EpochDocument
from chain.documents.form import DocumentError
from chain.documents.result import ResultDocument
from chain.documents.signature import signer
from chain.verify.finding import Finding, false, true, unchecked
from chain.verify.session import Documents
from spaces import transcript
from spaces.transcript import Transcript, TranscriptError

SETTLER = keccak(b"settler")
_STATES = ("unknown", "open", "settled", "refunded")


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """Where the chain is to be looked at."""

    chain_id: int
    escrow: str


async def check(documents: Documents, claimed: Claimed, node: Caller) -> list[Finding]:
    """Raises RpcUnavailable while the node does not answer, NoContract where no escrow is."""
    escrow = Escrow(node, claimed.escrow)
    settler = str(await escrow.read("role_holder", SETTLER))
    played, result, epoch = _read(documents)
    found = _signatures(claimed, settler, played, result, epoch)
    if epoch is not None:
        found += await _epoch(claimed, escrow, epoch)
    if result is not None and result.tier_micros:
        found.append(await _session(escrow, result))
    return found


def _read(
    documents: Documents,
) -> tuple[Transcript | None, ResultDocument | None, EpochDocument | None]:
    """What can be read of them; that the rest cannot, `session.check` says."""
    try:
        played = None if documents.transcript is None else transcript.read(documents.transcript)
    except TranscriptError:
        played = None
    try:
        result = None if documents.result is None else results.read(documents.result)
    except DocumentError:
        result = None
    try:
        epoch = None if documents.epoch is None else epochs.read(documents.epoch)
    except DocumentError:
        epoch = None
    return played, result, epoch


def _signatures(
    claimed: Claimed,
    settler: str,
    *documents: Transcript | ResultDocument | EpochDocument | None,
) -> list[Finding]:
    names = ("signature", "result signature", "epoch signature")
    return [
        _signature(name, claimed, settler, document)
        for name, document in zip(names, documents, strict=True)
        if document is not None
    ]


def _signature(
    name: str, claimed: Claimed, settler: str, document: Transcript | ResultDocument | EpochDocument
) -> Finding:
    if isinstance(document.sig, msgspec.UnsetType):
        return unchecked(name, "not signed")
    found = signer(claimed.chain_id, claimed.escrow, document, document.sig)
    if found is None or found.lower() != document.sig.signer.lower():
        return false(name, f"not by {document.sig.signer}, for this chain and escrow")
    if found.lower() != settler.lower():
        return false(name, f"by {found}, and the escrow's settler is {settler}")
    return true(name, f"by the escrow's settler {found}")


async def _epoch(claimed: Claimed, escrow: Escrow, epoch: EpochDocument) -> Sequence[Finding]:
    where = (epoch.chain_id, epoch.escrow.lower())
    if where != (claimed.chain_id, claimed.escrow.lower()):
        return [false("root", f"the epoch is of escrow {epoch.escrow} on chain {epoch.chain_id}")]
    books = await escrow.books()
    if books.epoch < epoch.epoch:
        return [false("root", f"the escrow has closed {books.epoch} epochs, not {epoch.epoch}")]
    held = bytes(await escrow.read("result_root", epoch.epoch)).hex()
    if held != epoch.root:
        return [false("root", f"the escrow holds {held[:16]}… for epoch {epoch.epoch}")]
    root = true("root", f"the escrow holds it for epoch {epoch.epoch}")
    if books.epoch > epoch.epoch:
        later = f"epoch {books.epoch} has replaced it: ask for that one's document"
        return [root, unchecked("pay-outs", later)]
    payout_root = bytes(await escrow.read("payout_root")).hex()
    if (payout_root, books.allotted) != (epoch.payouts.root, epoch.payouts.total_micros):
        words = f"the escrow allots {books.allotted} micros by {payout_root[:16]}…"
        return [root, false("pay-outs", words)]
    return [root, true("pay-outs", f"the escrow allots {books.allotted} micros by this root")]


async def _session(escrow: Escrow, result: ResultDocument) -> Finding:
    state, _ = await escrow.session(result.session)
    due = "refunded" if result.status == "void" else "settled"
    if _STATES[state] == due:
        return true("escrow", f"the session is {due} there")
    if _STATES[state] == "open":
        return unchecked(
            "escrow", "the session is open there: it will be settled, or refunded by anybody"
        )
    return false("escrow", f"the session is {_STATES[state]} there, and the result says {due}")
