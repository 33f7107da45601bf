"""What the platform asks of a chain. The simulated one implements it today; the real one will."""

from __future__ import annotations

from typing import Protocol

import msgspec

from server.store.crossings import Crossing


class Confirmed(msgspec.Struct, frozen=True):
    """It has happened, for good: buried under as many blocks as are asked for."""

    reference: str
    """A transaction hash, at most 80 characters."""


class Failed(msgspec.Struct, frozen=True):
    """It will never happen."""

    reason: str


class Settlement(Protocol):
    """Carries money between wallets and the ledger. Methods may be asked again after a crash at any point."""

    name: str
    """What people are told: `simulated`, later the chain's."""
    takes_deposits: bool
    """Whether a deposit may be begun by asking the arena; with a real chain it begins on the chain."""

    async def outcome(self, crossing: Crossing) -> Confirmed | Failed | None:
        """What has become of a crossing, begun by this call if it has not been; None while that is open.

        Idempotent by the crossing's id. Raises OSError while the chain cannot be reached.
        """
