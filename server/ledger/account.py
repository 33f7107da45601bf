"""An account: four counters and what they may never do."""

from __future__ import annotations

import enum

import msgspec


class Bound(enum.StrEnum):
    """What an account's counters must keep to."""

    NONE = "none"
    """Nothing: the mint of play money."""
    DEBITS = "debits"
    """Debits, pending ones included, never exceed the posted credits: nobody owes."""
    CREDITS = "credits"
    """Credits, pending ones included, never exceed the posted debits: what leaves for the outside has come
    from there."""


class Account(msgspec.Struct, frozen=True):
    """All amounts in micros of `asset`, never negative."""

    id: str
    asset: str
    bound: Bound
    debits_pending: int = 0
    debits_posted: int = 0
    credits_pending: int = 0
    credits_posted: int = 0

    @property
    def available_micros(self) -> int:
        """What may still be debited of an account bound by `DEBITS`: posted credits less all debits."""
        return self.credits_posted - self.debits_posted - self.debits_pending

    @property
    def balance_micros(self) -> int:
        """Posted credits less posted debits."""
        return self.credits_posted - self.debits_posted

    def sound(self) -> bool:
        """Whether the bound holds and no counter is negative."""
        counters = (
            self.debits_pending,
            self.debits_posted,
            self.credits_pending,
            self.credits_posted,
        )
        if min(counters) < 0:
            return False
        match self.bound:
            case Bound.DEBITS:
                return self.debits_pending + self.debits_posted <= self.credits_posted
            case Bound.CREDITS:
                return self.credits_pending + self.credits_posted <= self.debits_posted
            case Bound.NONE:
                return True
