"""What a flow works with."""

from __future__ import annotations

from typing import NamedTuple

from chain.ethereum import LocalAccount
from chain.wallet.contracts import Contracts
from chain.wallet.sending import Sender


class Hands(NamedTuple):
    contracts: Contracts
    account: LocalAccount
    """The owner's key."""
    sender: Sender

    @property
    def address(self) -> str:
        return str(self.account.address)

    async def now_s(self) -> int:
        """Unix seconds, as the chain tells the time."""
        return (await self.contracts.node.head()).timestamp
