"""A transfer: one amount from one account to one other, for good."""

from __future__ import annotations

import enum

import msgspec

MAX_MICROS = 10**15
"""A thousand million dollars; a larger amount is a mistake, and sums stay far below 2**63."""
MAX_ID = 128


class Kind(enum.StrEnum):
    POSTED = "posted"
    """Moves its amount at once."""
    PENDING = "pending"
    """Reserves its amount until it is posted or voided, once."""
    POST = "post"
    """Carries out the pending transfer that it names, whole."""
    VOID = "void"
    """Gives the pending transfer that it names up, whole."""


class Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for. Accounts, asset and micros of a `POST` or `VOID` are those of the pending one."""

    id: str
    """Says what it is and can be said again: `hold:<ticket>`, `pay:<session>:<seat>`, … See `names`."""
    debit: str
    credit: str
    asset: str
    micros: int
    """1 .. MAX_MICROS."""
    code: str
    """Why, from a closed list: see `names.CODES`."""
    about: str | None = None
    kind: Kind = Kind.POSTED
    pending: str | None = None
    linked: bool = False
    """Stands or falls with the transfer that follows in the batch."""

    def same_as(self, other: Transfer) -> bool:
        """Whether both ask for the same thing; how they were linked does not matter."""
        return msgspec.structs.replace(self, linked=False) == msgspec.structs.replace(
            other, linked=False
        )


def resolution(pending: Transfer, kind: Kind, id_: str, *, linked: bool = False) -> Transfer:
    """The transfer that posts or voids `pending`."""
    assert kind in (Kind.POST, Kind.VOID), f"{kind} resolves nothing"
    return msgspec.structs.replace(pending, id=id_, kind=kind, pending=pending.id, linked=linked)
