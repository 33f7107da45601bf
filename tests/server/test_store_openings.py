"""Entries that an escrow has to have room for, and sessions that wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
from sqlalchemy import event

from server.clock import unix_ms
from server.escrow_room import EscrowRefused
from server.identity import Identity
from server.ledger import names
from server.store import Store, open_store
from server.store.admission import Unfunded
from server.store.openings import LOOKED_BACK_MS, NoWallet
from tests.server.escrow_books import OPENED_BY, Books
from tests.server.money_world import TIER, available, deposit, funded, session_of, ticket_of


@pytest.fixture
async def store(store_url: str) -> AsyncIterator[Store]:
    opened = await open_store(store_url, escrowed=True)
    yield opened
    await opened.close()


@pytest.fixture
def books(store: Store) -> Books:
    return Books(store)


async def refusal(books: Books, agent: Identity, tier: int = TIER) -> str:
    with pytest.raises(EscrowRefused) as caught:
        await books.queue(agent, tier)
    return caught.value.code


class TestAdmission:
    async def test_who_has_deposited_and_signed_limits_may_enter(
        self, store: Store, books: Books
    ) -> None:
        ann = await books.owner("Ann")
        await books.queue(ann)
        assert await available(store, ann) == 9 * TIER

    async def test_the_refusals_say_what_is_missing(self, store: Store, books: Books) -> None:
        stranger = await funded(store, "Stranger")
        assert await refusal(books, stranger) == "no-wallet"
        ann = await books.owner("Ann", 0)
        assert await refusal(books, ann) == "not-deposited"
        ben = await books.owner("Ben", limits=False)
        assert await refusal(books, ben) == "limits-missing"
        wallet = await books.wallet(ben)
        await books.limits(wallet, entry=TIER - 1)
        assert await refusal(books, ben) == "limit-entry"
        await books.limits(wallet, day=TIER - 1)
        assert await refusal(books, ben) == "limit-day"
        await books.limits(wallet, expires_s=unix_ms() // 1_000 + 5)
        assert await refusal(books, ben) == "limit-expired"
        await books.limits(wallet, entry=0, day=0)
        assert await refusal(books, ben) == "limits-missing"
        await books.limits(wallet)
        await books.queue(ben)
        assert await store.ledger.audit() == []

    async def test_what_the_chain_owes_is_awaited(self, store: Store, books: Books) -> None:
        ann = await books.owner("Ann", TIER)
        await store.ledger.require([deposit(names.agent("usdc", ann.agent), TIER)])  # it has won
        await books.queue(ann)
        assert await refusal(books, ann) == "awaiting-claim"
        await books.deposited(await books.wallet(ann), TIER)  # claimed
        await books.queue(ann)
        with pytest.raises(Unfunded):
            await books.queue(ann)

    async def test_free_entries_are_not_asked_about(self, store: Store, books: Books) -> None:
        stranger = await funded(store, "Stranger", 0)
        await books.queue(stranger, 0)

    async def test_all_agents_of_an_owner_share_the_room_and_the_day(
        self, store: Store, books: Books
    ) -> None:
        ann = await books.owner("Ann", 3 * TIER)
        twin, _ = await store.agents.register("Twin", ann.owner)
        await store.ledger.require([deposit(names.agent("usdc", twin.agent), 9 * TIER)])
        ben = await books.owner("Ben")
        first = await books.match(ann, ben)
        await books.queue(twin)
        await books.queue(ann)
        assert await refusal(books, twin) == "awaiting-claim"
        await books.open(first)
        assert await refusal(books, twin) == "awaiting-claim", "wanted or open, it takes as much"
        await books.deposited(await books.wallet(ann), 9 * TIER)
        await books.limits(await books.wallet(ann), day=4 * TIER)
        await books.queue(twin)
        assert await refusal(books, twin) == "limit-day", "what was opened today counts, too"
        assert await refusal(books, ann) == "limit-day"

    async def test_what_is_refused_or_given_back_makes_room(
        self, store: Store, books: Books
    ) -> None:
        ann, ben = await books.owner("Ann", TIER), await books.owner("Ben")
        ticket = await books.queue(ann)
        await store.entries.release(ticket.ticket)
        record = await books.match(ann, ben)
        await books.refuse(record.session, "0x: no")
        await store.results.void(record.session, "no")
        await books.queue(ann)

    @pytest.mark.parametrize("agents", [1, 2, 3])
    async def test_entries_at_once_never_take_more_than_there_is(
        self, store: Store, store_url: str, books: Books, agents: int
    ) -> None:
        """In two processes; where there are two agents, each has one of its own, so no agent's row keeps them apart."""
        ann = await books.owner("Ann", 5 * TIER)
        mine = [ann]
        for number in range(1, agents):
            each, _ = await store.agents.register(f"Ann {number}", ann.owner)
            mine.append(each)
        for each in mine:
            await store.ledger.require([deposit(names.agent("usdc", each.agent), 50 * TIER)])
        other = await open_store(store_url, escrowed=True)
        try:
            answers = await asyncio.gather(
                *(
                    [store, other][number % 2].entries.hold(ticket_of(mine[number % agents]))
                    for number in range(24)
                ),
                return_exceptions=True,
            )
        finally:
            await other.close()
        assert answers.count(None) == 5
        refused = [each for each in answers if each is not None]
        assert {getattr(each, "code", repr(each)) for each in refused} == {"awaiting-claim"}
        assert await store.ledger.audit() == []


