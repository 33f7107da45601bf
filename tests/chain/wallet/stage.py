"""A deployment on the embedded chain, an owner with a wallet on it, and the arena's side of the escrow."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from chain.client import deployment
from chain.client.escrow import Opening
from chain.client.fees import FeePolicy
from chain.client.plans import Fixed, plans
from chain.client.signer import KeySigner
from chain.devchain.accounts import ADDRESSES
from chain.documents import payouts
from chain.ethereum import Account, LocalAccount
from chain.wallet.contracts import Contracts
from chain.wallet.hands import Hands
from chain.wallet.payouts import Tree
from chain.wallet.sending import Sender
from chain.wallet.sent import Sent
from tests.chain.node import Net, deployed, net
from tests.chain.rpc import CHAIN_ID

ETHER = 10**18
DOLLAR = 10**6
SETTLER = 1
"""Which of the known accounts."""


class Memory:
    """A journal that outlives a command, as the file does."""

    def __init__(self) -> None:
        self.sent: Sent | None = None
        self.written = 0

    def read(self) -> Sent | None:
        return self.sent

    def write(self, sent: Sent) -> None:
        self.sent = sent
        self.written += 1

    def clear(self) -> None:
        self.sent = None


class Stage:
    """`owner` has ether and a thousand dollars in its wallet."""

    def __init__(self, chain: Net, manifest: deployment.Manifest) -> None:
        self.chain = chain
        self.manifest = manifest
        self.contracts = Contracts(chain.rpc, manifest)
        self.owner: LocalAccount = Account.from_key(b"\x77" * 32)
        self.journal = Memory()
        self.told: list[str] = []
        self.cumulative: dict[str, int] = {}
        self._sessions = 0

    def hands(
        self, command: str, *, key: LocalAccount | None = None, patience_s: float = 10, cap: int = 0
    ) -> Hands:
        """Of one run of a command."""
        account = key or self.owner
        sender = Sender(
            self.chain.rpc,
            KeySigner(account, CHAIN_ID),
            self.journal,
            command=command,
            genesis=self.manifest.genesis,
            clock=lambda: 1_800_000_000,
            policy=FeePolicy(cap=cap) if cap else None,
            told=self.told.append,
            patience_s=patience_s,
            poll_s=0.01,
            gone_after_s=0.05,
        )
        return Hands(self.contracts, account, sender)

    async def give(self, to: str, *, wei: int = 0, usdc: int = 0) -> None:
        if wei:
            await self.chain.wire("eth_sendRawTransaction", await self._transfer(to, wei))
        if usdc:
            token = await self.contracts.usdc()
            await self.chain.send(0, *token.mint(to, usdc))

    async def nonce(self) -> int:
        head = await self.chain.rpc.head()
        return await self.chain.rpc.nonce(self.owner.address, head.number)

    async def pass_time(self, seconds: int) -> None:
        await self.chain.wire("evm_increaseTime", seconds)
        await self.chain.wire("evm_mine")

    async def close_epoch(self, won: dict[str, int]) -> Tree:
        """An epoch that settles one session between two known accounts, and allots so much more than before."""
        await self._be_settler()
        escrow = self.contracts.escrow
        pot = sum(won.values())
        self._sessions += 1
        opening = Opening(f"S{self._sessions}", pot, (ADDRESSES[SETTLER],))
        usdc = await self.contracts.usdc()
        await self.chain.send(0, *usdc.mint(ADDRESSES[SETTLER], pot))
        await self.chain.send(SETTLER, *usdc.approve(escrow.address, pot))
        await self.chain.send(SETTLER, *escrow.deposit(pot))
        await self.chain.send(SETTLER, *escrow.open_sessions([opening]))
        for each, micros in won.items():
            self.cumulative[each] = self.cumulative.get(each, 0) + micros
        number = (await escrow.books()).epoch + 1
        document, tree = payouts.build(number, CHAIN_ID, escrow.address, self.cumulative)
        await self.chain.send(
            SETTLER, *escrow.close_epoch(number, b"\1" * 32, tree.root, tree.total, [opening])
        )
        return document, tree

    async def be(self, contract: Any, role: str) -> None:
        """The deployer takes a role."""
        await self.chain.send(0, *contract.offer_role(role, ADDRESSES[0]))
        await self.chain.send(0, *contract.take_role(role))

    async def _be_settler(self) -> None:
        escrow = self.contracts.escrow
        if await escrow.holder("settler") is None:
            from chain.client.escrow import Limits

            await self.chain.send(0, *escrow.offer_role("settler", ADDRESSES[SETTLER]))
            await self.chain.send(SETTLER, *escrow.take_role("settler"))
            limits = Limits(10**12, 10**15, 2**40, 1)
            await self.chain.send(SETTLER, *escrow.set_limits(limits))

    async def _transfer(self, to: str, wei: int) -> str:
        from chain.client.fees import Fees
        from chain.client.nonces import Call
        from tests.chain.node import account

        signer = KeySigner(account(9), CHAIN_ID)
        nonce = await self.chain.rpc.nonce(signer.address, (await self.chain.rpc.head()).number)
        _, raw = signer.sign(nonce, Call(to, b"", 21_000, wei), Fees(10**11, 10**6))
        return "0x" + raw.hex()


_ON_DISK: dict[str, Path] = {}


async def on_disk(factory: pytest.TempPathFactory) -> Path:
    """A chain with all contracts and nothing else, and its manifest: deployed once in a run, to be copied."""
    if "folder" not in _ON_DISK:
        folder = factory.mktemp("deployed")
        async with net(folder / "devchain.sqlite") as chain:
            await deployed(chain, folder, plans(Fixed(ADDRESSES[0])))
        _ON_DISK["folder"] = folder
    return _ON_DISK["folder"]


@asynccontextmanager
async def staged(source: Path, folder: Path) -> AsyncIterator[Stage]:
    """On a copy of a chain that has the contracts."""
    shutil.copytree(source, folder / "chain")
    manifest = deployment.read(folder / "chain" / "manifest.json")
    assert manifest is not None
    async with net(folder / "chain" / "devchain.sqlite") as chain:
        stage = Stage(chain, manifest)
        await stage.give(stage.owner.address, wei=ETHER, usdc=1_000 * DOLLAR)
        yield stage
