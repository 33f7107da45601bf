"""An arena with pinned transcripts, a chain with the contracts of operators, and operators that do what a test tells them."""

from __future__ import annotations

import hashlib
import random
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from chain import attestation
from chain.attestation import Leaf
from chain.client.claims import Fractals, Rewards
from chain.client.deployment import Manifest, read
from chain.client.index import Indexer
from chain.client.nonces import Policy
from chain.client.operators import Attested, Operators
from chain.client.plans import TERMS as plan_terms
from chain.client.plans import Fixed, plans
from chain.client.roles import Roles
from chain.client.signer import KeySigner
from chain.client.token import Token
from chain.client.txs import TxWriter
from chain.content import cid
from chain.content.cid import Cid
from chain.content.errors import NotThere
from chain.devchain.accounts import ADDRESSES
from server.api.app import create_app
from server.config import Config
from server.identity import new_id
from server.live.connection import open_redis
from server.operators.acting import Acts
from server.operators.following import READER, OperatorsFollower
from server.store import Store
from server.store.chain_logs import ChainLogs
from server.store.pins import NewPin
from tests.chain.node import Net, account, deployed, net
from tests.chain.rpc import CHAIN_ID
from tests.server.money_world import funded, session_of, ticket_of

ADMIN, CHALLENGER, PUBLISHER = 0, 1, 2
CONTRACTS = ("usdc", "escrow", "frac", "operators", "rewards", "fractals")
ROLES = (
    ("operators", "challenger", CHALLENGER),
    ("rewards", "publisher", PUBLISHER),
    ("fractals", "publisher", PUBLISHER),
)
TERMS = msgspec.structs.replace(plan_terms, answer_s=600, answer_blocks=6)
STAKE = 2 * TERMS.min_stake
DAY_S = 86_400


class Shelf:
    """Blocks that everybody can fetch."""

    def __init__(self) -> None:
        self.held: dict[Cid, bytes] = {}

    async def block(self, id_: Cid) -> bytes:
        if id_ not in self.held:
            raise NotThere(f"nobody has {id_}")
        return self.held[id_]

    async def add(self, document: bytes) -> Cid:
        return self.put(document)

    def put(self, data: bytes) -> Cid:
        self.held[cid.of(data)] = data
        return cid.of(data)


class FakeOperator:
    """One of the known accounts, with FRAC, which it stakes."""

    def __init__(self, world: OperatorsWorld, which: int) -> None:
        self.world = world
        self.which = which
        self.address = ADDRESSES[which]
        self.batches: list[list[Leaf]] = []

    async def join(self, stake: int = STAKE) -> FakeOperator:
        world = self.world
        await world.send(ADMIN, *world.frac.transfer(self.address, stake))
        await self.send(*world.frac.approve(world.operators.address, stake))
        await self.send(*world.operators.register(f"https://{self.which}.example", "12D3"))
        await self.send(*world.operators.stake(stake))
        return self

    async def attest(self, sessions: Sequence[str], **lie: Any) -> list[Leaf]:
        """The sessions' transcripts; the first leaf with the changes that `lie` names."""
        now_ms = (await self.world.head_s()) * 1_000
        leaves = [attestation.leaf_of(s, self.world.documents[s], now_ms) for s in sessions]
        leaves[0] = msgspec.structs.replace(leaves[0], **lie)
        await self.attest_leaves(leaves)
        return leaves

    async def attest_leaves(self, leaves: list[Leaf], data: bytes | None = None) -> None:
        """`data`: what lies there instead of the list."""
        given = b"".join(each.encode() for each in leaves) if data is None else data
        digest = hashlib.sha256(given).digest()
        self.world.shelf.put(given)
        root = attestation.batch_root(leaves)
        await self.send(*self.world.operators.attest(root, len(leaves), digest))
        self.batches.append(leaves)

    async def answer(self, number: int) -> None:
        challenge = await self.world.operators.challenge(number)
        leaves = self.batches[challenge.batch]
        block = await self.world.shelf.block(Cid(cid.Codec.RAW, leaves[challenge.leaf].digest))
        made = attestation.answer(leaves, challenge.leaf, block, challenge.seed)
        leaf = Attested(*made.leaf)
        proofs = (made.leaf_proof, made.piece, made.piece_proof)
        await self.send(*self.world.operators.answer(number, leaf, *proofs))

    async def send(self, to: str | None, data: bytes) -> Any:
        return await self.world.send(self.which, to, data)


