from __future__ import annotations

import asyncio

import pytest

from server.agents.limits import DAY_MS, Limits, TooMany
from server.identity import Identity
from server.store import Store, open_store
from server.store.agents import Draft, NameTaken, UnknownAgent
from server.store.names import InvalidName
from server.store.owned import Changes, OwnedAgent, StaleRevision

MANY = Limits(agents=1_000, versions_per_day=1_000)
CALM, BOLD = '{"prompt":"Be calm."}', '{"prompt":"Be bold."}'


class Hands:
    """A clock that stands where it is put."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


async def made(store: Store, name: str = "Ember", owner: str | None = None) -> Identity:
    return (await store.agents.make(Draft(name=name, kind="hosted"), owner))[0]


async def known(store: Store, agent: str) -> OwnedAgent:
    found = await store.owned.get(agent)
    assert found is not None
    return found


async def test_a_changed_spec_is_the_next_version_and_plays_at_once(store: Store) -> None:
    ember = await made(store)
    edited = await store.owned.edit(ember.agent, Changes(spec=CALM), MANY)
    assert (edited.version, edited.number) == (f"{ember.agent}@v2", 2)
    assert edited.spec == CALM
    now = await store.agents.get(ember.agent)
    assert now is not None
    assert now.version == edited.version
    assert [row.spec for row in await store.owned.versions(ember.agent)] == [CALM, "{}"]
    assert await store.hosting.spec(ember.version) == "{}", "the first one stays as it was"


async def test_words_make_no_version(store: Store) -> None:
    ember = await made(store)
    edited = await store.owned.edit(
        ember.agent, Changes(name="Cinder", about="Rhymes.", kind="remote", spec="{}"), MANY
    )
    assert (edited.name, edited.about, edited.kind) == ("Cinder", "Rhymes.", "remote")
    assert edited.number == 1
    assert await store.agents.named(ember.owner, "ember") is None
    assert await store.agents.named(ember.owner, "CINDER") is not None


async def test_a_spec_that_comes_back_is_the_version_that_it_was(store: Store) -> None:
    ember = await made(store)
    for spec in (CALM, BOLD, CALM):
        last = await store.owned.edit(ember.agent, Changes(spec=spec), MANY)
    assert last.number == 2
    assert len(await store.owned.versions(ember.agent)) == 3
    assert (await store.owned.edit(ember.agent, Changes(spec="{}"), MANY)).number == 1
    new = await store.owned.edit(ember.agent, Changes(spec='{"build":"b4"}'), MANY)
    assert new.number == 4, "numbers go on from the newest, not from the one that played"


async def test_an_edit_of_nothing_is_none(store: Store) -> None:
    ember = await made(store)
    was = await known(store, ember.agent)
    assert await store.owned.edit(ember.agent, Changes(), MANY) == was
    assert await store.owned.edit(ember.agent, Changes(name=" Ember ", spec="{}"), MANY) == was
    assert was.revision == 1
    assert (await store.owned.edit(ember.agent, Changes(about="x"), MANY)).revision == 2


async def test_nobody_writes_over_what_he_has_not_seen(store: Store) -> None:
    ember = await made(store)
    await store.owned.edit(ember.agent, Changes(about="one"), MANY, seen=1)
    with pytest.raises(StaleRevision, match="is at revision 2, you saw 1") as told:
        await store.owned.edit(ember.agent, Changes(spec=CALM), MANY, seen=1)
    assert told.value.revision == 2
    for change in (store.owned.archive(ember.agent, seen=1),):
        with pytest.raises(StaleRevision):
            await change
    assert (await known(store, ember.agent)).about == "one"
    assert len(await store.owned.versions(ember.agent)) == 1


async def test_of_edits_at_once_that_saw_the_same_one_stands(store: Store) -> None:
    ember = await made(store)
    results = await asyncio.gather(
        *(
            store.owned.edit(ember.agent, Changes(spec=f'{{"build":"{n}"}}'), MANY, seen=1)
            for n in range(8)
        ),
        return_exceptions=True,
    )
    assert sum(isinstance(result, OwnedAgent) for result in results) == 1, results
    assert sum(isinstance(result, StaleRevision) for result in results) == 7
    assert len(await store.owned.versions(ember.agent)) == 2


async def test_edits_at_once_make_each_version_once(store: Store) -> None:
    ember = await made(store)
    await asyncio.gather(
        *(
            store.owned.edit(ember.agent, Changes(spec=f'{{"build":"{n % 4}"}}'), MANY)
            for n in range(16)
        )
    )
    rows = await store.owned.versions(ember.agent)
    assert [row.number for row in rows] == [5, 4, 3, 2, 1]
    assert len({row.spec for row in rows}) == 5


async def test_a_name_is_taken_within_an_account(store: Store) -> None:
    ember = await made(store)
    await made(store, "Frost", ember.owner)
    with pytest.raises(NameTaken, match="'FROST'"):
        await store.owned.edit(ember.agent, Changes(name="FROST"), MANY)
    with pytest.raises(InvalidName):
        await store.owned.edit(ember.agent, Changes(name="\u200b"), MANY)
    with pytest.raises(UnknownAgent):
        await store.owned.edit("nobody", Changes(), MANY)


async def test_an_archived_agent_stands_still_and_may_come_back(store: Store) -> None:
    ember = await made(store)
    archived = await store.owned.archive(ember.agent)
    assert archived.archived_ms is not None
    assert await store.owned.archive(ember.agent) == archived, "again changes nothing"
    standing = await store.agents.standing(ember.agent)
    assert standing is not None
    assert standing.archived
    back = await store.owned.restore(ember.agent, MANY)
    assert back.archived_ms is None
    assert back.revision == 3
    assert await store.owned.restore(ember.agent, MANY) == back


async def test_only_so_many_agents_are_active_however_they_come(store: Store) -> None:
    few = Limits(agents=3, versions_per_day=1_000)
    ember = await made(store)
    drafts = [Draft(name=f"A{n}") for n in range(8)]
    results = await asyncio.gather(
        *(store.agents.make(draft, ember.owner, few) for draft in drafts), return_exceptions=True
    )
    assert sum(isinstance(result, TooMany) for result in results) == 6, results
    await store.owned.archive(ember.agent)
    await store.agents.make(Draft(name="One more"), ember.owner, few)
    with pytest.raises(TooMany, match="has 3 agents; at most 3"):
        await store.owned.restore(ember.agent, few)
    assert len(await store.owned.of(ember.owner)) == 4


async def test_only_so_many_versions_are_made_a_day(store_url: str) -> None:
    clock = Hands(1_800_000_000_000)
    store = await open_store(store_url, clock)
    few = Limits(agents=10, versions_per_day=3)
    ember = await made(store)
    await store.agents.make(Draft(name="Frost"), ember.owner, few)
    clock.now_ms += 1_000
    await store.owned.edit(ember.agent, Changes(spec=CALM), few)
    with pytest.raises(TooMany, match="made 3 versions") as told:
        await store.owned.edit(ember.agent, Changes(spec=BOLD), few)
    assert told.value.retry_after_s == (DAY_MS - 1_000) // 1_000 + 1
    await store.owned.edit(ember.agent, Changes(spec="{}", about="none new"), few)
    with pytest.raises(TooMany):
        await store.agents.make(Draft(name="Third"), ember.owner, few)
    clock.now_ms += DAY_MS
    assert (await store.owned.edit(ember.agent, Changes(spec=BOLD), few)).number == 3
    await store.close()


async def test_an_agent_is_made_with_its_history_and_its_face(store: Store) -> None:
    draft = Draft(name="Copy", about="A copy.", specs=(CALM, BOLD), plays=1, avatar=b"png")
    copy, _ = await store.agents.make(draft)
    assert copy.version == f"{copy.agent}@v1"
    assert [row.spec for row in await store.owned.versions(copy.agent)] == [BOLD, CALM]
    row = await store.agents.row(copy.agent)
    assert row is not None
    assert (row.about, row.versions, row.spec) == ("A copy.", 2, CALM)
    face = await store.avatars.get(copy.agent)
    assert face is not None
    assert face.png == b"png"


async def test_versions_come_in_pages(store: Store) -> None:
    ember, _ = await store.agents.make(
        Draft(name="Ember", specs=tuple(f'{{"build":"{n}"}}' for n in range(5)))
    )
    page = await store.owned.versions(ember.agent, limit=2)
    assert [row.number for row in page] == [5, 4]
    page = await store.owned.versions(ember.agent, before=4, limit=2)
    assert [row.number for row in page] == [3, 2]


async def test_a_face_is_replaced_and_dropped(store: Store) -> None:
    ember = await made(store)
    assert await store.avatars.get(ember.agent) is None
    assert await store.avatars.digest(ember.agent) is None
    first = await store.avatars.put(ember.agent, b"one")
    second = await store.avatars.put(ember.agent, b"two")
    assert first != second
    assert await store.avatars.digest(ember.agent) == second
    assert await store.avatars.drop(ember.agent)
    assert not await store.avatars.drop(ember.agent)


async def test_keys_of_the_runner_are_told_apart_and_grow_old(store_url: str) -> None:
    clock = Hands(1_800_000_000_000)
    store = await open_store(store_url, clock)
    ember, own = await store.agents.make(Draft(name="Ember", kind="hosted"))
    runners = await store.hosting.key(ember.agent)
    by_runner, by_owner = await store.agents.by_key(runners), await store.agents.by_key(own)
    assert by_runner is not None
    assert by_owner == ember
    assert by_runner.runner
    assert not by_owner.runner
    listed = await store.keys.of_agent(ember.owner, ember.agent)
    assert [key.label for key in listed] == ["play"], "an owner sees his own keys"
    holder = await store.keys.holder(runners)
    assert holder is not None
    assert holder.scopes == {"host"}, "it opens nothing over HTTP"
    other = await store.hosting.key(ember.agent)
    await store.hosting.revoke([runners])
    assert await store.agents.by_key(runners) is None
    clock.now_ms += DAY_MS + 1
    assert await store.agents.by_key(other) is None
    assert await store.agents.by_key(own) == ember
    await store.close()
