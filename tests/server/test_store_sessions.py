from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from server.identity import Identity, new_id
from server.live.records import SeatRecord, SessionRecord
from server.store import Store
from server.store.sessions import UnknownSession

OPENED_MS = 1_800_000_000_000


def record_of(*agents: Identity, space: str = "bid-tac-toe") -> SessionRecord:
    seats = tuple(
        SeatRecord(
            i, agent.agent, agent.name, agent.version, agent.owner, bytes([i]) * 32, 1_000 * i
        )
        for i, agent in enumerate(agents)
    )
    return SessionRecord(
        new_id(), space, f"{space}/1", {"chips": 100}, 0, OPENED_MS, b"s" * 32, seats
    )


@pytest.fixture
async def record(store: Store) -> SessionRecord:
    ember, _ = await store.agents.register("Ember")
    frost, _ = await store.agents.register("Frost")
    return record_of(ember, frost)


def sealing(record: SessionRecord, **changes: Any) -> dict[str, Any]:
    return {
        "session": record.session,
        "status": "ended",
        "outcome": {"termination": "line", "returns": [1, -1]},
        "document": b'{"v":"agon-transcript/1"}',
        "digest": "d" * 64,
        "steps": ("judge", "rate"),
        "now_ms": OPENED_MS + 60_000,
    } | changes


async def test_a_formed_session_shows_its_seats_and_hides_its_seed(
    store: Store, record: SessionRecord
) -> None:
    await store.sessions.form(record)
    row = await store.sessions.get(record.session)
    assert row is not None
    assert row.status == "formed"
    assert [seat.name for seat in row.seats] == ["Ember", "Frost"]
    assert row.seats[1].rating_milli == 1_000
    assert "ssss" not in repr(row)
    assert await store.sessions.record(record.session) == record


async def test_a_crash_between_forming_and_opening_is_mended_by_the_outbox(
    store: Store, record: SessionRecord
) -> None:
    await store.sessions.form(record)
    assert await store.outbox.due(OPENED_MS, 10) == [], "the matchmaker is given time to do it"
    [row] = await store.outbox.due(OPENED_MS + 5_000, 10)
    assert (row.session, row.step) == (record.session, "open")
    assert await store.sessions.unopened(OPENED_MS) == []
    assert await store.sessions.unopened(OPENED_MS + 1) == [record]
    await store.sessions.opened(record.session)
    await store.sessions.opened(record.session)
    assert await store.sessions.unopened(OPENED_MS + 1) == []
    assert await store.outbox.due(OPENED_MS + 5_000, 10) == []


async def test_forming_again_changes_nothing(store: Store, record: SessionRecord) -> None:
    await asyncio.gather(*(store.sessions.form(record) for _ in range(4)))
    await store.sessions.opened(record.session)
    other_draw = msgspec.structs.replace(record, seed=b"t" * 32, seats=record.seats[::-1])
    assert await store.sessions.form(other_draw) == record, "the first one stands, and is returned"
    row = await store.sessions.get(record.session)
    assert row is not None
    assert row.status == "live"
    assert [seat.name for seat in row.seats] == ["Ember", "Frost"]
    assert len(await store.outbox.steps(record.session)) == 1


async def test_a_session_that_cannot_be_formed_leaves_nothing_behind(store: Store) -> None:
    stranger = Identity("nobody", "Nobody", "nobody@v1", "none")
    record = record_of(stranger, stranger)
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        await store.sessions.form(record)
    assert await store.sessions.get(record.session) is None


async def test_sealing_keeps_the_bytes_and_starts_what_follows(
    store: Store, record: SessionRecord
) -> None:
    await store.sessions.form(record)
    await store.sessions.opened(record.session)
    assert await store.sessions.transcript(record.session) is None
    assert await store.sessions.seal(**sealing(record)) == "d" * 64
    assert await store.sessions.transcript(record.session) == b'{"v":"agon-transcript/1"}'
    row = await store.sessions.get(record.session)
    assert row is not None
    assert (row.status, row.digest, row.sealed_ms) == ("ended", "d" * 64, OPENED_MS + 60_000)
    assert row.outcome == {"termination": "line", "returns": [1, -1]}
    steps = [(row.step, row.state) for row in await store.outbox.steps(record.session)]
    assert steps == [("open", "done"), ("judge", "waiting"), ("rate", "waiting")]


async def test_the_first_seal_stands(store: Store, record: SessionRecord) -> None:
    await store.sessions.form(record)
    await store.sessions.seal(**sealing(record))
    late = sealing(record, digest="e" * 64, document=b"{}", status="void", steps=("refund",))
    assert await store.sessions.seal(**late) == "d" * 64
    assert await store.sessions.transcript(record.session) == b'{"v":"agon-transcript/1"}'
    assert [row.step for row in await store.outbox.steps(record.session)] == [
        "open",
        "judge",
        "rate",
    ]


async def test_two_hosts_that_seal_at_once_agree_on_one_document(
    store: Store, record: SessionRecord
) -> None:
    await store.sessions.form(record)
    digests = [letter * 64 for letter in "abcdef"]
    standing = await asyncio.gather(
        *(store.sessions.seal(**sealing(record, digest=d, document=d.encode())) for d in digests)
    )
    assert len(set(standing)) == 1
    assert await store.sessions.transcript(record.session) == standing[0].encode()


async def test_a_session_sealed_before_it_was_marked_open_stays_sealed(
    store: Store, record: SessionRecord
) -> None:
    await store.sessions.form(record)
    await store.sessions.seal(**sealing(record))
    await store.sessions.opened(record.session)
    row = await store.sessions.get(record.session)
    assert row is not None
    assert row.status == "ended"
    assert await store.sessions.unopened(OPENED_MS * 2) == []


async def test_an_unknown_session_cannot_be_sealed(store: Store, record: SessionRecord) -> None:
    with pytest.raises(UnknownSession):
        await store.sessions.seal(**sealing(record))


async def test_pages_are_newest_first_and_join_without_a_gap(store: Store) -> None:
    ember, _ = await store.agents.register("Ember")
    frost, _ = await store.agents.register("Frost")
    records = [record_of(ember, frost, space=f"space-{i % 2}") for i in range(7)]
    for record in records:
        await store.sessions.form(record)
    await store.sessions.seal(**sealing(records[2]))
    newest_first = sorted((record.session for record in records), reverse=True)
    first = await store.sessions.page(limit=4)
    second = await store.sessions.page(limit=4, before=first[-1].session)
    assert [row.session for row in (*first, *second)] == newest_first
    odd = await store.sessions.page(space="space-1")
    assert {row.session for row in odd} == {record.session for record in records[1::2]}
    ended = await store.sessions.page(status=["ended"])
    assert [row.session for row in ended] == [records[2].session]
    assert len(await store.sessions.page(agent=ember.agent)) == 7
    assert await store.sessions.page(agent="nobody") == []
