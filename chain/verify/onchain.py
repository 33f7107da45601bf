"""What the chain says of a session: who paid its entries, whose signatures the documents bear, whether it holds the epoch's roots,
and what it has paid.

Believed: the node that is asked, and the escrow's address, which the caller names.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chain.client.abi import Event
from chain.client.escrow import Books, Escrow, session_id
from chain.documents import case as cases
from chain.documents import epoch as epochs
from chain.documents import payouts as payout_documents
from chain.documents import result as results
from chain.documents.case import CaseDocument
from chain.documents.epoch import EpochDocument
from chain.documents.form import DocumentError
from chain.documents.payouts import PayoutsDocument
from chain.documents.result import ResultDocument
from chain.documents.signature import Signable, signer
from chain.verify.finding import Finding, Standing, false, true, unchecked
from chain.verify.history import SETTLER as SETTLER
from chain.verify.history import Reader, Settlers, Unread, blocks_at, events, first_at
from chain.verify.session import Documents, in_usdc, winnings
from spaces import transcript
from spaces.transcript import Transcript, TranscriptError

_STATES = ("unknown", "open", "settled", "refunded")


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """Where the chain is to be looked at."""

    chain_id: int
    escrow: str


async def check(documents: Documents, claimed: Claimed, node: Reader) -> list[Finding]:
    """Raises RpcUnavailable while the node does not answer, NoContract where no escrow is."""
    escrow = Escrow(node, claimed.escrow)
    settlers = Settlers(escrow, node, str(await escrow.read("role_holder", SETTLER)))
    played, result, epoch, payouts = _read(documents)
    found = await _signatures(claimed, settlers, played, result, epoch, _case(documents))
    if played is not None and result is not None:
        found += _seat_signatures(claimed, played, result)
    books = await escrow.books()
    if epoch is not None:
        found.append(await _root(claimed, escrow, books, epoch))
    tree = await _tree(claimed, escrow, books, epoch, payouts)
    if tree is not None:
        found.append(tree)
    if result is not None:
        found += await _session(escrow, node, result, epoch)
    elif played is not None:
        found += await _unresolved(escrow, played.session)
    proven = tree is not None and tree.standing is Standing.TRUE
    if proven and payouts is not None and result is not None and _won(result):
        found.append(await _paid(escrow, result, payouts))
    return found


def _won(result: ResultDocument) -> bool:
    """Whether it says that somebody is paid on the chain."""
    return bool(result.tier_micros and result.status == "settled" and results.pot_of(result))


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


def _case(documents: Documents) -> CaseDocument | None:
    try:
        return None if documents.case is None else cases.read(documents.case)
    except DocumentError:
        return None


async def _signatures(
    claimed: Claimed,
    settlers: Settlers,
    *documents: Signable | None,
) -> list[Finding]:
    names = ("signature", "result signature", "epoch signature", "case signature")
    return [
        await _signature(name, claimed, settlers, document)
        for name, document in zip(names, documents, strict=True)
        if document is not None
    ]


async def _signature(
    name: str,
    claimed: Claimed,
    settlers: Settlers,
    document: Signable,
) -> Finding:
    if isinstance(document.sig, msgspec.UnsetType):
        return unchecked(name, "not signed")
    found = signer(claimed.chain_id, claimed.escrow, document, document.sig)
    if found is None or found.lower() != document.sig.signer.lower():
        return false(name, f"not by {document.sig.signer}, for this chain and escrow")
    if found.lower() == settlers.now.lower():
        return true(name, f"by the escrow's settler {found}")
    match await settlers.was(found):
        case True:
            return true(name, f"by {found}, who has been the escrow's settler")
        case False:
            return false(name, f"by {found}, and the escrow's settler is {settlers.now}")
        case _:
            words = f"by {found}; {settlers.now} is the settler now, and the node has no logs of who was before"
            return unchecked(name, words)


def _seat_signatures(
    claimed: Claimed, played: Transcript, result: ResultDocument
) -> Sequence[Finding]:
    """Whether each seat's is one of this transcript, by the key that the result names. Nothing where no seat has signed."""
    name, by = "seat signatures", []
    for seat in result.seats:
        if isinstance(seat.sig, msgspec.UnsetType):
            continue
        found = signer(claimed.chain_id, claimed.escrow, played, seat.sig)
        if found is None or found.lower() != seat.sig.signer.lower():
            words = f"seat {seat.seat}: not by {seat.sig.signer}, of this transcript and escrow"
            return (false(name, words),)
        own = seat.wallet is not None and seat.wallet.lower() == found.lower()
        whose = "its owner's wallet" if own else "what the result says is its agent's key,"
        by.append(f"seat {seat.seat} by {whose} {found}")
    if not by:
        return ()
    words = f"{len(by)} of {len(result.seats)} seats have signed this transcript: {'; '.join(by)}"
    return (true(name, words),)