class OperatorsWorld:
    """Blocks come with each transaction; `read` brings the arena up to the newest."""

    def __init__(self, store: Store, chain: Net, made: Manifest) -> None:
        self.store = store
        self.chain = chain
        self.shelf = Shelf()
        self.documents: dict[str, bytes] = {}
        self.operators = Operators(chain.rpc, made.address("operators"))
        self.rewards = Rewards(chain.rpc, made.address("rewards"))
        self.fractals = Fractals(chain.rpc, made.address("fractals"))
        self.frac = Token(chain.rpc, made.address("frac"), "frac")
        self.manifest = made
        self.first_block = made.first_block
        self.refusals: list[tuple[str, str]] = []
        self.follower = OperatorsFollower(
            operators=self.operators,
            rewards=self.rewards,
            fractals=self.fractals,
            clock=self.clock,
        )
        self.logs = ChainLogs(store.database, self.follower)
        self.indexer = Indexer(
            node=chain.rpc,
            store=self.logs,
            reader=READER,
            addresses=self.follower.addresses,
            start=made.first_block,
            confirmations=0,
        )
        self.now_ms = 0
        self.writers = {who: self._writer(who) for who in (CHALLENGER, PUBLISHER)}

    def clock(self) -> int:
        return self.now_ms

    def _writer(self, who: int) -> TxWriter:
        return TxWriter(
            node=self.chain.rpc,
            store=self.store.chain_txs,
            signer=KeySigner(account(who), CHAIN_ID),
            chain_id=CHAIN_ID,
            clock=self.clock,
            policy=Policy(confirmations=0),
        )

    def acts(self, who: int) -> Acts:
        return Acts(self.writers[who], lambda name, why: self.refusals.append((name, why)))

    async def send(self, who: int, to: str | None, data: bytes) -> Any:
        return await self.chain.send(who, to, data)

    async def read(self) -> None:
        """What the chain has; and what the writers have to do is done before."""
        for writer in self.writers.values():
            while await writer.round():
                pass
        while await self.indexer.round():
            pass

    async def head_s(self) -> int:
        return (await self.chain.rpc.head()).timestamp

    async def pass_time(self, seconds: int, blocks: int = 1) -> None:
        await self.chain.wire("evm_increaseTime", seconds)
        for _ in range(blocks):
            await self.chain.wire("evm_mine")

    async def transcripts(self, count: int, size: int = 3_000) -> list[str]:
        """Sealed and pinned sessions."""
        rng = random.Random(len(self.documents))
        agents = [await funded(self.store, f"A{new_id()}", 0) for _ in range(2)]
        at_ms = (await self.head_s()) * 1_000
        for _ in range(count):
            tickets = [ticket_of(agent, tier=0) for agent in agents]
            record = session_of(tickets)
            seats = tuple(msgspec.structs.replace(seat, ticket=None) for seat in record.seats)
            record = msgspec.structs.replace(record, seats=seats)
            await self.store.sessions.form(record)
            document = rng.randbytes(rng.randint(size // 2, size))
            await self.store.sessions.seal(
                session=record.session, status="ended", outcome={}, document=document,
                digest=hashlib.sha256(document).hexdigest(), steps=(), now_ms=at_ms,
            )  # fmt: skip
            pin = NewPin(record.session, str(cid.of(document)), len(document), at_ms)
            await self.store.pins.put(pin)
            self.documents[record.session] = document
            self.shelf.put(document)
        return list(self.documents)[-count:]


async def deploy_into(folder: Path) -> None:
    """A chain with the contracts and their roles, for `operators_world` to begin with."""
    wanted = [
        each for each in plans(Fixed(ADDRESSES[ADMIN], terms=TERMS)) if each.name in CONTRACTS
    ]
    async with net(folder / "chain.sqlite") as chain:
        made = await deployed(chain, folder, wanted)
        for name, role, who in ROLES:
            contract = Roles(chain.rpc, name, made.address(name))
            await chain.send(ADMIN, *contract.offer_role(role, ADDRESSES[who]))
            await chain.send(who, *contract.take_role(role))


@asynccontextmanager
async def operators_world(
    store: Store, deployment: Path, folder: Path
) -> AsyncIterator[OperatorsWorld]:
    """On a copy of what `deploy_into` has made."""
    made = read(deployment / "manifest.json")
    assert made is not None
    for file in deployment.glob("chain.sqlite*"):
        shutil.copy(file, folder)
    async with net(folder / "chain.sqlite") as chain:
        yield OperatorsWorld(store, chain, made)


async def asked(world: OperatorsWorld, path: str) -> dict[str, Any]:
    """The API's answer."""
    redis = open_redis("unix:///nowhere")  # it is not asked
    app = create_app(
        config=Config(), store=world.store, redis=redis, gateway_address=lambda: "ws://nowhere"
    )
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://arena") as api:
        answer = await api.get(path)
    await redis.aclose(close_connection_pool=True)
    return dict(answer.json())
