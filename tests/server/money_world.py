"""Agents with money, tickets and sessions, for tests of what happens to entries."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from server.identity import Identity, new_id
from server.ledger import Transfer, names, tiers
from server.live.queue_names import Queue
from server.live.records import SeatRecord, SessionRecord, TicketRecord
from server.store import Store

SPACE = "bid-tac-toe"
TIER = 100_000


def deposit(account: str, micros: int, id_: str | None = None) -> Transfer:
    """Money that comes from the chain straight to any account."""
    name = id_ or f"deposit:{new_id()}"
    return Transfer(
        id=name, debit=names.CHAIN, credit=account, asset="usdc", micros=micros, code="deposit"
    )


async def funded(store: Store, name: str, micros: int = 10 * TIER) -> Identity:
    """A new agent of an owner of its own, with USDC."""
    agent, _ = await store.agents.register(name)
    if micros:
        await store.ledger.require([deposit(names.agent("usdc", agent.agent), micros)])
    return agent


def ticket_of(agent: Identity, *, tier: int = TIER, space: str = SPACE) -> TicketRecord:
    return TicketRecord(
        ticket=Queue(space, tier).new_name(),
        agent=agent.agent,
        name=agent.name,
        version=agent.version,
        owner=agent.owner,
        space=space,
        tier_micros=tier,
        mu_milli=25_000,
        sigma_milli=8_333,
        joined_ms=1,
    )


def session_of(
    tickets: Sequence[TicketRecord], session: str | None = None, *, opened_ms: int = 1
) -> SessionRecord:
    """What a matchmaker makes of these tickets."""
    [(space, tier)] = {(each.space, each.tier_micros) for each in tickets}
    return SessionRecord(
        session=session or new_id(),
        space=space,
        rules="any/1",
        params={},
        tier_micros=tier,
        opened_ms=opened_ms,
        seed=secrets.token_bytes(32),
        seats=tuple(
            SeatRecord(
                seat=seat,
                agent=each.agent,
                name=each.name,
                version=each.version,
                owner=each.owner,
                salt=bytes(32),
                ticket=each.ticket,
            )
            for seat, each in enumerate(tickets)
        ),
    )


async def balance(store: Store, agent: Identity, asset: str = tiers.USDC) -> int:
    return (await store.ledger.account(names.agent(asset, agent.agent))).balance_micros


async def available(store: Store, agent: Identity, asset: str = tiers.USDC) -> int:
    return (await store.ledger.account(names.agent(asset, agent.agent))).available_micros
