"""What a settlement is that is asked what has become of each crossing. Only the simulated one is: a real chain tells by its logs
(`mirror`).
"""

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
    """What people are told."""

    async def outcome(self, crossing: Crossing) -> Confirmed | Failed | None:
        """What has become of a crossing, begun by this call if it has not been; None while that is open.

        Idempotent by the crossing's id. Raises OSError while the chain cannot be reached.
        """
