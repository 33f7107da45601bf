"""Entries, pots and results in the store: where money is, at each step of a session's life."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from server.identity import Identity
from server.ledger import Result, Transfer, names
from server.ledger.entry import PLAY_GRANT_MICROS
from server.live.records import TicketRecord
from server.store import Store
from server.store.admission import NotPlaying, Unfunded
from server.store.ledger import TransferRefused
from server.store.pots import EntriesGone
from server.store.statement import Line
from tests.server.money_world import (
    SPACE,
    TIER,
    available,
    balance,
    deposit,
    funded,
    session_of,
    ticket_of,
)


@pytest.fixture
async def ann(store: Store) -> Identity:
    return await funded(store, "Ann")


@pytest.fixture
async def ben(store: Store) -> Identity:
    return await funded(store, "Ben")


async def seated(
    store: Store, *agents: Identity, tier: int = TIER
) -> tuple[str, list[TicketRecord]]:
    """A session of these agents, formed from what was held for them."""
    tickets = [ticket_of(agent, tier=tier) for agent in agents]
    for ticket in tickets:
        await store.entries.hold(ticket)
    record = session_of(tickets)
    await store.sessions.form(record)
    return record.session, tickets


async def test_an_entry_is_held_while_its_ticket_waits(store: Store, ann: Identity) -> None:
    ticket = ticket_of(ann)
    await store.entries.hold(ticket)
    await store.entries.hold(ticket)
    assert await balance(store, ann) == 10 * TIER
    assert await available(store, ann) == 9 * TIER
    [row] = await store.entries.of_agent(ann.agent)
    assert (row.ticket, row.state, row.micros) == (ticket.ticket, "held", TIER)
    assert await store.ledger.audit() == []


async def test_leaving_gives_it_back_once(store: Store, ann: Identity) -> None:
    ticket = ticket_of(ann)
    await store.entries.hold(ticket)
    assert await store.entries.release(ticket.ticket)
    assert not await store.entries.release(ticket.ticket)
    assert await available(store, ann) == 10 * TIER
    assert await store.ledger.audit() == []


async def test_who_cannot_pay_does_not_enter(store: Store) -> None:
    poor = await funded(store, "Poor", TIER - 1)
    with pytest.raises(
        Unfunded,
        match=r"has 0\.099999 USDC available, an entry costs 0\.10 USDC.*`agon money fund Poor 0\.000001`",
    ):
        await store.entries.hold(ticket_of(poor))
    assert await store.entries.of_agent(poor.agent) == []
    assert await available(store, poor) == TIER - 1


async def test_free_stays_free(store: Store) -> None:
    poor = await funded(store, "Poor", 0)
    for _ in range(3):
        await store.entries.hold(ticket_of(poor, tier=0))
    assert await balance(store, poor, "play") == PLAY_GRANT_MICROS
    assert await store.ledger.audit() == []


async def test_ten_tickets_at_once_hold_no_more_than_there_is(store: Store) -> None:
    agent = await funded(store, "Ann", 3 * TIER)
    tickets = [ticket_of(agent) for _ in range(10)]
    results = await asyncio.gather(
        *(store.entries.hold(each) for each in tickets), return_exceptions=True
    )
    assert sum(result is None for result in results) == 3
    assert sum(isinstance(result, Unfunded) for result in results) == 7
    assert await available(store, agent) == 0
    assert await store.ledger.audit() == []


async def test_a_session_takes_the_entries_and_the_winner_takes_the_pot(
    store: Store, ann: Identity, ben: Identity
) -> None:
    session, _ = await seated(store, ann, ben)
    pot = await store.ledger.account(names.pot("usdc", session))
    assert pot.balance_micros == 2 * TIER
    result = await store.results.settle(session, [2, 1], [-1_000, 1_000])
    assert (await balance(store, ann), await balance(store, ben)) == (900_000, 1_090_000)
    assert result.fees.total == 10_000
    for pool, micros in (("protocol", 4_000), ("judges", 4_000), ("operators", 2_000)):
        assert (await store.ledger.account(names.fees("usdc", pool))).balance_micros == micros
    assert await store.ledger.audit() == []


async def test_a_session_is_settled_once_whoever_says_what(
    store: Store, ann: Identity, ben: Identity
) -> None:
    session, _ = await seated(store, ann, ben)
    results = await asyncio.gather(
        *(store.results.settle(session, ranks, [0, 0]) for ranks in ([1, 2], [2, 1]) * 3),
        store.results.void(session, "both at once"),
    )
    assert len({(each.status, each.ranks) for each in results}) == 1, "the first one stands"
    pot = await store.ledger.account(names.pot("usdc", session))
    assert pot.balance_micros == 0
    total = await balance(store, ann) + await balance(store, ben)
    assert total + results[0].fees.total == 20 * TIER
    assert await store.ledger.audit() == []


async def test_a_void_session_costs_nobody_anything(
    store: Store, ann: Identity, ben: Identity
) -> None:
    session, _ = await seated(store, ann, ben)
    result = await store.results.void(session, "the model does not answer")
    assert (result.status, result.reason) == ("void", "the model does not answer")
    assert (await balance(store, ann), await balance(store, ben)) == (10 * TIER, 10 * TIER)
    assert await store.ledger.audit() == []


async def test_a_session_without_tickets_is_settled_without_money(
    store: Store, ann: Identity, ben: Identity
) -> None:
    record = session_of([ticket_of(ann), ticket_of(ben)])
    seats = tuple(
        type(seat)(seat.seat, seat.agent, seat.name, seat.version, seat.owner, seat.salt)
        for seat in record.seats
    )
    record = type(record)(record.session, SPACE, "any/1", {}, 0, 1, record.seed, seats)
    await store.sessions.form(record)
    result = await store.results.settle(record.session, [1, 2], [1, 0])
    assert (result.pot_micros, result.payouts, result.fees.total) == (0, (), 0)
    assert await store.ledger.audit() == []


async def test_a_session_is_not_formed_of_entries_that_have_gone_back(
    store: Store, ann: Identity, ben: Identity
) -> None:
    tickets = [ticket_of(ann), ticket_of(ben)]
    for ticket in tickets:
        await store.entries.hold(ticket)
    await store.entries.release(tickets[1].ticket)
    record = session_of(tickets)
    with pytest.raises(EntriesGone, match=tickets[1].ticket):
        await store.sessions.form(record)
    assert await store.sessions.get(record.session) is None
    assert await available(store, ann) == 9 * TIER, "still held: its ticket may find another"
    assert await store.ledger.audit() == []


async def test_what_is_spent_cannot_be_released(store: Store, ann: Identity, ben: Identity) -> None:
    session, tickets = await seated(store, ann, ben)
    assert not await store.entries.release(tickets[0].ticket)
    await store.results.settle(session, [1, 2], [1, 0])
    assert await store.ledger.audit() == []


async def test_an_unknown_agent_does_not_enter(store: Store) -> None:
    with pytest.raises(NotPlaying, match="no agent"):
        await store.entries.hold(ticket_of(Identity("nobody", "N", "nobody@v1", "no")))


async def test_every_line_of_a_statement_is_explained(
    store: Store, ann: Identity, ben: Identity
) -> None:
    session, [ticket, _] = await seated(store, ann, ben)
    await store.results.settle(session, [1, 2], [1, 0])
    lines = await store.ledger.statement(names.agent("usdc", ann.agent))
    assert [(line.code, line.kind, line.micros, line.balance_micros) for line in lines] == [
        ("winnings", "posted", 190_000, 1_090_000),
        ("entry", "post", -100_000, 900_000),
        ("entry", "pending", 0, 1_000_000),
        ("deposit", "posted", 1_000_000, 1_000_000),
    ]
    assert [line.about for line in lines[:2]] == [session, ticket.ticket]
    older = await store.ledger.statement(names.agent("usdc", ann.agent), before=lines[1].seq)
    assert older == lines[2:]


async def test_the_lines_of_a_statement_add_up_on_every_page(
    store: Store, ann: Identity, ben: Identity
) -> None:
    """Also of what happened at once, in batches whose chains were undone in part."""
    purses = [names.agent("usdc", each.agent) for each in (ann, ben)]

    def said(number: int) -> Transfer:
        source, to = purses if number % 3 else reversed(purses)
        micros = 40 * TIER if number % 7 == 0 else number + 1  # the former exceeds what is there
        return Transfer(
            id=f"t{number}",
            debit=source,
            credit=to,
            asset="usdc",
            micros=micros,
            code="fund",
            linked=number % 4 == 0,
        )

    await asyncio.gather(
        *(store.ledger.submit([said(each) for each in range(n, n + 8)]) for n in range(0, 64, 8))
    )
    for purse in purses:
        lines: list[Line] = []
        while page := await store.ledger.statement(
            purse, before=lines[-1].seq if lines else None, limit=9
        ):
            lines += page
        assert len(lines) > 30
        assert lines[0].balance_micros == (await store.ledger.account(purse)).balance_micros
        total = 0
        for line in reversed(lines):
            total += line.micros
            assert line.balance_micros == total
    assert await store.ledger.audit() == []


async def test_the_database_itself_keeps_transfers_as_they_are(store: Store, ann: Identity) -> None:
    for statement in (
        "UPDATE ledger_transfer SET micros = micros + 1",
        "DELETE FROM ledger_transfer",
    ):
        with pytest.raises(DBAPIError, match="immutable"):
            async with store.database.writing() as tx:
                await tx.execute(text(statement))
    assert await store.ledger.audit() == []


async def test_the_audit_sees_money_that_was_made_up(store: Store, ann: Identity) -> None:
    async with store.database.writing() as tx:
        await tx.execute(
            text("UPDATE ledger_account SET credits_posted = credits_posted + 1 WHERE id = :id"),
            {"id": names.agent("usdc", ann.agent)},
        )
    found = await store.ledger.audit()
    assert any("posted debits" in each for each in found)
    assert any("its transfers'" in each for each in found)


async def test_linked_transfers_are_all_or_nothing_in_the_database(
    store: Store, ann: Identity, ben: Identity
) -> None:
    a, b = (names.agent("usdc", each.agent) for each in (ann, ben))
    chain = [
        Transfer(id="x:1", debit=a, credit=b, asset="usdc", micros=1, code="fund", linked=True),
        Transfer(id="x:2", debit=a, credit=b, asset="usdc", micros=10**9, code="fund"),
    ]
    assert await store.ledger.submit(chain) == [Result.LINKED_FAILED, Result.EXCEEDS_CREDITS]
    with pytest.raises(TransferRefused, match="x:2"):
        await store.ledger.require(chain)
    assert await balance(store, ann) == 10 * TIER
    assert await store.ledger.transfer("x:1") is None


async def test_a_deposit_said_twice_counts_once(store: Store, ann: Identity) -> None:
    said = deposit(names.agent("usdc", ann.agent), 5, "deposit:one")
    await asyncio.gather(*(store.ledger.require([said]) for _ in range(5)))
    assert await balance(store, ann) == 10 * TIER + 5
    assert await store.ledger.audit() == []
