"""Node operators of a season: `agon operator` in a process each, with a key and a stake. One of them is killed for good."""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from chain.attestation import ANY_LEAF, read_leaves
from chain.content.cid import Cid, Codec
from chain.content.ipfs import Ipfs
from server.commands.keystore import Keystore
from server.embedded import ipfs as embedded_ipfs
from server.embedded.data_dir import DataDir
from tests.chain.node import account
from tests.chaos.season.ground import ANSWER_S, ROOT, TERMS, Ground

PASSPHRASE = "for a season"
CHALLENGER = 9
"""Which of the known accounts doubts whether the dead one keeps what it attested."""


class Keeper:
    """One operator."""

    def __init__(self, ground: Ground, name: str) -> None:
        self.ground = ground
        self.name = name
        self.folder = ground.folder / name
        self.address = ""
        self._wallet = ground.folder / f"{name}.json"
        self._process: asyncio.subprocess.Process | None = None

    async def join(self) -> None:
        """A wallet, registered, and the least stake."""
        account = await asyncio.to_thread(Keystore(self._wallet).make, lambda *_: PASSPHRASE)
        self.address = str(account.address)
        await self.ground.give(self.address, ether=1, frac=TERMS.min_stake)
        contract = self.ground.operators
        await self.ground.send(
            account, contract.register(f"https://{self.name}.example", f"12D3{self.name}")
        )
        await self.ground.send(account, self.ground.frac.approve(contract.address, TERMS.min_stake))
        await self.ground.send(account, contract.stake(TERMS.min_stake))

    async def start(self, arena: str) -> None:
        with (self.ground.folder / f"{self.name}.log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "server.cli", "operator", "run", "--url", arena),
                *("--folder", str(self.folder), "--every", "2", "--leaves", "64"),
                *("--confirmations", "2", *self._place),
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    async def end(self, how: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(how)
            await self._process.wait()

    def check_runs(self) -> None:
        assert self._process is not None
        assert self._process.returncode is None, f"operator {self.name} has ended"

    async def batches(self) -> list[bytes]:
        """The digests of the lists that it has attested, by the chain's logs."""
        contract = self.ground.operators
        head = await self.ground.head()
        topic = contract.abi.topic("Attested")
        first = self.ground.manifest.first_block
        logs = await self.ground.node.logs([contract.address], first, head, [topic])
        events = [event for log in logs if (event := contract.event(log)) is not None]
        return [e.fields["list_digest"] for e in events if e.fields["operator"] == self.address]

    async def attested(self) -> set[bytes]:
        """Digests of all blocks that it has attested, by the lists in its own content store, which outlives it."""
        batches = set(await self.batches())
        with DataDir(str(self.folder)) as data:
            async with Ipfs(await embedded_ipfs.start(data, 1 << 34)) as store:
                lists = [await store.block(Cid(Codec.RAW, digest)) for digest in batches]
        return {leaf.digest for each in lists for leaf in read_leaves(each)}

    @property
    def _place(self) -> tuple[str, ...]:
        manifest = str(self.ground.folder / "chain.json")
        return (
            *("--file", str(self._wallet), "--rpc", self.ground.url),
            *("--manifest", manifest, "--data-dir", str(self.ground.folder / "nowhere")),
        )

    @property
    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AGON_")}
        return kept | {"AGON_PASSPHRASE": PASSPHRASE}


async def doubt(ground: Ground, dead: Keeper) -> int:
    """Challenge it, for a bond, and see to it that it pays for not answering: FRAC that it lost, in the smallest part."""
    doubter, contract = account(CHALLENGER), ground.operators
    before = (await contract.operator(dead.address)).bonded
    await ground.give(str(doubter.address), frac=TERMS.bond)
    await ground.send(doubter, ground.frac.approve(contract.address, TERMS.bond))
    await ground.send(doubter, contract.open_challenge(dead.address, 0, ANY_LEAF))
    number = await _newest(ground, dead.address)
    await ground.buried(6)
    if not (await contract.challenge(number)).drawn_block:
        await ground.send(doubter, contract.draw(number))
    await ground.buried(TERMS.answer_blocks + 1)
    await ground.pass_time(ANSWER_S + 1)
    if not (await contract.challenge(number)).closed:
        await ground.send(doubter, contract.record_miss(number))
    return before - (await contract.operator(dead.address)).bonded


async def _newest(ground: Ground, operator: str) -> int:
    contract = ground.operators
    for number in range(await contract.challenge_count(), 0, -1):
        found = await contract.challenge(number)
        if (found.operator, found.challenger) == (operator, str(account(CHALLENGER).address)):
            return number
    raise AssertionError(f"nobody has challenged {operator}")
