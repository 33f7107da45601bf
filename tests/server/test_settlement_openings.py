"""Batches of openings: whatever dies, fails, is dropped or replaced, each wanted session is opened once, or given up when
nothing can open it any more."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence

import msgspec
import pytest

from chain.client.contract import Invocation
from chain.client.escrow import Opening
from chain.client.nonces import OPEN, Call, Mined, State, Tx
from chain.client.txs import OtherCall
from server.clock import unix_ms
from server.live.records import SessionRecord
from server.settlement.openings import (
    GAS,
    GAS_A_SEAT,
    GAS_A_SESSION,
    MAX_SEATS,
    NOT_OPENED,
    PATIENCE_MS,
    Openings,
)
from server.store import Store, open_store
from tests.server.escrow_books import PLENTY, Books


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    opened = await open_store(store_url, escrowed=True)
    yield opened
    await opened.close()


class Died(Exception):
    """The process, at this point."""


class Escrow:
    """Of one state, in memory, with the writer in front of it; what is in a block is final."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.txs: dict[str, Tx] = {}
        self.calls: dict[str, list[str]] = {}
        self.opened: dict[str, str] = {}
        """The transaction that each session was opened by."""
        self.records: dict[str, SessionRecord] = {}
        self.stopped = False
        self.refusing: set[str] = set()
        self.dies: random.Random | None = None

    async def paused(self) -> bool:
        self._may_die()
        return self.stopped

    def open_sessions(self, openings: Sequence[Opening]) -> Invocation:
        return Invocation("0xE5C0", " ".join(each.session for each in openings).encode())

    async def find(self, action: str) -> Tx | None:
        self._may_die()
        return self.txs.get(action)

    async def submit(
        self, action: str, to: str | None, data: bytes, *, gas: int | None = None
    ) -> Tx:
        self._may_die()
        assert gas is not None
        call = Call(to, data, gas)
        tx = self.txs.get(action)
        if tx is None:
            tx = self.txs[action] = Tx(
                chain_id=1,
                sender="0x",
                nonce=len(self.txs),
                action=action,
                call=call,
                state=State.RESERVED,
                made_ms=0,
            )
        if tx.call != call:
            raise OtherCall(action)
        self._may_die()
        return tx

    async def cancel(self, action: str) -> Tx | None:
        tx = self.txs[action] = msgspec.structs.replace(self.txs[action], cancelling=True)
        return tx

    def _may_die(self) -> None:
        if self.dies is not None and self.dies.random() < 0.15:
            raise Died

    async def end(self, action: str, state: State, *, succeeded: bool = True) -> None:
        """What becomes of a transaction, and its logs, read at once."""
        mined = Mined("0x", 1, "0x", succeeded, 1, 1) if state is State.FINAL else None
        tx = self.txs[action] = msgspec.structs.replace(self.txs[action], state=state, mined=mined)
        if not tx.done:
            return
        for session in tx.call.data.decode().split():
            if session in self.opened:
                continue
            if session in self.refusing:
                if await self.books.state(session) == "wanted":
                    await self.books.refuse(session, f"{'0x' + '1' * 40}: no")
                continue
            self.opened[session] = action
            await self.books.open(self.records[session])

    @property
    def under_way(self) -> list[str]:
        return [action for action, tx in self.txs.items() if tx.state in OPEN]


class Rig:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.books = Books(store)
        self.escrow = Escrow(self.books)
        self.now_ms = unix_ms()
        self.agrees = True
        self.openings = self.leader()

    def leader(self) -> Openings:
        """A process that has just begun to lead."""

        async def agrees() -> bool:
            return self.agrees

        return Openings(
            rows=self.store.openings,
            writer=self.escrow,
            escrow=self.escrow,
            agrees=agrees,
            clock=lambda: self.now_ms,
        )

    async def match(self, count: int = 1) -> list[SessionRecord]:
        if not self.escrow.records:
            self.agents = [await self.books.owner(name, PLENTY) for name in ("Ann", "Ben")]
        made = [
            await self.books.match(*self.agents, age_ms=unix_ms() - self.now_ms)
            for _ in range(count)
        ]
        self.escrow.records |= {record.session: record for record in made}
        return made

    async def state(self, record: SessionRecord) -> str:
        return await self.books.state(record.session)


