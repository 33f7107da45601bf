"""What a season is played on: a chain in a process of its own, the arena's contracts on it with a short delay, and the roles."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

from chain.client.claims import Fractals, Rewards
from chain.client.contract import Invocation
from chain.client.deployment import Manifest, deploy
from chain.client.escrow import Escrow
from chain.client.operators import Operators, Terms
from chain.client.plans import DAY_S, FRAC, Fixed, plans
from chain.client.roles import Roles
from chain.client.sending import send
from chain.client.signer import KeySigner
from chain.client.token import Token
from chain.devchain.accounts import ADDRESSES, ETHER
from chain.ethereum import LocalAccount
from chain.wallet.contracts import Contracts
from server.embedded.prompt import PromptRpc
from server.settlement import key_file
from tests.chain.anvil import anvil
from tests.chain.node import account
from tests.chain.rpc import CHAIN_ID, Wire

WITHDRAWAL_DELAY_S = 3_600
REFUND_AFTER_S = 4 * 3_600
ANSWER_S = 600
"""The least that the contract takes."""
TERMS = Terms(1_000 * FRAC, 10 * FRAC, 14 * DAY_S, ANSWER_S, 5, 90 * DAY_S)
ROOT = Path(__file__).parents[3]


@contextlib.asynccontextmanager
async def chain(kind: str, folder: Path) -> AsyncIterator[str]:
    """`anvil` or `devchain`, a block a second; its URL."""
    if kind == "anvil":
        async with anvil("--block-time", "1", "--slots-in-an-epoch", "4") as url:
            yield url
        return
    words = ("-m", "chain.devchain", str(folder / "chain.sqlite"), "0", str(CHAIN_ID), "1.0")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.terminate()
        await process.wait()


class Ground:
    """The chain and what stands on it. Account 0 has deployed it, mints USDC, and has all FRAC: it is the treasury."""

    def __init__(self, kind: str, url: str, folder: Path, manifest: Manifest) -> None:
        self.kind = kind
        self.url = url
        self.folder = folder
        self.manifest = manifest
        self.node = PromptRpc(url, CHAIN_ID)
        self.wire = Wire(url)
        self.contracts = Contracts(self.node, manifest)
        self.escrow = Escrow(self.node, manifest.address("escrow"))
        self.usdc = Token(self.node, manifest.address("usdc"))
        self.frac = Token(self.node, manifest.address("frac"), "frac")
        self.operators = Operators(self.node, manifest.address("operators"))
        self.settler = key_file.read(folder / "settler.key")

    @property
    def treasury(self) -> str:
        return ADDRESSES[0]

    @property
    def knobs(self) -> dict[str, str]:
        """By which an arena settles here."""
        return {
            "AGON_SETTLEMENT": "chain",
            "AGON_RPC_URL": self.url,
            "AGON_CHAIN_MANIFEST": str(self.folder / "chain.json"),
            "AGON_SETTLER_KEY_FILE": str(self.folder / "settler.key"),
        }

    async def close(self) -> None:
        await self.node.close()
        await self.wire.close()

    async def send(self, who: LocalAccount, call: Invocation, value: int = 0) -> None:
        """And have a block made of it. Raises Reverted."""
        await send(self.node, KeySigner(who, CHAIN_ID), *call, value=value)

    async def give(self, to: str, *, micros: int = 0, frac: int = 0, ether: int = 0) -> None:
        """Out of account 0."""
        giver = account(0)
        if ether:
            await self.send(giver, Invocation(to, b""), value=ether * ETHER)
        if micros:
            await self.send(giver, self.usdc.mint(to, micros))
        if frac:
            await self.send(giver, self.frac.transfer(to, frac))

    async def head(self) -> int:
        return (await self.node.head()).number

    async def buried(self, depth: int) -> None:
        """Wait until so many blocks lie on what is newest now."""
        until = await self.head() + depth
        while await self.head() < until:
            await asyncio.sleep(0.2)

    async def reorganise(self, depth: int) -> None:
        """Other, empty blocks take the place of the newest; their transactions are lost."""
        if self.kind == "anvil":
            await self.wire("anvil_reorg", depth, [])
        else:
            await self.wire("evm_reorg", depth, True)

    async def pass_time(self, seconds: int) -> None:
        """The newest block is so much later; blocks that were made quickly may be ahead of the clock."""
        until = (await self.node.head()).timestamp + seconds
        while (left := until - (await self.node.head()).timestamp) > 0:
            await self.wire("evm_increaseTime", left)
            await self.wire("evm_mine")


async def prepare(kind: str, url: str, folder: Path) -> Ground:
    """Deploy everything, and give the arena's key all that an arena does by itself."""
    settler = key_file.make(folder / "settler.key")
    terms = msgspec.structs.replace(
        Fixed(ADDRESSES[0]),
        withdrawal_delay_s=WITHDRAWAL_DELAY_S,
        refund_after_s=REFUND_AFTER_S,
        terms=TERMS,
    )
    node = PromptRpc(url, CHAIN_ID)
    try:
        signer = KeySigner(account(0), CHAIN_ID)
        manifest = await deploy(node, signer, plans(terms), folder / "chain.json")
    finally:
        await node.close()
    ground = Ground(kind, url, folder, manifest)
    await ground.give(settler.address, ether=100)
    fractals = Fractals(ground.node, manifest.address("fractals"))
    rewards = Rewards(ground.node, manifest.address("rewards"))
    roles: list[tuple[Roles, str]] = [
        (ground.escrow, "settler"),
        (ground.escrow, "guardian"),
        (ground.operators, "challenger"),
        (rewards, "publisher"),
        (fractals, "publisher"),
    ]
    for contract, role in roles:
        await ground.send(account(0), contract.offer_role(role, settler.address))
        await ground.send(settler, contract.take_role(role))
    return ground
