"""What becomes of a transfer in a batch."""

from __future__ import annotations

import enum


class Result(enum.StrEnum):
    OK = "ok"
    """It has happened."""
    EXISTS = "exists"
    """The very same transfer had happened before; nothing more has."""
    EXISTS_DIFFERENT = "exists-different"
    """Another transfer has this id."""
    LINKED_FAILED = "linked-failed"
    """It would have been right, but a transfer that it is linked to was not."""
    CHAIN_OPEN = "chain-open"
    """The batch ends within a chain of linked transfers."""
    CHAIN_TORN = "chain-torn"
    """Of this chain some transfers have happened before and others not."""
    BAD_AMOUNT = "bad-amount"
    """Not an amount between 1 and MAX_MICROS."""
    SAME_ACCOUNT = "same-account"
    """It debits and credits one account."""
    UNKNOWN_ACCOUNT = "unknown-account"
    """One of its accounts does not exist."""
    OTHER_ASSET = "other-asset"
    """An account is of another asset than the transfer."""
    UNKNOWN_PENDING = "unknown-pending"
    """It resolves a transfer that does not exist or was never pending."""
    DIFFERS_FROM_PENDING = "differs-from-pending"
    """Its accounts, asset or amount are not those of the pending transfer."""
    RESOLVED = "resolved"
    """The pending transfer has been posted or voided already."""
    EXCEEDS_CREDITS = "exceeds-credits"
    """The debited account does not have so much."""
    EXCEEDS_DEBITS = "exceeds-debits"
    """The credited account would give back more than it has given."""

    @property
    def done(self) -> bool:
        """Whether what was asked for stands."""
        return self in (Result.OK, Result.EXISTS)
