"""What the chain says of a session: who paid its entries, whose signatures the documents bear, whether it holds the epoch's roots,
and what it has paid.

Believed: the node that is asked, and the escrow's address, which the caller names.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec
from eth_utils.crypto import keccak

from chain.client.contract import Caller
from chain.client.escrow import Books, Escrow, session_id
from chain.client.node import Head, Log
from chain.documents import epoch as epochs
from chain.documents import payouts as payout_documents
from chain.documents import result as results
from chain.documents.epoch import EpochDocument
from chain.documents.form import DocumentError
from chain.documents.payouts import PayoutsDocument
from chain.documents.result import ResultDocument
from chain.documents.signature import signer
from chain.verify.finding import Finding, false, true, unchecked
from chain.verify.session import Documents, winnings
from spaces import transcript
from spaces.transcript import Transcript, TranscriptError

SETTLER = keccak(b"settler")
_STATES = ("unknown", "open", "settled", "refunded")


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """Where the chain is to be looked at."""

    chain_id: int
    escrow: str


class Reader(Caller, Protocol):
    """What is asked of a node; `Rpc` is one."""

    async def head(self) -> Head: ...
    async def block(self, number: int) -> Head | None: ...
    async def logs(
        self, addresses: Sequence[str], first: int, last: int, topics: Sequence[str] = ()
    ) -> list[Log]: ...


async def check(documents: Documents, claimed: Claimed, node: Reader) -> list[Finding]:
    """Raises RpcUnavailable while the node does not answer, NoContract where no escrow is."""
    escrow = Escrow(node, claimed.escrow)
    settler = str(await escrow.read("role_holder", SETTLER))
    played, result, epoch, payouts = _read(documents)
    found = _signatures(claimed, settler, played, result, epoch)
    if epoch is not None:
        found += await _epoch(claimed, escrow, epoch, payouts)
    if result is not None and result.tier_micros and results.pot_of(result):
        found += await _session(escrow, node, result)
        if payouts is not None and result.status == "settled":
            found.append(await _paid(escrow, result, payouts))
    return found


def _read(
    documents: Documents,
) -> tuple[Transcript | None, ResultDocument | None, EpochDocument | None, PayoutsDocument | None]:
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
    try:
        payouts = None if documents.payouts is None else payout_documents.read(documents.payouts)[0]
    except DocumentError:
        payouts = None
    return played, result, epoch, payouts


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


async def _epoch(
    claimed: Claimed, escrow: Escrow, epoch: EpochDocument, payouts: PayoutsDocument | None
) -> Sequence[Finding]:
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
    named = (epoch.epoch, epoch.payouts.root, epoch.payouts.total_micros)
    if payouts is not None and payouts.epoch > epoch.epoch:
        total = sum(micros for _, micros in payouts.accounts)
        named = (payouts.epoch, payouts.root, total)
    return [root, await _payouts(escrow, books, *named)]


async def _payouts(escrow: Escrow, books: Books, number: int, root: str, total: int) -> Finding:
    """Whether what everybody may claim is by this tree."""
    if books.epoch > number:
        return unchecked(
            "pay-outs", f"epoch {books.epoch} has replaced it: ask for that one's pay-outs"
        )
    if books.epoch < number:
        words = f"they are of epoch {number}, and the escrow has closed {books.epoch}"
        return false("pay-outs", words)
    held = bytes(await escrow.read("payout_root")).hex()
    if (held, books.allotted) != (root, total):
        words = f"the escrow allots {books.allotted} micros by {held[:16]}…"
        return false("pay-outs", words)
    return true("pay-outs", f"the escrow allots {books.allotted} micros by this root")


async def _session(escrow: Escrow, node: Reader, result: ResultDocument) -> Sequence[Finding]:
    state, opened_at = await escrow.session(result.session)
    due = "refunded" if result.status == "void" else "settled"
    if not opened_at:
        words = f"the session is {_STATES[state]} there, and the result says {due}"
        return [false("escrow", words)]
    opened = await _opened(escrow, node, result, opened_at)
    if _STATES[state] == due:
        return [opened, true("escrow", f"the session is {due} there")]
    if _STATES[state] == "open":
        words = "the session is open there: it will be settled, or refunded by anybody"
        return [opened, unchecked("escrow", words)]
    words = f"the session is {_STATES[state]} there, and the result says {due}"
    return [opened, false("escrow", words)]


async def _opened(escrow: Escrow, node: Reader, result: ResultDocument, opened_at: int) -> Finding:
    """Who paid, by the log of the block in which the escrow says that it took the entries."""
    block = await _block_at(node, opened_at)
    topics = [escrow.abi.topic("Opened")]
    logs = [] if block is None else await node.logs([escrow.address], block, block, topics)
    events = [  # a batch opens many in one block
        event
        for log in logs
        if (event := escrow.event(log)) is not None
        and bytes(event.fields["session"]) == session_id(result.session)
    ]
    if not events:
        return unchecked("opened", "the node has no log of when the escrow took the entries")
    fields, log = events[0].fields, events[0].log
    wallets = [(seat.wallet or "nobody").lower() for seat in result.seats]
    if [each.lower() for each in fields["owners"]] != wallets:
        return false("opened", f"the escrow took the entries of {', '.join(fields['owners'])}")
    if fields["entry"] != result.tier_micros:
        return false("opened", f"the escrow took {fields['entry']} micros of each seat")
    words = f"the escrow took {fields['entry']} micros of each seat's wallet, tx {log.tx}"
    return true("opened", words)


async def _block_at(node: Reader, timestamp: int) -> int | None:
    """The block of that time, found by halving; None where there is none."""
    head = await node.head()
    low, high = 0, head.number
    while low < high:
        middle = (low + high) // 2
        block = await node.block(middle)
        if block is None:
            return None
        if block.timestamp < timestamp:
            low = middle + 1
        else:
            high = middle
    found = await node.block(low)
    return None if found is None or found.timestamp != timestamp else low


async def _paid(escrow: Escrow, result: ResultDocument, payouts: PayoutsDocument) -> Finding:
    """Whether the winners' money is in their balances: all that they have been allotted, this session's with it."""
    allotted = dict(payouts.accounts)
    for wallet in winnings(result):
        claimed = (await escrow.account(wallet)).claimed
        if claimed < allotted.get(wallet, 0):
            owed = allotted[wallet] - claimed
            words = f"{wallet} has {owed} micros to claim: anybody can do that for it"
            return unchecked("paid", words)
    return true("paid", "all that the winners have been allotted is in their balances there")
