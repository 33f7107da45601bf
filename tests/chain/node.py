"""A node of each kind for tests: the embedded chain with the client on it, and what is deployed there."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from chain.client.deployment import Manifest, Plan, deploy, read
from chain.client.fees import Fees
from chain.client.nonces import Call
from chain.client.rpc import Rpc
from chain.client.signer import KeySigner
from chain.devchain.accounts import ADDRESSES, KEYS
from chain.devchain.server import serving
from chain.ethereum import Account, LocalAccount
from tests.chain.rpc import CHAIN_ID, Wire

WITHDRAWAL_DELAY_S = 3_600
REFUND_AFTER_S = 7_200
PLANS = (
    Plan("usdc", "usdc_dev"),
    Plan("frac", "frac", lambda _: [ADDRESSES[0]]),
    Plan("escrow", "escrow", lambda at: [at["usdc"], WITHDRAWAL_DELAY_S, REFUND_AFTER_S]),
)


class Net:
    """A node, asked in both ways."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.rpc = Rpc(url, CHAIN_ID)
        self.wire = Wire(url)

    async def aclose(self) -> None:
        await self.rpc.close()
        await self.wire.close()

    async def send(self, who: int, to: str | None, data: bytes) -> Any:
        """Have one of the known accounts do something; the receipt. Blocks are made at once. Raises Reverted."""
        signer = KeySigner(account(who), CHAIN_ID)
        gas = await self.rpc.estimate(signer.address, Call(to, data, 0)) * 5 // 4
        nonce = await self.rpc.nonce(signer.address, (await self.rpc.head()).number)
        hash_, raw = signer.sign(nonce, Call(to, data, gas), Fees(10**11, 10**6))
        await self.rpc.send(raw)
        return await self.wire("eth_getTransactionReceipt", hash_)


def account(which: int) -> LocalAccount:
    made: LocalAccount = Account.from_key(KEYS[which])
    return made


@asynccontextmanager
async def net(path: Path | None = None, interval_s: float = 0) -> AsyncIterator[Net]:
    async with serving(path, interval_s=interval_s) as url:
        found = Net(url)
        try:
            yield found
        finally:
            await found.aclose()


_prepared: dict[object, Path] = {}


@asynccontextmanager
async def net_prepared(
    prepare: Callable[[Net, Manifest], Awaitable[None]],
    folder: Path,
    plans: Sequence[Plan] | None = None,
) -> AsyncIterator[tuple[Net, Manifest]]:
    """A node on a copy, in `folder`, of a chain on which the plans were deployed and `prepare` was at work: once in this process."""
    if prepare not in _prepared:
        source = Path(tempfile.mkdtemp(prefix="agon-chain-"))
        atexit.register(shutil.rmtree, source)
        async with net(source / "devchain.sqlite") as chain:
            await prepare(chain, await deployed(chain, source, plans or PLANS))
        _prepared[prepare] = source
    shutil.copytree(_prepared[prepare], folder / "chain")
    manifest = read(folder / "chain" / "manifest.json")
    assert manifest is not None, "it was written by `deployed`"
    async with net(folder / "chain" / "devchain.sqlite") as chain:
        yield chain, manifest


async def deployed(chain: Net, folder: Path, plans: Sequence[Plan] = PLANS) -> Manifest:
    signer = KeySigner(account(0), CHAIN_ID)
    return await deploy(chain.rpc, signer, plans, folder / "manifest.json")
