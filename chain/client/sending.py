"""One transaction of a key that nobody else uses meanwhile: sent, and waited for.

Where it must be known after a crash what was sent, `txs` is the writer; here whoever asks looks first whether it is done.
"""

from __future__ import annotations

import asyncio

from chain.client.fees import FeePolicy, offer
from chain.client.node import Reverted, SendRefused, Trouble
from chain.client.nonces import Call, Mined
from chain.client.rpc import Rpc
from chain.client.txs import Signer

GAS_FACTOR = 1.25
POLL_S = 0.2
PATIENCE_S = 180.0


class NotMined(OSError):
    """It is in no block yet, and may still come."""


async def send(
    node: Rpc,
    signer: Signer,
    to: str,
    data: bytes,
    *,
    value: int = 0,
    fees: FeePolicy | None = None,
) -> Mined | None:
    """Where it is; None where another transaction, sent before, has used its nonce.

    Raises Reverted where it fails, SendRefused where the node will not have it (no gas), NotMined after PATIENCE_S, OSError.
    """
    head = await node.head()
    nonce = await node.nonce(signer.address, head.number)
    gas = int(await node.estimate(signer.address, Call(to, data, 0, value)) * GAS_FACTOR)
    offered = offer(head.base_fee, await node.tip(), fees or FeePolicy())
    hash_, raw = signer.sign(nonce, Call(to, data, gas, value), offered)
    try:
        await node.send(raw)
    except SendRefused as refused:
        if refused.trouble in (Trouble.FUNDS, Trouble.OTHER):
            raise
        # One of before waits in its place, or this very one.
    return await _wait(node, signer.address, nonce, hash_)


async def _wait(node: Rpc, sender: str, nonce: int, hash_: str) -> Mined | None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_S
    while loop.time() < deadline:
        if await node.nonce(sender, (await node.head()).number) > nonce:
            mined = await node.mined(hash_)
            if mined is not None and not mined.succeeded:
                raise Reverted(f"transaction {hash_} failed on chain")
            return mined
        await asyncio.sleep(POLL_S)
    raise NotMined(f"transaction {hash_} is in no block after {PATIENCE_S:.0f} s")
