from __future__ import annotations

import asyncio
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.identity import key_hash
from server.store import Store, names
from server.store.agents import NameTaken, UnknownAgent
from server.store.names import InvalidName


async def test_a_key_speaks_for_the_agent_that_it_was_made_for(store: Store) -> None:
    ember, ember_key = await store.agents.register("Ember")
    frost, frost_key = await store.agents.register("Frost")
    assert await store.agents.by_key(ember_key) == ember
    assert await store.agents.by_key(frost_key) == frost
    assert ember.owner != frost.owner
    assert not ember.hosted
    assert ember.version == f"{ember.agent}@v1"
    assert await store.agents.by_key(ember_key[:-1] + "~") is None
    assert await store.agents.by_key(key_hash(ember_key)) is None, "the stored hash opens nothing"


async def test_what_is_known_of_an_agent_holds_no_owner(store: Store) -> None:
    ember, _ = await store.agents.register("Ember", kind="hosted")
    assert ember.hosted
    assert await store.agents.get(ember.agent) == ember
    card = await store.agents.row(ember.agent)
    assert card is not None
    assert (card.name, card.kind, card.version) == ("Ember", "hosted", ember.version)
    assert await store.agents.get("nobody") is None
    assert await store.agents.row("nobody") is None


async def test_an_owner_names_each_agent_once_however_it_is_written(store: Store) -> None:
    ember, _ = await store.agents.register("Ember", owner="house")
    with pytest.raises(NameTaken, match="'EMBER'"):
        await store.agents.register("  EMBER ", owner="house")
    assert await store.agents.named("house", "ember") == ember
    assert await store.agents.named("house", "other") is None
    await store.agents.register("Ember", owner="another house")


async def test_registering_the_same_name_at_once_succeeds_once(store: Store) -> None:
    results = await asyncio.gather(
        *(store.agents.register("Ember", owner="house") for _ in range(8)), return_exceptions=True
    )
    assert sum(isinstance(result, NameTaken) for result in results) == 7


async def test_keys_are_added_and_revoked_one_by_one(store: Store) -> None:
    ember, first = await store.agents.register("Ember")
    second = await store.agents.issue_key(ember.agent)
    assert await store.agents.revoke(first)
    assert not await store.agents.revoke(first)
    assert await store.agents.by_key(first) is None
    assert await store.agents.by_key(second) == ember
    with pytest.raises(UnknownAgent):
        await store.agents.issue_key("nobody")


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ("  Ember \t v2\n", "Ember v2"),
        ("\x1b[31mEmber", "[31mEmber"),
        ("Em\u202ebre\u2066", "Embre"),
        ("E\u200bm\u200dber\ufeff", "Ember"),
        ("Z" + "\u0301" * 20, "\u0179\u0301\u0301"),
        ("e\u0301mber", "émber"),
        ("Ёлка 火", "Ёлка 火"),
        ("a\u2028b", "a b"),
    ],
)
def test_a_name_is_made_harmless(raw: str, stored: str) -> None:
    assert names.clean(raw) == stored


@pytest.mark.parametrize("raw", ["", " ", "\u200b\u202e", "\x00", "x" * 33])
def test_a_name_of_nothing_or_too_much_is_refused(raw: str) -> None:
    with pytest.raises(InvalidName):
        names.clean(raw)


@given(st.text(max_size=80))
def test_clean_names_are_printable_and_stay_as_they_are(raw: str) -> None:
    try:
        name = names.clean(raw)
    except InvalidName:
        return
    assert 1 <= len(name) <= names.MAX_NAME
    assert all(unicodedata.category(char)[0] != "C" for char in name)
    assert names.clean(name) == name
    assert len(names.fold(name)) <= 256 * 18
