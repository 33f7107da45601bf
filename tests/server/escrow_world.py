"""An escrow on the embedded chain, a store that mirrors it, and sessions that are really played for its money; blocks are made
at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
from sqlalchemy import insert, update

from chain.client.contract import Contract
from chain.client.deployment import Manifest
from chain.client.escrow import Escrow, Limits, Opening, session_id
from chain.client.index import Indexer
from chain.client.nonces import Policy
from chain.client.signer import KeySigner
from chain.client.txs import Alarm, TxWriter
from chain.verify.onchain import SETTLER
from server.identity import Identity
from server.jobs.pin import ContentStore
from server.ledger import names
from server.live.records import SessionRecord
from server.match import document
from server.settlement.actions import Writer
from server.settlement.documents import SessionDocuments
from server.settlement.epochs import Epochs
from server.settlement.mirror import Mirror
from server.settlement.signing import Signing
from server.store import Store
from server.store.chain_logs import ChainLogs
from server.store.escrow import escrow_session
from spaces import transcript
from tests.chain.node import Net, account, net_prepared
from tests.chain.rpc import CHAIN_ID
from tests.server.aftermath_session import Seats, played
from tests.server.money_world import deposit, ticket_of
from tests.server.money_world import session_of as formed_of

TIER = 500_000
SETTLER_KEY, TREASURY = 0, 9
OWNERS = (1, 2, 3, 4)
FAR = 2**40
CONFIRMATIONS = 1


class Clock:
    """Goes a millisecond each time it is asked, and when it is told to."""

    def __init__(self, ms: int) -> None:
        self.ms = ms

    def __call__(self) -> int:
        self.ms += 1
        return self.ms


class EscrowWorld:
    def __init__(
        self, chain: Net, escrow: Escrow, store: Store, clock: Clock, content: ContentStore
    ) -> None:
        self.chain = chain
        self.escrow = escrow
        self.store = store
        self.clock = clock
        self.content = content
        self.agents: list[Identity] = []
        self.alarms: list[Alarm] = []
        self.anchored: list[tuple[str, int, str]] = []
        self.refunded: list[tuple[str, str]] = []
        key = account(SETTLER_KEY)
        self.signing = Signing(key, CHAIN_ID, escrow.address)
        self.documents = SessionDocuments(store, self.signing)
        self.writer = TxWriter(
            node=chain.rpc,
            store=store.chain_txs,
            signer=KeySigner(key, CHAIN_ID),
            chain_id=CHAIN_ID,
            clock=clock,
            policy=Policy(confirmations=CONFIRMATIONS, resubmit_ms=1_000),
            alarm=self.alarms.append,
        )
        self.read: list[tuple[str, str]] = []
        """Alarms of the reader."""

        def alarm(kind: str, detail: str) -> None:
            self.read.append((kind, detail))

        mirror = Mirror(
            database=store.database,
            escrow=escrow,
            treasury=account(TREASURY).address,
            clock=clock,
            alarm=alarm,
        )
        self.reader = Indexer(
            node=chain.rpc,
            store=ChainLogs(store.database, mirror),
            reader="escrow",
            addresses=[escrow.address],
            start=0,
            confirmations=CONFIRMATIONS,
            alarm=alarm,
        )
        self.epochs = self.new_epochs()

    def new_epochs(
        self, every_s: float = 0, *, store: Store | None = None, writer: Writer | None = None
    ) -> Epochs:
        """As another process that begins to lead: it remembers nothing."""

        async def treasury() -> str:
            return account(TREASURY).address

        async def anchored(session: str, epoch: int, tx: str) -> None:
            self.anchored.append((session, epoch, tx))

        async def refunded(session: str, tx: str) -> None:
            self.refunded.append((session, tx))

        return Epochs(
            store=store or self.store,
            documents=self.documents,
            signing=self.signing,
            node=self.chain.rpc,
            escrow=self.escrow,
            chain_id=CHAIN_ID,
            treasury=treasury,
            writer=writer or self.writer,
            content=self.content,
            every_s=every_s,
            clock=self.clock,
            alarm=self.alarms.append,
            anchored=anchored,
            refunded=refunded,
        )

    def wallet(self, seat: int) -> str:
        return account(OWNERS[seat]).address

    async def play(
        self, *, void: bool = False, rated: bool = True, open_: bool = True, first: int = 0
    ) -> str:
        """A paid session of two of the owners' agents: opened on the chain, played, sealed, settled and rated."""
        pair = [self.agents[first], self.agents[(first + 1) % len(self.agents)]]
        tickets = [ticket_of(each, tier=TIER) for each in pair]
        for ticket in tickets:
            await self.store.entries.hold(ticket)
        paid = formed_of(tickets)
        rules = Seats(*pair).record("bid-tac-toe")
        seats = tuple(
            msgspec.structs.replace(seat, ticket=ticket.ticket)
            for seat, ticket in zip(rules.seats, tickets, strict=True)
        )
        record = msgspec.structs.replace(
            rules, session=paid.session, tier_micros=TIER, seats=seats, opened_ms=self.clock()
        )
        await self.store.sessions.form(record)
        owners = tuple(self.wallet(self.agents.index(each)) for each in pair)
        await self._want(record, owners)
        if open_:
            await self.open(record.session, owners)
        await self._end(record, pair, void=void, rated=rated)
        return record.session

    async def _want(self, record: SessionRecord, owners: tuple[str, ...]) -> None:
        row = {
            "session": record.session,
            "digest": session_id(record.session).hex(),
            "entry_micros": TIER,
            "owners": msgspec.json.encode(owners).decode(),
            "state": "wanted",
            "made_ms": record.opened_ms,
        }
        async with self.store.database.writing() as tx:
            await tx.execute(insert(escrow_session).values(row))

    async def open(self, session: str, owners: tuple[str, ...]) -> None:
        action = f"open:{session}"
        call = self.escrow.open_sessions([Opening(session, TIER, owners)])
        await self.writer.submit(action, *call)
        async with self.store.database.writing() as tx:
            await tx.execute(
                update(escrow_session)
                .where(escrow_session.c.session == session)
                .values(opening=action)
            )
        await self.settle_down()
        await self.follow()

    async def _end(
        self, record: SessionRecord, pair: list[Identity], *, void: bool, rated: bool
    ) -> None:
        table = played(record)
        body = document(record, table.log)
        outcome = table.match.outcome
        assert outcome is not None
        await self.store.sessions.seal(
            session=record.session,
            status="void" if void else "ended",
            outcome={"reason": "the host lost its mind"} if void else outcome,
            document=body,
            digest=transcript.digest(body),
            steps=("settle", "pin", "publish") if void else ("settle", "pin", "rate", "publish"),
            now_ms=self.clock(),
        )
        if void:
            await self.store.results.void(record.session, "the host lost its mind")
            return
        returns = outcome["returns"]
        ranks = [1 + sum(other > mine for other in returns) for mine in returns]
        await self.store.results.settle(record.session, ranks, [0] * len(ranks))
        if rated:
            await self.rate(record.session)

    async def rate(self, session: str) -> None:
        assert await self.store.ratings.apply(session, "bid-tac-toe", [])

    async def settle_down(self, blocks: int = CONFIRMATIONS + 1) -> None:
        """What was submitted is in blocks, and those are buried."""
        await self.writer.round()
        for _ in range(blocks):
            await self.chain.wire("evm_mine")
        await self.writer.round()

    async def pass_time(self, seconds: int) -> None:
        """For the chain and for us."""
        await self.chain.wire("evm_increaseTime", hex(seconds))
        await self.chain.wire("evm_mine")
        self.clock.ms += seconds * 1_000

    async def follow(self) -> None:
        """Read all logs that are buried."""
        while await self.reader.round():
            pass

    async def go_on(self, rounds: int = 4) -> None:
        """As many rounds as it takes for an epoch to be closed and claimed for."""
        for _ in range(rounds):
            await self.epochs.round()
            await self.settle_down()
            await self.follow()