async def _root(claimed: Claimed, escrow: Escrow, books: Books, epoch: EpochDocument) -> Finding:
    if (epoch.chain_id, epoch.escrow.lower()) != (claimed.chain_id, claimed.escrow.lower()):
        return false("root", f"the epoch is of escrow {epoch.escrow} on chain {epoch.chain_id}")
    if books.epoch < epoch.epoch:
        return false("root", f"the escrow has closed {books.epoch} epochs, not {epoch.epoch}")
    held = bytes(await escrow.read("result_root", epoch.epoch)).hex()
    if held != epoch.root:
        return false("root", f"the escrow holds {held[:16]}… for epoch {epoch.epoch}")
    return true("root", f"the escrow holds it for epoch {epoch.epoch}")


async def _tree(
    claimed: Claimed,
    escrow: Escrow,
    books: Books,
    epoch: EpochDocument | None,
    payouts: PayoutsDocument | None,
) -> Finding | None:
    """By the leaves, where they are given and not older than the epoch."""
    of: EpochDocument | PayoutsDocument
    if payouts is not None and (epoch is None or payouts.epoch > epoch.epoch):
        of = payouts
        named = (payouts.epoch, payouts.root, sum(micros for _, micros in payouts.accounts))
    elif epoch is not None:
        of = epoch
        named = (epoch.epoch, epoch.payouts.root, epoch.payouts.total_micros)
    else:
        return None
    if (of.chain_id, of.escrow.lower()) != (claimed.chain_id, claimed.escrow.lower()):
        return false("pay-outs", f"they are of escrow {of.escrow} on chain {of.chain_id}")
    return await _payouts(escrow, books, *named)


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
        words = f"the escrow allots {in_usdc(books.allotted)} by {held[:16]}…"
        return false("pay-outs", words)
    return true("pay-outs", f"the escrow allots {in_usdc(books.allotted)} by this root")


async def _unresolved(escrow: Escrow, session: str) -> Sequence[Finding]:
    """Nobody gives the result: what became of the entries is said all the same."""
    state, opened_at = await escrow.session(session)
    if not opened_at:
        return ()
    return (
        unchecked("escrow", f"the session is {_STATES[state]} there; no result says what is due"),
    )


async def _session(
    escrow: Escrow, node: Reader, result: ResultDocument, epoch: EpochDocument | None
) -> Sequence[Finding]:
    """Of every result: one that says nothing was at stake may be a lie about a pot."""
    state, opened_at = await escrow.session(result.session)
    stands = _STATES[state]
    due = "refunded" if result.status == "void" else "settled"
    if not opened_at:
        if not result.tier_micros:
            return ()
        if result.status == "void" and not any(seat.wallet for seat in result.seats):
            return (true("escrow", "it has taken nothing for this session, which is void"),)
        return (false("escrow", f"the session is {stands} there, and the result says {due}"),)
    if not result.tier_micros:
        words = (
            f"it took entries for this session, which is {stands} there: the result calls it free"
        )
        return (false("escrow", words),)
    blocks = await blocks_at(node, opened_at)
    found = [await _opened(escrow, node, result, blocks)]
    if stands == due:
        found.append(true("escrow", f"the session is {due} there"))
        if due == "settled" and epoch is not None:
            found.append(await _settling(escrow, node, result, epoch, blocks, opened_at))
    elif stands == "open":
        words = "the session is open there: it will be settled, or refunded by anybody"
        found.append(unchecked("escrow", words))
    else:
        found.append(false("escrow", f"the session is {stands} there, and the result says {due}"))
    return found