class TestRows:
    async def test_a_paid_session_is_wanted_and_a_free_one_is_not(
        self, store: Store, books: Books
    ) -> None:
        ann, ben = await books.owner("Ann"), await books.owner("Ben")
        record = await books.match(ann, ben)
        assert await store.sessions.form(record) == record
        [wanted] = await store.openings.wanted()
        assert (wanted.session, wanted.entry_micros, wanted.opening) == (record.session, TIER, None)
        assert wanted.owners == (await books.wallet(ann), await books.wallet(ben))
        free = session_of([await books.queue(ann, 0), await books.queue(ben, 0)])
        await store.sessions.form(free)
        assert await books.count() == 1

    async def test_a_seat_without_a_wallet_forms_nothing(
        self, store: Store, store_url: str, books: Books
    ) -> None:
        """Held before money was in an escrow."""
        simulated = await open_store(store_url)
        ann, ben = await funded(store, "Ann"), await funded(store, "Ben")
        tickets = [ticket_of(ann), ticket_of(ben)]
        for ticket in tickets:
            await simulated.entries.hold(ticket)
        await simulated.close()
        with pytest.raises(NoWallet, match="owner of Ann"):
            await store.sessions.form(session_of(tickets))
        assert await store.openings.wanted() == []

    async def test_only_what_the_escrow_has_spoken_of_is_answered(
        self, store: Store, books: Books
    ) -> None:
        ann, ben = await books.owner("Ann"), await books.owner("Ben")
        one, two, three = [await books.match(ann, ben) for _ in range(3)]
        late = unix_ms() + 1
        assert await store.sessions.unopened(late) == []
        assert await store.sessions.live(late, unopened_ms=late) == []
        assert await store.openings.answered() == []
        await books.open(two)
        await books.refuse(three.session, "no")
        answered = await store.openings.answered()
        told = msgspec.structs.replace(two, opening=OPENED_BY)
        assert [(each.record, each.opened) for each in answered] == [(told, True), (three, False)]
        await store.sessions.opened(two.session)
        assert [each.record for each in await store.openings.answered()] == [three]
        await books.refuse(two.session, "a reorganisation")
        [begun] = await store.openings.answered(begun=True)
        assert begun.record == two
        old = await books.match(ann, ben, age_ms=LOOKED_BACK_MS + 1)
        await books.open(old)
        await store.sessions.opened(old.session)
        await books.refuse(old.session, "so late takes nothing back")
        assert await store.openings.answered(begun=True) == [begun]
        [waiting] = await store.openings.waiting()
        assert (waiting.sessions, waiting.since_ms) == (1, one.opened_ms)

    async def test_a_batch_has_its_name_before_anything_and_keeps_to_its_bounds(
        self, store: Store, books: Books
    ) -> None:
        ann, ben = await books.owner("Ann"), await books.owner("Ben")
        records = [await books.match(ann, ben, age_ms=100 - number) for number in range(5)]
        assert await store.openings.name("open:1", 256, 5) == 2, "the third would be a sixth seat"
        assert await store.openings.name("open:2", 1, 512) == 1
        assert await store.openings.name("open:3", 256, 512) == 2
        assert await store.openings.name("open:4", 256, 512) == 0
        batch = await store.openings.batch("open:1")
        assert {each.session for each in batch} == {each.session for each in records[:2]}
        await books.open(records[0])
        assert await store.openings.unname("open:1") == 1, "what is open stays"
        assert await store.openings.batch("open:1") != []
        assert await store.openings.name("open:5", 256, 512) == 1

    async def test_two_leaders_never_name_the_same_session(
        self, store: Store, books: Books
    ) -> None:
        ann, ben = await books.owner("Ann"), await books.owner("Ben")
        for _ in range(8):
            await books.match(ann, ben)
        counts = await asyncio.gather(*(store.openings.name(f"open:{n}", 3, 512) for n in range(6)))
        assert sum(counts) == 8
        batches = [await store.openings.batch(f"open:{number}") for number in range(6)]
        named = [each.session for batch in batches for each in batch]
        assert len(named) == len(set(named)) == 8

    async def test_what_is_given_up_was_not_changed_meanwhile(
        self, store: Store, books: Books
    ) -> None:
        ann, ben = await books.owner("Ann"), await books.owner("Ben")
        one, two = await books.match(ann, ben), await books.match(ann, ben)
        await store.openings.name("open:1", 1, 512)
        assert await store.openings.give_up([one.session, two.session], None, "late") == 1
        assert await store.openings.give_up([one.session], "open:2", "late") == 0
        await books.open(one)
        assert await store.openings.give_up([one.session], "open:1", "late") == 0
        assert await books.state(one.session) == "open"
        assert await books.state(two.session) == "refused"


async def test_a_free_session_costs_no_statement_more(store_url: str) -> None:
    counts = []
    for escrowed in (False, False, True):  # the first one makes the ledger's accounts
        store = await open_store(store_url, escrowed=escrowed)
        ann, ben = await funded(store, "Ann", 0), await funded(store, "Ben", 0)
        seen: list[str] = []
        event.listen(
            store.database.engine.sync_engine,
            "before_cursor_execute",
            lambda *arguments, seen=seen: seen.append(arguments[2]),
        )
        tickets = [ticket_of(ann, tier=0), ticket_of(ben, tier=0)]
        await asyncio.gather(*(store.entries.hold(ticket) for ticket in tickets))
        record = session_of(tickets)
        await store.sessions.form(record)
        await store.sessions.opened(record.session)
        await store.results.settle(record.session, (1, 2), (10_000, 0))
        counts.append(len(seen))
        await store.close()
    assert counts[1] == counts[2]
