"""Waits until what was sent is in a block, hands it to the node again where that has forgotten it, and says how long it takes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from chain.client.node import Head, RpcUnavailable, SendRefused, Trouble
from chain.client.nonces import Mined
from chain.wallet.refusals import FlowRefused
from chain.wallet.sent import Sent, WalletNode
from chain.wallet.words import span

POLL_S = 0.5
AGAIN_EVERY_S = 5.0
"""Between two times of handing the same bytes to a node that does not know them."""
TOLD_EVERY_S = 10.0
PATIENCE_S = 180.0
GONE_AFTER_S = 15.0
"""How long a nonce must have been used, and none of ours seen in a block: a node may count a block before it has its receipts,
and who is told too early that nothing was done does it again."""
LOOKED_BACK = 8
"""Blocks by which it is guessed how long one takes."""


class NotTaken(FlowRefused):
    """The node will never take it: nothing is under way."""


class Waiting:
    """For transactions of one address."""

    def __init__(
        self,
        node: WalletNode,
        address: str,
        *,
        told: Callable[[str], None],
        patience_s: float = PATIENCE_S,
        poll_s: float = POLL_S,
        gone_after_s: float = GONE_AFTER_S,
    ) -> None:
        self._node = node
        self._address = address
        self._told = told
        self._patience_s = patience_s
        self._poll_s = poll_s
        self._gone_after_s = gone_after_s

    async def outcome(self, sent: Sent) -> Mined | None:
        """The attempt that is in a block."""
        for attempt in reversed(sent.attempts):
            mined = await self._node.mined(attempt.hash)
            if mined is not None:
                return mined
        return None

    async def unused(self, sent: Sent) -> bool:
        """Whether the nonce is free still."""
        head = await self._node.head()
        return await self._node.nonce(self._address, head.number) <= sent.nonce

    async def until_mined(self, sent: Sent) -> Mined | None:
        """None where a transaction of somebody else has used the nonce.

        Raises NotTaken; FlowRefused when patience is over, and OSError when the node has not answered until then: what was sent
        may still come.
        """
        loop = asyncio.get_running_loop()
        begin = loop.time()
        send_at, tell_at = begin, begin + TOLD_EVERY_S
        used_at: float | None = None
        while True:
            over = loop.time() >= begin + self._patience_s
            try:
                mined = await self.outcome(sent)
                if mined is not None:
                    return mined
                if not await self.unused(sent):
                    used_at = loop.time() if used_at is None else used_at
                    if loop.time() - used_at >= self._gone_after_s:
                        return await self.outcome(sent)
                    await asyncio.sleep(self._poll_s)
                    continue
                used_at = None
                if loop.time() >= send_at:
                    send_at = loop.time() + AGAIN_EVERY_S
                    await self._hand_over(sent)
                    continue  # some chains have it in a block at once
                if loop.time() >= tell_at:
                    tell_at += TOLD_EVERY_S
                    self._told(await self._waits(sent, loop.time() - begin))
            except RpcUnavailable as error:  # whether it was taken is found out in a next round
                if over:
                    raise
                self._told(f"{error}; trying again")
            if over:
                raise FlowRefused(
                    f"{sent.attempts[-1].hash} is in no block after {span(int(self._patience_s))}: the same command goes on "
                    "waiting and sends nothing twice; `agon wallet pending --speed-up` pays more for it"
                )
            await asyncio.sleep(self._poll_s)

    async def expected(self, head: Head) -> str:
        """How long it should take."""
        every_s = await self._block_s(head)
        return f"in a block in about {every_s} s" if every_s else "waiting for a block"

    async def _hand_over(self, sent: Sent) -> None:
        newest = sent.attempts[-1]
        if await self._node.known(newest.hash):
            return
        try:
            await self._node.send(bytes.fromhex(newest.raw[2:]))
        except SendRefused as refused:
            if refused.trouble in (Trouble.KNOWN, Trouble.NONCE_USED):
                return  # what came of it, the next round finds
            if len(sent.attempts) > 1:  # what was sent before may still come
                raise FlowRefused(f"the node does not take it: {refused}") from None
            raise NotTaken(f"{_not_taken(refused)}; nothing was done") from None

    async def _block_s(self, head: Head) -> int:
        """Seconds that a block takes, by the newest ones; 0 where nothing can be said."""
        back = min(LOOKED_BACK, head.number)
        before = await self._node.block(head.number - back) if back else None
        return 0 if before is None else max(1, (head.timestamp - before.timestamp) // back)

    async def _waits(self, sent: Sent, waited_s: float) -> str:
        head = await self._node.head()
        waited = span(int(waited_s))
        if head.base_fee > sent.attempts[-1].fees.most:
            return (
                f"waiting for {waited}: gas costs more now than was offered; it comes when that has fallen, or by "
                "`agon wallet pending --speed-up`"
            )
        every_s = await self._block_s(head)
        takes = f", one takes about {every_s} s" if every_s else ""
        return f"waiting for {waited}: the chain is at block {head.number:,}{takes}"


def _not_taken(refused: SendRefused) -> str:
    match refused.trouble:
        case Trouble.UNDERPRICED:
            return "another transaction of this wallet has the same nonce and waits: try again when it is in a block"
        case Trouble.FUNDS:
            return "the wallet has not enough ETH for the gas"
        case _:
            return f"the node does not take it: {refused}"
