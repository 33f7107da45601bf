"""`agon-payouts/1`: the leaves of an epoch's pay-out tree, from which anybody makes the proof of any account. Pure.

The root is `chain.payout_tree`'s, cumulative over all epochs, and stands on the chain: whoever has the document needs nobody
to claim. Accounts are in lower case and in order, so that the same allotments are the same bytes and the same content id.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chain.documents import form
from chain.documents.form import Address, Count, DocumentError, Hex32
from chain.payout_tree import PayoutTree, verify
from spaces.canonical import MAX_INTEGER

VERSION = "agon-payouts/1"
MAX_ACCOUNTS = 250_000
MAX_BYTES = 1 << 24
"""Of MAX_ACCOUNTS accounts with a thousand million dollars each."""
MAX_PROOF = 24
"""Siblings that the escrow takes."""

Micros = Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
LowerAddress = Annotated[str, Meta(pattern=r"^0x[0-9a-f]{40}\Z")]
ProofNode = Annotated[str, Meta(pattern=r"^0x[0-9a-f]{64}\Z")]


class PayoutsDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    v: Literal["agon-payouts/1"] = "agon-payouts/1"
    epoch: Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
    chain_id: Count
    escrow: Address
    root: Hex32
    accounts: Annotated[
        list[tuple[LowerAddress, Micros]], Meta(min_length=1, max_length=MAX_ACCOUNTS)
    ]
    """By address in ascending order: what each may claim in all since the beginning, micros."""


class PayoutProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One account's leaf with its proof, as an arena's API gives it."""

    epoch: Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
    account: Address
    cumulative_micros: Micros
    proof: Annotated[list[ProofNode], Meta(max_length=MAX_PROOF)]
    """From the leaf's sibling up."""

    def leads_to(self, root: bytes) -> bool:
        """Whether the account may claim so much by the tree of this root."""
        return verify(self.account, self.cumulative_micros, self.nodes, root)

    @property
    def nodes(self) -> list[bytes]:
        return [bytes.fromhex(each[2:]) for each in self.proof]


def build(
    epoch: int, chain_id: int, escrow: str, cumulative: Mapping[str, int]
) -> tuple[PayoutsDocument, PayoutTree]:
    """The document of what each account, by address, may claim in all, and its tree. Accounts that were allotted nothing are
    left out; raises ValueError where nobody is left, and for one that stands there in two spellings."""
    paid = {account: micros for account, micros in cumulative.items() if micros}
    if len(paid) > MAX_ACCOUNTS:
        raise ValueError(f"{len(paid)} accounts, an {VERSION} has at most {MAX_ACCOUNTS}")
    tree = PayoutTree(paid)
    accounts = sorted((account.lower(), micros) for account, micros in paid.items())
    document = PayoutsDocument(
        epoch=epoch,
        chain_id=chain_id,
        escrow=escrow,
        root=tree.root.hex(),
        accounts=accounts,
    )
    return document, tree


def encode(document: PayoutsDocument) -> bytes:
    """The canonical bytes: what is served, and pinned."""
    return form.encode(document)


def read(document: bytes) -> tuple[PayoutsDocument, PayoutTree]:
    """The leaves from their stored bytes, which may come from anybody, and the tree that they make: its root is the document's.
    Whether it is the chain's as well is for the caller to ask. Raises DocumentError."""
    payouts = form.read(document, PayoutsDocument, version=VERSION, max_bytes=MAX_BYTES)
    return payouts, check(payouts)


def check(payouts: PayoutsDocument) -> PayoutTree:
    """Raises DocumentError."""
    _check_order([account for account, _ in payouts.accounts])
    tree = PayoutTree(dict(payouts.accounts))
    if tree.root.hex() != payouts.root:
        raise DocumentError(
            f"root is {payouts.root}, and the tree of its accounts is {tree.root.hex()}"
        )
    return tree


def proof_of(payouts: PayoutsDocument, tree: PayoutTree, account: str) -> PayoutProof:
    """Raises KeyError where the account was allotted nothing."""
    nodes = ["0x" + node.hex() for node in tree.proof(account)]
    return PayoutProof(payouts.epoch, account, tree.cumulative(account), nodes)


def read_proof(answer: bytes) -> PayoutProof:
    """A proof as an arena's API gives it: its form alone, `leads_to` says what it is worth. Raises DocumentError."""
    try:
        return msgspec.json.decode(answer, type=PayoutProof)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DocumentError(f"not a proof of a pay-out: {error}") from None


def _check_order(accounts: Sequence[str]) -> None:
    if any(one >= other for one, other in itertools.pairwise(accounts)):
        raise DocumentError("accounts are not in order, each once")
