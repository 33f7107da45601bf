"""What the arena hands out of a session it has settled verifies; before that there is nothing to hand out."""

from __future__ import annotations

import random
from typing import Any

import httpx
import msgspec
import pytest
from redis.asyncio import Redis

from chain.content import cid
from chain.documents import result as results
from chain.verify.finding import Standing
from chain.verify.report import report
from chain.verify.session import Asked, Documents, check
from server.config import Config
from server.identity import Identity
from server.ledger.tiers import entry_micros
from server.live.records import SeatRecord, SessionRecord
from server.store import Store
from server.store.ratings import RatingRow
from spaces import registry, transcript
from spaces.transcript import SeatCommit, seat_commit
from tests.conformance.rig import OPENED_MS, SESSION, Dice, Session, seed_of
from tests.server.test_api import client_of

BIDDING = registry.get("bid-tac-toe")


class Seated(Session):
    """A session of versions that the store knows."""

    versions: tuple[str, ...] = ()

    @property
    def seats(self) -> list[SeatCommit]:
        return [
            SeatCommit(seat, seat_commit(version, bytes([seat]) * 32))
            for seat, version in enumerate(self.versions)
        ]


async def played(store: Store, *agents: Identity, dice: Dice | None = None) -> bytes:
    """A session that has been played and sealed; the transcript."""
    seed = seed_of(9)
    params: dict[str, Any] = {"chips": 20}
    game = Seated(
        BIDDING, params, seed, random.Random(9), dice or Dice(), versions=tuple(each.version for each in agents),
        log=[], states=[], answers=[],
    )  # fmt: skip
    document = game.play().document()
    seats = tuple(
        SeatRecord(seat, each.agent, each.name, each.version, each.owner, bytes([seat]) * 32)
        for seat, each in enumerate(agents)
    )
    record = SessionRecord(SESSION, BIDDING.id, BIDDING.rules, params, 0, OPENED_MS, seed, seats)
    await store.sessions.form(record)
    read = transcript.read(document)
    void = read.outcome == transcript.VOID
    outcome = {"reason": "the host lost its mind"} if void else msgspec.to_builtins(read.outcome)
    await store.sessions.seal(
        session=SESSION,
        status="void" if void else "ended",
        outcome=outcome,
        document=document,
        digest=transcript.digest(document),
        steps=("settle",) if void else ("settle", "rate"),
        now_ms=read.sealed_ms,
    )
    return document


async def fetched(api: httpx.AsyncClient) -> Documents:
    async def content(name: str) -> bytes:
        return (await api.get(f"/v1/sessions/{SESSION}/{name}")).content

    return Documents(transcript=await content("transcript"), result=await content("result"))


@pytest.fixture
async def agents(store: Store) -> tuple[Identity, Identity]:
    return (await store.agents.register("Ember"))[0], (await store.agents.register("Frost"))[0]


def verified(documents: Documents) -> dict[str, Standing]:
    findings = check(
        documents,
        Asked(session=SESSION, entry_micros=entry_micros),
        lambda block: str(cid.of(block)),
    )
    assert Standing.FALSE not in {each.standing for each in findings}, report(findings)
    return {each.what: each.standing for each in findings}


async def moved(store: Store, version: str, number: int) -> RatingRow:
    was = await store.ratings.standpoint(version, BIDDING.id)
    before = was.rating
    return RatingRow(version, 25_500 - number, 8_000, before.mu_milli, before.sigma_milli, number=1)


async def test_a_settled_session_verifies(
    store: Store, redis: Redis, agents: tuple[Identity, Identity]
) -> None:
    document = await played(store, *agents)
    returns = transcript.read(document).outcome.returns
    assert returns is not None
    ranks = [1 + sum(other > mine for other in returns) for mine in returns]
    async with client_of(store, redis) as api:
        early = await api.get(f"/v1/sessions/{SESSION}/result")
        assert (early.status_code, early.json()["code"]) == (404, "not-settled")

        await store.results.settle(SESSION, ranks, [0, 0])
        assert (await api.get(f"/v1/sessions/{SESSION}/result")).status_code == 404, "not rated yet"
        moves = [await moved(store, each.version, n) for n, each in enumerate(agents)]
        await store.ratings.apply(SESSION, BIDDING.id, moves)

        documents = await fetched(api)
        standings = verified(documents)
        assert {"replay", "seats", "ranks", "money", "result"} <= {
            what for what, standing in standings.items() if standing is Standing.TRUE
        }
        assert documents.result is not None
        told = results.read(documents.result)
        assert [each.agent for each in told.seats] == [each.agent for each in agents]
        assert [each.mu_milli for each in told.ratings] == [25_500, 25_499]
        again = await api.get(f"/v1/sessions/{SESSION}/result")
        assert again.content == documents.result
        unchanged = await api.get(
            f"/v1/sessions/{SESSION}/result", headers={"If-None-Match": again.headers["etag"]}
        )
        assert (unchanged.status_code, unchanged.content) == (304, b"")


async def test_a_void_session_verifies(
    store: Store, redis: Redis, agents: tuple[Identity, Identity]
) -> None:
    await played(store, *agents, dice=Dice(void=1.0))
    await store.results.void(SESSION, "the host lost its mind")
    async with client_of(store, redis) as api:
        documents = await fetched(api)
    assert verified(documents)["ranks"] is Standing.TRUE


async def test_delayed_spectators_are_not_overtaken(
    store: Store, redis: Redis, agents: tuple[Identity, Identity]
) -> None:
    await played(store, *agents, dice=Dice(void=1.0))
    await store.results.void(SESSION, "the host lost its mind")
    row = await store.sessions.get(SESSION)
    assert row is not None
    assert row.sealed_ms is not None
    now = row.sealed_ms + 59_999
    config = Config(spectator_delay_ms=60_000)
    async with client_of(store, redis, config=config, clock=lambda: now) as api:
        assert (await api.get(f"/v1/sessions/{SESSION}/result")).status_code == 404
        now += 1
        assert (await api.get(f"/v1/sessions/{SESSION}/result")).status_code == 200
