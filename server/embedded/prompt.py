"""A node of the embedded chain for those who do many things, one after the other."""

from __future__ import annotations

from chain.client.rpc import Rpc


class PromptRpc(Rpc):
    """Has a block made of what it has sent, without waiting for the next second."""

    async def send(self, raw: bytes) -> None:
        await super().send(raw)
        await self.mine()