_NO_LOG = "the node has no log of"


async def _opened(
    escrow: Escrow, node: Reader, result: ResultDocument, blocks: tuple[int, int] | None
) -> Finding:
    """Who paid, by the log of the block in which the escrow says that it took the entries."""
    wanted, event = session_id(result.session), None
    try:
        async for each in events(node, escrow, "Opened", *(blocks or (1, 0))):
            if bytes(each.fields["session"]) == wanted:  # a batch opens many in one block
                event = each
    except Unread as error:
        return unchecked("opened", f"{_NO_LOG} when the escrow took the entries: {error}")
    if event is None:
        return unchecked("opened", f"{_NO_LOG} when the escrow took the entries")
    fields = event.fields
    wallets = [(seat.wallet or "nobody").lower() for seat in result.seats]
    if [each.lower() for each in fields["owners"]] != wallets:
        return false("opened", f"the escrow took the entries of {', '.join(fields['owners'])}")
    if fields["entry"] != result.tier_micros:
        return false("opened", f"the escrow took {in_usdc(fields['entry'])} of each seat")
    words = f"the escrow took {in_usdc(fields['entry'])} of each seat's wallet, tx {event.log.tx}"
    return true("opened", words)


async def _settling(
    escrow: Escrow,
    node: Reader,
    result: ResultDocument,
    epoch: EpochDocument,
    blocks: tuple[int, int] | None,
    opened_at: int,
) -> Finding:
    """Whether it is this epoch that settled it: else two epochs could hold two results of one session, and both be shown."""
    if blocks is None:
        return unchecked("settled by", f"{_NO_LOG} the epoch that settled the session")
    until = await first_at(node, opened_at + int(await escrow.read("REFUND_AFTER")))
    wanted = session_id(result.session)
    try:
        async for event in events(node, escrow, "EpochClosed", blocks[0], until):
            settled = {bytes(each) for each in event.fields["sessions"]}
            if wanted in settled:
                return _by(event, settled, epoch)
    except Unread as error:
        return unchecked("settled by", f"{_NO_LOG} the epoch that settled the session: {error}")
    return unchecked("settled by", f"{_NO_LOG} the epoch that settled the session")


def _by(event: Event, settled: set[bytes], epoch: EpochDocument) -> Finding:
    number = event.fields["epoch"]
    if number != epoch.epoch:
        words = f"epoch {number} has settled it there, and the document is of epoch {epoch.epoch}"
        return false("settled by", words)
    if settled != {session_id(each.session) for each in epoch.results}:
        words = f"epoch {number} has settled {len(settled)} sessions there, and not those of the document"
        return false("settled by", words)
    words = (
        f"epoch {number} has settled this session and the others that it names, tx {event.log.tx}"
    )
    return true("settled by", words)


async def _paid(escrow: Escrow, result: ResultDocument, payouts: PayoutsDocument) -> Finding:
    """Whether the winners' money is in their balances: all that they have been allotted, this session's with it."""
    allotted = dict(payouts.accounts)
    for wallet in winnings(result):
        claimed = (await escrow.account(wallet)).claimed
        if claimed < allotted.get(wallet, 0):
            owed = allotted[wallet] - claimed
            words = f"{wallet} has {in_usdc(owed)} to claim: anybody can do that for it"
            return unchecked("paid", words)
    return true("paid", "all that the winners have been allotted is in their balances there")