@pytest.fixture
def rig(store: Store) -> Rig:
    return Rig(store)


async def test_what_is_wanted_is_opened_together(rig: Rig) -> None:
    records = await rig.match(3)
    await rig.openings.round()
    await rig.openings.round()
    [action] = rig.escrow.under_way
    tx = rig.escrow.txs[action]
    assert tx.call.gas == GAS + 3 * GAS_A_SESSION + 6 * GAS_A_SEAT
    assert action.startswith("open:")
    await rig.escrow.end(action, State.FINAL)
    await rig.openings.round()
    assert [await rig.state(record) for record in records] == ["open"] * 3
    assert len(rig.escrow.txs) == 1


async def test_more_than_fit_go_into_several(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    assert MAX_SEATS == 512
    monkeypatch.setattr("server.settlement.openings.MAX_SEATS", 4)
    await rig.match(5)
    await rig.openings.round()
    assert sorted(len(tx.call.data.split()) for tx in rig.escrow.txs.values()) == [1, 2, 2]


@pytest.mark.parametrize("how", ["failed", "dropped", "replaced"])
async def test_what_came_to_nothing_is_tried_under_another_name(rig: Rig, how: str) -> None:
    [record] = await rig.match()
    await rig.openings.round()
    [first] = rig.escrow.txs
    state = {"failed": State.FINAL, "dropped": State.DROPPED, "replaced": State.REPLACED}[how]
    await rig.escrow.end(first, state, succeeded=False)
    await rig.openings.round()
    if how == "failed":
        assert len(rig.escrow.txs) == 1, "it failed just now, and will, so soon"
        rig.now_ms += 6_000
        await rig.openings.round()
    [second] = rig.escrow.under_way
    assert second != first
    await rig.escrow.end(second, State.FINAL)
    assert await rig.state(record) == "open"


async def test_nothing_is_opened_while_books_differ_or_the_escrow_is_paused(rig: Rig) -> None:
    await rig.match()
    rig.agrees = False
    await rig.openings.round()
    assert rig.escrow.txs == {}
    rig.agrees, rig.escrow.stopped = True, True
    await rig.openings.round()
    assert rig.escrow.txs == {}
    rig.escrow.stopped = False
    await rig.openings.round()
    assert len(rig.escrow.under_way) == 1


async def test_what_waits_too_long_is_given_up_where_nothing_can_open_it(rig: Rig) -> None:
    [never] = await rig.match()
    rig.escrow.stopped = True
    rig.now_ms += PATIENCE_MS + 1_000
    [fresh] = await rig.match()
    await rig.openings.round()
    assert await rig.state(never) == "refused"
    assert await rig.state(fresh) == "wanted"
    answered = await rig.store.openings.answered()
    assert [(each.record, each.reason) for each in answered] == [(never, NOT_OPENED)]


async def test_what_could_still_be_opened_is_not_given_up_but_its_transaction_is(rig: Rig) -> None:
    old = (await rig.match())[0]
    await rig.openings.round()
    [action] = rig.escrow.txs
    rig.now_ms += PATIENCE_MS + 1_000
    await rig.openings.round()
    assert rig.escrow.txs[action].cancelling
    assert await rig.state(old) == "wanted", "the transaction may have won"
    await rig.escrow.end(action, State.FINAL)
    await rig.openings.round()
    assert await rig.state(old) == "open", "it has"

    [other] = await rig.match()
    await rig.openings.round()
    [action] = rig.escrow.under_way
    rig.now_ms += PATIENCE_MS + 1_000
    await rig.openings.round()
    await rig.escrow.end(action, State.DROPPED)
    await rig.openings.round()
    assert await rig.state(other) == "refused"


async def test_what_is_played_waits_for_its_opening_as_long_as_it_takes(rig: Rig) -> None:
    """A reorganisation took it back."""
    [record] = await rig.match()
    await rig.openings.round()
    await rig.store.sessions.opened(record.session)
    rig.now_ms += 10 * PATIENCE_MS
    await rig.openings.round()
    [action] = rig.escrow.txs
    assert not rig.escrow.txs[action].cancelling
    await rig.escrow.end(action, State.REPLACED)
    await rig.openings.round()
    [again] = rig.escrow.under_way
    await rig.escrow.end(again, State.FINAL)
    assert await rig.state(record) == "open"


async def test_a_named_batch_that_nobody_has_sent_is_sent_or_given_up(rig: Rig) -> None:
    [record] = await rig.match()
    await rig.store.openings.name("open:dead", 256, 512)
    await rig.openings.round()
    assert rig.escrow.under_way == ["open:dead"]
    await rig.escrow.end("open:dead", State.FINAL)

    [late] = await rig.match()
    rig.now_ms += PATIENCE_MS + 1_000
    [fresh] = await rig.match()
    await rig.store.openings.name("open:old", 256, 512)
    for _ in range(2):
        await rig.openings.round()
    assert await rig.state(record) == "open"
    assert await rig.state(late) == "refused"
    [action] = rig.escrow.under_way
    assert action != "open:old", "whose call would open what was given up"
    assert rig.escrow.txs[action].call.data.decode() == fresh.session


async def test_void_sessions_are_not_asked_for(rig: Rig) -> None:
    [record] = await rig.match()
    await rig.store.sessions.seal(
        session=record.session,
        status="void",
        outcome={"reason": "an admin"},
        document=b"{}",
        digest="0" * 64,
        steps=("settle",),
        now_ms=rig.now_ms,
    )
    await rig.openings.round()
    assert rig.escrow.txs == {}


@pytest.mark.parametrize("seed", range(4))
async def test_a_storm(rig: Rig, seed: int) -> None:
    """Leaders die at any point; transactions end in any way. Nothing is opened twice, and what is given up is never opened."""
    rng = random.Random(seed)
    records: list[SessionRecord] = []
    given_up: set[str] = set()
    for _ in range(40):
        if rng.random() < 0.4:
            made = await rig.match(rng.randint(1, 3))
            records += made
            rig.escrow.refusing |= {each.session for each in made if rng.random() < 0.2}
        rig.now_ms += rng.choice([500, 5_000, PATIENCE_MS // 2])
        rig.escrow.stopped = rng.random() < 0.1
        rig.agrees = rng.random() > 0.1
        rig.escrow.dies = rng
        try:
            await rig.openings.round()
        except Died:
            rig.openings = rig.leader()
        rig.escrow.dies = None
        for action in list(rig.escrow.under_way):
            match rng.randrange(5):
                case 0:
                    await rig.escrow.end(action, State.FINAL)
                case 1:
                    await rig.escrow.end(action, State.FINAL, succeeded=False)
                case 2 if rig.escrow.txs[action].cancelling:
                    await rig.escrow.end(action, State.DROPPED)
                case 3 if rng.random() < 0.3:
                    await rig.escrow.end(action, State.REPLACED)
        for each in await rig.store.openings.answered(1_000):
            if each.reason == NOT_OPENED:
                given_up.add(each.record.session)
    rig.escrow.stopped, rig.agrees = False, True
    for _ in range(10):
        rig.now_ms += 61_000
        await rig.openings.round()
        for action in list(rig.escrow.under_way):
            await rig.escrow.end(action, State.FINAL)
    assert rig.escrow.opened.keys().isdisjoint(given_up)
    for record in records:
        state = await rig.state(record)
        assert state == ("open" if record.session in rig.escrow.opened else "refused")
    assert await rig.store.openings.wanted() == []