async def unreachable() -> str:
    raise OSError("no content store here")


@contextlib.asynccontextmanager
async def escrow_world(
    store: Store, clock: Clock, folder: Path, *, content: ContentStore | None = None
) -> AsyncIterator[EscrowWorld]:
    """`store` was opened with `clock`."""
    async with net_prepared(_funded, folder) as (chain, manifest):
        escrow = Escrow(chain.rpc, manifest.address("escrow"))
        world = EscrowWorld(chain, escrow, store, clock, content or ContentStore(unreachable))
        for seat in range(len(OWNERS)):
            agent, _ = await store.agents.register(f"Agent {seat}")
            await store.ledger.require([deposit(names.agent("usdc", agent.agent), 100 * TIER)])
            world.agents.append(agent)
        yield world


async def _funded(chain: Net, manifest: Manifest) -> None:
    escrow = Escrow(chain.rpc, manifest.address("escrow"))
    token = Contract(chain.rpc, "usdc_dev", manifest.address("usdc"))
    admin = account(SETTLER_KEY).address
    await chain.send(SETTLER_KEY, *escrow.invoke("offer_role", SETTLER, admin))
    await chain.send(SETTLER_KEY, *escrow.invoke("take_role", SETTLER))
    for who in OWNERS:
        owner = account(who).address
        await chain.send(SETTLER_KEY, *token.invoke("mint", owner, 100 * TIER))
        await chain.send(who, *token.invoke("approve", escrow.address, 100 * TIER))
        await chain.send(who, *escrow.deposit(100 * TIER))
        await chain.send(who, *escrow.set_limits(Limits(TIER, 100 * TIER, FAR, 1)))
