"""`agon-court-epoch/1`: what an epoch of the court has anchored, and what each judge may claim by it. Pure.

Both roots on the chain follow from it: the cases' over what each hearing came to and what it means for each of its judges, and the
one that is claimed by over what each judge has earned in all. Balances go on from the epoch before by the rule of
`judges.court.earnings`. FRAC is in its smallest part, and so decimal text.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chain.court.anchor import AnchorTree, CaseLeaf, EarnedLeaf, Leaf, SeatLeaf
from chain.court.filing import case_id
from chain.documents import form
from chain.documents.earnings import LowerAddress
from chain.documents.form import Address, Count, DocumentError, Hex32, Name
from spaces.canonical import MAX_INTEGER

VERSION = "agon-court-epoch/1"
MAX_HEARINGS = 8_192
MAX_SEATS = 62
"""Seated, and reserves that were called."""
MAX_ACCOUNTS = 65_536
MAX_BYTES = 1 << 24

Whole = Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]
Amount = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,38})\Z")]


class SeatLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a hearing means for one of its judges: a SEAT leaf."""

    judge: LowerAddress
    ordinal: Count
    skill: Whole
    """Millionths."""
    pay: Whole
    """Micro-USDC."""
    slash: Amount = "0"


class HearingLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a hearing came to: a CASE leaf and its SEAT leaves."""

    session: Name
    hearing: Count
    verdict: Hex32
    """`chain.court.anchor.verdict_hash`."""
    document: Hex32
    """SHA-256 of its `agon-case/1`."""
    seats: Annotated[list[SeatLine], Meta(max_length=MAX_SEATS)]

    def leaf(self) -> CaseLeaf:
        case = case_id(self.session)
        return CaseLeaf(
            case, self.hearing, bytes.fromhex(self.verdict), bytes.fromhex(self.document)
        )

    def leaves(self) -> list[Leaf]:
        """All of its leaves, its own first."""
        return [self.leaf(), *self.seat_leaves()]

    def seat_leaves(self) -> list[SeatLeaf]:
        case = case_id(self.session)
        return [
            SeatLeaf(
                case, self.hearing, each.judge, each.ordinal, each.skill, each.pay, int(each.slash)
            )
            for each in self.seats
        ]


class TakenBack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A hearing of an epoch before, which was put on the chain after that: its pays are taken out of the accounts again, as the
    contract pays for it by itself."""

    session: Name
    hearing: Count
    epoch: Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
    pays: Annotated[list[tuple[LowerAddress, Whole]], Meta(max_length=MAX_SEATS)]
    """(judge, micro-USDC) as that epoch had them."""


class AccountLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One judge's account at the end of the epoch, micro-USDC."""

    judge: LowerAddress
    balance: Whole
    """The sum of all its pays."""
    earned: Count
    """What it may claim in all: an EARNED leaf, unless it is nothing."""


class CourtEpoch(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    v: Literal["agon-court-epoch/1"] = "agon-court-epoch/1"
    epoch: Annotated[int, Meta(ge=1, le=MAX_INTEGER)]
    chain_id: Count
    court: Address
    made_ms: Count
    hearings: Annotated[list[HearingLine], Meta(min_length=1, max_length=MAX_HEARINGS)]
    """In the order of sessions and hearings."""
    taken_back: Annotated[list[TakenBack], Meta(max_length=MAX_HEARINGS)]
    """In that order, too."""
    accounts: Annotated[list[AccountLine], Meta(max_length=MAX_ACCOUNTS)]
    """Of all judges that have ever been paid or docked, by address."""
    cases_root: Hex32
    earned_root: Hex32
    """32 zeros where nobody has earned anything yet."""
    total_micros: Count
    """What all may claim together."""


def cases_tree(hearings: Sequence[HearingLine]) -> AnchorTree:
    """Raises ValueError for a leaf that stands there twice."""
    return AnchorTree([leaf for each in hearings for leaf in each.leaves()])


def earned_tree(accounts: Sequence[AccountLine]) -> AnchorTree | None:
    """None where nobody has earned anything."""
    leaves = [EarnedLeaf(each.judge, each.earned) for each in accounts if each.earned]
    return AnchorTree(leaves) if leaves else None


def build(
    epoch: int,
    chain_id: int,
    court: str,
    made_ms: int,
    hearings: Sequence[HearingLine],
    accounts: Mapping[str, tuple[int, int]],
    taken_back: Sequence[TakenBack] = (),
) -> CourtEpoch:
    """`accounts`: (balance, earned) of each judge, by address in lower case. Raises ValueError."""
    ordered = sorted(hearings, key=lambda each: (each.session, each.hearing))
    lines = [AccountLine(judge, *account) for judge, account in sorted(accounts.items())]
    earned = earned_tree(lines)
    return CourtEpoch(
        epoch=epoch,
        chain_id=chain_id,
        court=court,
        made_ms=made_ms,
        hearings=ordered,
        taken_back=sorted(taken_back, key=lambda each: (each.session, each.hearing)),
        accounts=lines,
        cases_root=cases_tree(ordered).root.hex(),
        earned_root=bytes(32).hex() if earned is None else earned.root.hex(),
        total_micros=sum(each.earned for each in lines),
    )


def read(document: bytes) -> CourtEpoch:
    """From its stored bytes, which may come from anybody. Raises DocumentError."""
    epoch = form.read(document, CourtEpoch, version=VERSION, max_bytes=MAX_BYTES)
    check(epoch)
    return epoch


def check(epoch: CourtEpoch) -> None:
    """Whether it agrees with itself. Raises DocumentError."""
    _ascending([(each.session, each.hearing) for each in epoch.hearings], "hearings")
    _ascending([(each.session, each.hearing) for each in epoch.taken_back], "taken back")
    _ascending([each.judge for each in epoch.accounts], "accounts")
    try:
        cases, earned = cases_tree(epoch.hearings), earned_tree(epoch.accounts)
    except ValueError as error:
        raise DocumentError(str(error)) from None
    found = bytes(32) if earned is None else earned.root
    for name, said, root in (
        ("cases_root", epoch.cases_root, cases.root),
        ("earned_root", epoch.earned_root, found),
    ):
        if root.hex() != said:
            raise DocumentError(f"{name} is {said}, and the tree of its leaves is {root.hex()}")
    if sum(each.earned for each in epoch.accounts) != epoch.total_micros:
        raise DocumentError("total_micros is not what its accounts add up to")


def pays(epoch: CourtEpoch) -> list[tuple[str, int]]:
    """What its accounts have moved by."""
    return moved(epoch.hearings, epoch.taken_back)


def moved(
    hearings: Sequence[HearingLine], taken_back: Sequence[TakenBack]
) -> list[tuple[str, int]]:
    """(judge, micro-USDC) of every seat, and of what is taken back."""
    paid = [(seat.judge, seat.pay) for each in hearings for seat in each.seats]
    return paid + [(judge, -pay) for each in taken_back for judge, pay in each.pays]


def _ascending(keys: Sequence[tuple[str, int]] | Sequence[str], what: str) -> None:
    if any(one >= other for one, other in itertools.pairwise(keys)):  # type: ignore[operator]
        raise DocumentError(f"{what} are not in order, each once")
