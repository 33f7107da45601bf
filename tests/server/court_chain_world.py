"""A chain with the court's contracts, an arena that files there, and judges with keys of their own."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from prometheus_client import CollectorRegistry

from chain.client.contract import Invocation
from chain.client.court import CourtContract
from chain.client.deployment import Manifest, read
from chain.client.hearings import Hearings
from chain.client.judge_registry import JudgeRegistry
from chain.client.nonces import Policy
from chain.client.plans import COURT_TERMS, FRAC, REGISTRY_TERMS, Fixed, plans
from chain.client.signer import KeySigner
from chain.client.token import Token
from chain.client.txs import TxWriter
from chain.content import cid
from chain.content.cid import Cid
from chain.court.commitment import Court as Law
from chain.court.commitment import commitment, reasons_digest, scores_hash
from chain.court.messages import Commit, Reveal, sign
from chain.devchain.accounts import ADDRESSES
from judges.rubric import RAP_BATTLE
from server.config import Config
from server.court import docket
from server.court.case import Case, Held, Terms, by_line
from server.court.clerk import Clerk
from server.court.onchain.rounds import CourtRounds
from server.identity import new_id
from server.metrics import Metrics
from server.protocol import CommitMessage, RevealMessage
from server.store import Store
from tests.chain.node import Net, account, deployed, net
from tests.chain.rpc import CHAIN_ID
from tests.server.money_world import funded, session_of, ticket_of
from tests.server.operators_world import Shelf

ADMIN, CLERK = 0, 1
BENCH = range(2, 7)
"""Which of the known accounts are judges from the beginning."""
CONTRACTS = ("usdc", "frac", "judge_registry", "reckoner", "court", "hearings")
STAKE = 20_000 * FRAC
FUNDS = 50_000_000
TERMS = msgspec.structs.replace(
    COURT_TERMS, appeal_s=60, window_s=3_600, clerk_bond=1_000 * FRAC, snapshot_max_s=7_200
)
GAP_S = 600
FIXED = Fixed(
    ADDRESSES[ADMIN],
    registry=msgspec.structs.replace(REGISTRY_TERMS, snapshot_gap_s=GAP_S),
    court=TERMS,
)


REASONS = [["it rhymes", "it does not"]] * 4


def sheet_of(first: int, second: int) -> tuple[int, ...]:
    """The same for every line."""
    return (first, second) * 4


class Judge:
    """One of the known accounts, that finds what it is told to. It remembers what it has signed."""

    def __init__(self, world: CourtWorld, which: int) -> None:
        self.world = world
        self.account = account(which)
        self.address = ADDRESSES[which]
        self.ordinal = 0
        self.sheets: dict[tuple[bytes, int], tuple[int, ...]] = {}

    def commit(self, case: Case, sheet: tuple[int, ...]) -> CommitMessage:
        hearing = case.last.hearing
        self.sheets[case.id, hearing] = sheet
        shown, salt = self.opening(case.id, hearing)
        bound = commitment(self.world.law, case.id, hearing, self.address, shown, salt)
        said = Commit(case.id, hearing, bound, self.ordinal)
        self.ordinal += 1
        signature = sign(self.account, self.world.law, said)
        return CommitMessage(hearing, "0x" + bound.hex(), said.ordinal, signature)

    def reveal(self, case: Case) -> RevealMessage:
        hearing = case.last.hearing
        shown, salt = self.opening(case.id, hearing)
        said = Reveal(case.id, hearing, shown, salt)
        scores = by_line(self.sheets[case.id, hearing], 2)
        signature = sign(self.account, self.world.law, said)
        return RevealMessage(hearing, scores, REASONS, "0x" + salt.hex(), signature)

    def opening(self, case: bytes, hearing: int) -> tuple[bytes, bytes]:
        """Hash of the scores and salt of what it has committed to."""
        salt = hashlib.sha256(f"{self.address}:{case.hex()}:{hearing}".encode()).digest()
        return scores_hash(self.sheets[case, hearing], reasons_digest(REASONS)), salt


class Keeping(Shelf):
    """And takes what is to be kept."""

    async def keep(self, document: bytes) -> Cid:
        return self.put(document)


class CourtWorld:
    """Blocks come with each transaction; `turn` has the arena do its rounds once."""

    def __init__(self, store: Store, chain: Net, made: Manifest) -> None:
        self.store = store
        self.chain = chain
        self.manifest = made
        self.shelf = Keeping()
        self.now_ms = 0
        self.court = CourtContract(chain.rpc, made.address("court"))
        self.hearings = Hearings(chain.rpc, made.address("hearings"))
        self.registry = JudgeRegistry(chain.rpc, made.address("judge_registry"))
        self.frac = Token(chain.rpc, made.address("frac"), "frac")
        self.usdc = Token(chain.rpc, made.address("usdc"))
        self.metrics = Metrics(CollectorRegistry())
        self.law = Law(CHAIN_ID, self.court.address)
        self.judges = {ADDRESSES[who]: Judge(self, who) for who in range(2, 10)}
        self.begin()

    def begin(self) -> None:
        """A process of the arena, which knows nothing but its rows."""
        self.writer = TxWriter(
            node=self.chain.rpc,
            store=self.store.chain_txs,
            signer=KeySigner(account(CLERK), CHAIN_ID),
            chain_id=CHAIN_ID,
            clock=self.clock,
            policy=Policy(confirmations=0),
        )
        self.rounds = CourtRounds(
            node=self.chain.rpc,
            manifest=self.manifest,
            writer=self.writer,
            store=self.store,
            content=self.shelf,
            config=Config(chain_confirmations=0, court_epoch_every_s=1, court_claim_micros=1),
            metrics=self.metrics,
            clock=self.clock,
        )
        self.side = self.rounds.side
        self.clerk = Clerk(
            store=self.store,
            chain=self.side,
            court=self.law,
            content=self.shelf,
            clock=self.clock,
            patience_s=3_600,
            told=_nobody,
        )

    def clock(self) -> int:
        return self.now_ms

    async def turn(self, times: int = 1) -> None:
        for _ in range(times):
            while await self.writer.round():
                pass
            for each in self.rounds.rounds:
                await each.work(60.0)
            await self.clerk.round()

    async def case(self, seats: int = 3, *, appeal_s: int = 60, margin: int = 100) -> str:
        """A session that was brought before the court."""
        agents = [await funded(self.store, f"A{new_id()}", 0) for _ in range(2)]
        record = session_of([ticket_of(agent, tier=0) for agent in agents])
        free = tuple(msgspec.structs.replace(seat, ticket=None) for seat in record.seats)
        await self.store.sessions.form(msgspec.structs.replace(record, seats=free))
        terms = Terms(
            weights=(1,) * 4,
            prior=(5_000,) * 4,
            scale=1_000_000,
            fee_micros=9_000,
            lock=str(100 * FRAC),
            margin=margin,
            commit_s=100,
            reveal_s=100,
            appeal_s=appeal_s,
            most=0,
            tie_milli=0,
        )
        made = Case(
            session=record.session,
            space="rap-battle",
            transcript=str(cid.of(record.session.encode())),
            rubric=RAP_BATTLE.id,
            lines=tuple(line.name for line in RAP_BATTLE.lines),
            contestants=2,
            terms=terms,
            made_ms=self.now_ms,
            hearings=(Held(hearing=0, seats=seats, salt="5a" * 32),),
        )
        await self.store.court.make(made)
        return record.session

    async def of(self, session: str) -> Case:
        found = await self.store.court.get(session)
        assert found is not None
        return found

    async def until_drawn(self, session: str) -> Case:
        for _ in range(12):
            case = await self.of(session)
            if case.last.state == "committing":
                return case
            await self.turn()
            await self.mine(2)
        raise AssertionError(f"nobody is drawn: {case.last}")

    async def commit(self, session: str, judge: str, sheet: tuple[int, ...]) -> None:
        case = await self.of(session)
        message = self.judges[judge].commit(case, sheet)
        assert docket.signer_of_commit(self.law, case, message) == judge
        await self.store.court.take(
            session,
            judge,
            lambda now, times: docket.committed(now, judge, message, self.now_ms, times),
        )

    async def force(self, case: Case, who: int = 9) -> None:
        """Somebody puts the last hearing on the chain."""
        held = case.last
        assert held.filing is not None
        assert held.filed is not None
        await self.send(ADMIN, self.frac.transfer(ADDRESSES[who], TERMS.bond))
        await self.send(who, self.frac.approve(self.hearings.address, TERMS.bond))
        proof = [bytes.fromhex(each) for each in held.filed.proof]
        filing = held.filing.filing()
        await self.send(who, self.hearings.force(held.filed.batch, filing, proof))

    async def reveal(self, session: str, judge: str) -> None:
        message = self.judges[judge].reveal(await self.of(session))
        await self.store.court.change(
            session, lambda now: docket.revealed(self.law, now, judge, message, self.now_ms)
        )

    async def send(self, who: int, call: Invocation) -> Any:
        return await self.chain.send(who, *call)

    async def pass_time(self, seconds: int, blocks: int = 1) -> None:
        await self.chain.wire("evm_increaseTime", seconds)
        await self.mine(blocks)
        self.now_ms += seconds * 1_000

    async def mine(self, blocks: int) -> None:
        for _ in range(blocks):
            await self.chain.wire("evm_mine")

    async def join(self, *judges: int) -> None:
        await join(self.chain, self.manifest, *judges)


async def join(chain: Net, made: Manifest, *judges: int) -> None:
    """Each for an operator and of a family of its own."""
    registry = JudgeRegistry(chain.rpc, made.address("judge_registry"))
    frac = Token(chain.rpc, made.address("frac"), "frac")
    for who in judges:
        await chain.send(ADMIN, *frac.transfer(ADDRESSES[who], STAKE))
        await chain.send(who, *frac.approve(registry.address, STAKE))
        await chain.send(who, *registry.register(ADDRESSES[who], f"family-{who}", ""))
        await chain.send(who, *registry.stake(STAKE))


async def _nobody() -> None:
    """Nobody watches."""


async def deploy_into(folder: Path) -> None:
    """A chain with the contracts, the clerk's role and bond, USDC for pay, and judges."""
    wanted = [each for each in plans(FIXED) if each.name in CONTRACTS]
    async with net(folder / "chain.sqlite") as chain:
        made = await deployed(chain, folder, wanted)
        court = CourtContract(chain.rpc, made.address("court"))
        frac = Token(chain.rpc, made.address("frac"), "frac")
        usdc = Token(chain.rpc, made.address("usdc"))
        for role in ("clerk", "guardian"):
            await chain.send(ADMIN, *court.offer_role(role, ADDRESSES[CLERK]))
            await chain.send(CLERK, *court.take_role(role))
        await chain.send(ADMIN, *frac.approve(court.address, TERMS.clerk_bond))
        await chain.send(ADMIN, *court.bond_clerk(TERMS.clerk_bond))
        await chain.send(ADMIN, *usdc.mint(ADDRESSES[ADMIN], FUNDS))
        await chain.send(ADMIN, *usdc.approve(court.address, FUNDS))
        await chain.send(ADMIN, *court.fund(FUNDS))
        await join(chain, made, *BENCH)


@asynccontextmanager
async def court_world(store: Store, deployment: Path, folder: Path) -> AsyncIterator[CourtWorld]:
    """On a copy of what `deploy_into` has made."""
    made = read(deployment / "manifest.json")
    assert made is not None
    for file in deployment.glob("chain.sqlite*"):
        shutil.copy(file, folder)
    async with net(folder / "chain.sqlite") as chain:
        world = CourtWorld(store, chain, made)
        world.now_ms = (await chain.rpc.head()).timestamp * 1_000
        yield world
