"""The house's agents in a paid tier are given entries from the house's own purse, and no more than it has."""

from __future__ import annotations

from server.house_purse import ENTRIES, HousePurse
from server.identity import HOUSE_OWNER
from server.ledger import names
from server.store import Store
from tests.server.money_world import deposit

ENTRY = 100_000


async def test_they_are_given_entries_as_long_as_there_are_some(store: Store) -> None:
    agents = [(await store.agents.register(name, HOUSE_OWNER))[0].agent for name in ("A", "B")]
    house = HousePurse(store, agents, ENTRY)
    assert await house.round() == 0, "the house has nothing"
    own = names.owner("usdc", HOUSE_OWNER)
    await store.ledger.require([deposit(own, (ENTRIES + 1) * ENTRY)])
    assert await house.round() == 1
    assert await house.round() == 0
    left = [await store.ledger.account(names.agent("usdc", agent)) for agent in agents]
    assert [each.available_micros for each in left] == [ENTRIES * ENTRY, 0]
    assert (await store.ledger.account(own)).available_micros == ENTRY
    assert await store.ledger.audit() == []
