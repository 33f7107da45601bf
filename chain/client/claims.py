"""What is claimed by a proof: FRAC of reward epochs, and points of seasons (`rewards.vy`, `fractals.vy`)."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chain.client.contract import Caller, Invocation
from chain.client.roles import Roles


class Epoch(msgspec.Struct, frozen=True):
    root: bytes
    total: int
    """FRAC of all epochs so far, in its smallest part."""
    counts_at: int
    """The unix second from which it can be claimed by; until then it can be vetoed."""


class Rewards(Roles):
    """The contract at `address`."""

    def __init__(self, node: Caller, address: str) -> None:
        super().__init__(node, "rewards", address)

    async def epoch_count(self) -> int:
        return int(await self.read("epoch_count"))

    async def epoch(self, number: int) -> Epoch:
        return Epoch(*await self.read("epochs", number))

    async def funded(self, block: int | None = None) -> int:
        """FRAC that was ever paid in."""
        return int(await self.read("funded", block=block))

    async def claimed(self, account: str) -> int:
        return int(await self.read("claimed", account))

    async def claimable(self, account: str, cumulative: int) -> int:
        """What a claim would bring now."""
        return int(await self.read("claimable", account, cumulative))

    def fund(self, amount: int) -> Invocation:
        """By anybody, who has approved it."""
        return self.invoke("fund", amount)

    def post(self, epoch: int, root: bytes, total: int) -> Invocation:
        """By the publisher."""
        return self.invoke("post", epoch, root, total)

    def veto(self, epoch: int) -> Invocation:
        """By the guardian."""
        return self.invoke("veto", epoch)

    def claim(
        self, epoch: int, account: str, cumulative: int, proof: Sequence[bytes]
    ) -> Invocation:
        """By anybody, for the account."""
        return self.invoke("claim", epoch, account, cumulative, list(proof))


class Fractals(Roles):
    """The contract at `address`: points that nobody can move."""

    def __init__(self, node: Caller, address: str) -> None:
        super().__init__(node, "fractals", address)

    async def season(self) -> int:
        return int(await self.read("season"))

    async def balance(self, account: str) -> int:
        """Points of all seasons that were claimed."""
        return int(await self.read("balanceOf", account))

    async def root_count(self, season: int) -> int:
        """How many roots the season has; they count from 1."""
        return int(await self.read("root_count", season))

    async def points(self, season: int, account: str) -> int:
        return int(await self.read("points", season, account))

    async def root(self, season: int, number: int) -> bytes:
        return bytes(await self.read("roots", season, number))

    def post(self, season: int, number: int, root: bytes, total: int) -> Invocation:
        """By the publisher."""
        return self.invoke("post", season, number, root, total)

    def claim(
        self, season: int, number: int, account: str, points: int, proof: Sequence[bytes]
    ) -> Invocation:
        """By anybody, for the account."""
        return self.invoke("claim", season, number, account, points, list(proof))
