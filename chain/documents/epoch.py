"""`agon-epoch/1`: what of the results went on chain. Pure.

Its root is RFC 6962's over the digests of the epoch's results, in the order of their sessions; the pay-out root is of
`chain.payout_tree`, cumulative over all epochs.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from chain.documents import form
from chain.documents.form import Address, Count, DocumentError, Hex32, Name, Signature
from spaces import merkle

VERSION = "agon-epoch/1"
MAX_BYTES = 1 << 22
MAX_RESULTS = 16_384


class EpochResult(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    session: Name
    digest: Hex32


class EpochPayouts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    root: Hex32
    total_micros: Count
    """That all accounts together may claim, cumulative over all epochs."""


class EpochDocument(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    v: Literal["agon-epoch/1"] = "agon-epoch/1"
    epoch: Count
    """Epochs of an escrow are numbered from 1, without gaps."""
    chain_id: Count
    escrow: Address
    closed_ms: Count
    results: Annotated[list[EpochResult], Meta(min_length=1, max_length=MAX_RESULTS)]
    root: Hex32
    payouts: EpochPayouts
    sig: Signature | UnsetType = UNSET


def read(document: bytes) -> EpochDocument:
    """An epoch from its stored bytes, which may come from anybody: its form, its order and its root. Raises
    DocumentError."""
    epoch = form.read(document, EpochDocument, version=VERSION, max_bytes=MAX_BYTES)
    check(epoch)
    return epoch


def check(epoch: EpochDocument) -> None:
    """Raises DocumentError."""
    sessions = [each.session for each in epoch.results]
    if any(one >= other for one, other in itertools.pairwise(sessions)):
        raise DocumentError("results are not in the order of their sessions")
    if root_of([each.digest for each in epoch.results]) != epoch.root:
        raise DocumentError("root is not the tree hash of the results' digests")


def root_of(digests: Sequence[str]) -> str:
    """The root, in hex, over results' digests in the order of their sessions."""
    return merkle.root([bytes.fromhex(each) for each in digests]).hex()


def proof_of(epoch: EpochDocument, session: str) -> tuple[int, list[bytes]]:
    """A result's place in the tree and its audit path. Raises KeyError."""
    places = {each.session: place for place, each in enumerate(epoch.results)}
    place = places[session]
    return place, merkle.inclusion_proof(
        [bytes.fromhex(each.digest) for each in epoch.results], place
    )
