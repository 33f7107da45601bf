"""Seats sign what they played: what is taken, what the result waits for, and that without them it is what it was."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec
import pytest
from redis.asyncio import Redis

from chain.documents import result as results
from chain.documents.form import encode
from chain.documents.signature import sign
from chain.ethereum import Account
from server.config import Config
from server.identity import Identity
from server.protocol import Accepted, Error, Rejected, Sign
from server.settlement.documents import SessionDocuments
from server.settlement.seat_signatures import WAIT_MS, Desk
from server.settlement.signing import Signing
from server.store import Store
from spaces import transcript
from tests.conformance.rig import SESSION
from tests.server.gateway_arena import arena_of, key_of, running
from tests.server.test_api import client_of
from tests.server.test_proofs import played
from tests.server.test_signed_documents import CHAIN_ID, ESCROW, KEY, finished

EMBERS, OTHERS = Account.from_key(b"\x11" * 32), Account.from_key(b"\x12" * 32)


class Time:
    """Of the seal, until it is told otherwise."""

    def __init__(self) -> None:
        self.ms = 0

    def __call__(self) -> int:
        return self.ms


class World:
    """A session of Ember, who has a signing key, and Frost, who has none: played and sealed just now."""

    def __init__(self, store: Store, document: bytes, ember: Identity, frost: Identity) -> None:
        self.store, self.document, self.ember, self.frost = store, document, ember, frost
        self.read = transcript.read(document)
        self.clock = Time()
        self.clock.ms = self.read.sealed_ms
        self.desk = Desk(store, CHAIN_ID, ESCROW, self.clock)
        signing = Signing(KEY, CHAIN_ID, ESCROW)
        self.documents = SessionDocuments(store, signing, self.clock)

    def signed(self, key: Any = EMBERS, chain_id: int = CHAIN_ID, **other: Any) -> Sign:
        made = sign(key, chain_id, ESCROW, self.read)
        fields = {
            "id": "s1",
            "session": SESSION,
            "digest": transcript.digest(self.document),
            "signature": made.value,
        }
        return Sign(**(fields | other))

    async def refused(self, request: Sign, by: Identity | None = None) -> str:
        answer = await self.desk.sign(by or self.ember, request)
        assert isinstance(answer, Rejected), answer
        assert (answer.id, answer.session) == (request.id, request.session)
        assert answer.reason
        return answer.code

    async def result(self) -> results.ResultDocument | None:
        kept = await self.documents.result(SESSION)
        return None if kept is None else results.read(kept.document)


@pytest.fixture
async def world(store: Store) -> World:
    ember, _ = await store.agents.register("Ember")
    frost, _ = await store.agents.register("Frost")
    await store.seat_signatures.set_key(ember.agent, EMBERS.address)
    return World(store, await played(store, ember, frost), ember, frost)


async def test_a_seat_s_signature_is_kept_once_and_answered_alike(world: World) -> None:
    accepted = Accepted("s1", SESSION, -1)
    assert await world.desk.sign(world.ember, world.signed()) == accepted
    assert await world.desk.sign(world.ember, world.signed()) == accepted
    world.clock.ms += WAIT_MS
    assert await world.desk.sign(world.ember, world.signed()) == accepted, "the answer was lost"
    [(seat, kept)] = (await world.store.seat_signatures.of(SESSION)).items()
    assert kept is not None
    assert (seat, kept.signer) == (0, EMBERS.address)


async def test_what_is_not_the_seat_s_word_is_refused(world: World) -> None:
    assert await world.refused(world.signed(session="nowhere")) == "unknown-session"
    stranger, _ = await world.store.agents.register("Stranger")
    assert await world.refused(world.signed(), stranger) == "no-seat"
    assert await world.refused(world.signed(), world.frost) == "no-key"
    assert await world.refused(world.signed(digest="00" * 32)) == "other-digest"
    assert await world.refused(world.signed(OTHERS)) == "other-key"
    assert await world.refused(world.signed(chain_id=8453)) == "other-key"
    assert await world.refused(world.signed(signature="0x" + "ff" * 65)) == "other-key"
    assert await world.store.seat_signatures.of(SESSION) == {0: None}
    world.clock.ms += WAIT_MS
    assert await world.refused(world.signed()) == "late"


async def test_a_live_session_is_not_signed(store: Store, world: World) -> None:
    from tests.server.aftermath_session import Seats

    record = Seats(world.ember, world.frost).record("bid-tac-toe")
    await store.sessions.form(record)
    assert await world.refused(world.signed(session=record.session)) == "not-over"


async def test_the_result_waits_for_seats_that_may_sign_and_names_their_signatures(
    store: Store, world: World
) -> None:
    await finished(store, world.document, world.ember, world.frost)
    assert await world.result() is None, "Ember may still sign"
    await world.desk.sign(world.ember, world.signed())
    made = await world.result()
    assert made is not None, "nobody else has a key"
    ember, frost = made.seats
    assert not isinstance(ember.sig, msgspec.UnsetType)
    assert ember.sig.signer == EMBERS.address
    assert isinstance(frost.sig, msgspec.UnsetType)


async def test_the_result_waits_no_longer_than_it_must(store: Store, world: World) -> None:
    await finished(store, world.document, world.ember, world.frost)
    world.clock.ms += WAIT_MS - 1
    assert await world.result() is None
    world.clock.ms += 1
    made = await world.result()
    assert made is not None
    document = (await world.documents.result(SESSION)).document  # type: ignore[union-attr]
    assert b'"seats":[{"agent":' in document
    assert b'"sig":{' in document, "the arena's"
    assert all(isinstance(each.sig, msgspec.UnsetType) for each in made.seats)


async def test_a_key_without_anybody_to_use_it_holds_nothing_up(store: Store, world: World) -> None:
    await store.seat_signatures.set_key(world.ember.agent, None)
    await finished(store, world.document, world.ember, world.frost)
    assert await world.result() is not None
    await store.seat_signatures.set_key(world.ember.agent, EMBERS.address)
    assert await world.refused(world.signed()) == "late", "the result is made"


def test_a_result_without_seats_signatures_has_the_bytes_that_it_had() -> None:
    seat = results.ResultSeat(0, "a", "a@v1", None, "00" * 32)
    assert encode(seat) == (
        b'{"agent":"a","salt":"' + b"00" * 32 + b'","seat":0,"version":"a@v1","wallet":null}'
    )


async def test_the_gateway_takes_signatures_of_seats(redis: Redis, world: World) -> None:
    async with arena_of(redis) as arena:
        arena.agents[key_of("ember")] = world.ember
        async with arena.client("ember") as ember:
            await ember.send(world.signed())
            told = await ember.expect(Rejected)
            assert (told.id, told.code) == ("s1", "no-chain"), "it settles on none"
        arena.desk = world.desk
        async with running(arena.gateway("gateway-2")), arena.client("ember", at=1) as ember:
            await ember.send(world.signed(OTHERS))
            assert (await ember.expect(Rejected)).code == "other-key"
            await ember.send(world.signed())
            assert await ember.expect(Accepted) == Accepted("s1", SESSION, -1)
            await ember.raw(msgspec.json.encode(world.signed(signature="0x12")))
            assert (await ember.expect(Error)).code == "bad-message"
        async with arena.client() as spectator:
            await spectator.send(world.signed())
            assert (await spectator.expect(Error)).code == "forbidden"


async def got(api: httpx.AsyncClient, agent: str) -> Any:
    return (await api.get(f"/v1/agents/{agent}/signing-key")).json()


async def test_an_owner_names_the_key_by_its_address(store: Store, redis: Redis) -> None:
    account = await store.accounts.with_wallet("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
    token, _ = await store.logins.begin(account.account, 86_400_000)
    ember, _ = await store.agents.register("Ember", account.account)
    other, _ = await store.agents.register("Frost")
    path = f"/v1/agents/{ember.agent}/signing-key"
    async with client_of(store, redis, config=Config()) as api:
        assert (await api.put(path, json={"address": EMBERS.address})).status_code == 401
        api.headers["Authorization"] = f"Bearer {token}"
        assert await got(api, ember.agent) == {"address": None}
        done = await api.put(path, json={"address": EMBERS.address.lower()})
        assert done.json() == {"address": EMBERS.address}, "EIP-55"
        assert await got(api, ember.agent) == {"address": EMBERS.address}
        typo = EMBERS.address.swapcase().replace("0X", "0x")
        assert (await api.put(path, json={"address": typo})).json()["code"] == "bad-address"
        assert (await api.put(path, json={"address": "0x12"})).is_client_error
        theirs = f"/v1/agents/{other.agent}/signing-key"
        assert (await api.put(theirs, json={"address": None})).status_code == 404
        assert (await api.put(path, json={"address": None})).json() == {"address": None}
        assert await got(api, ember.agent) == {"address": None}
