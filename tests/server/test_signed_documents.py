"""What the arena has signed once is what it hands out for ever, and what verifies."""

from __future__ import annotations

import httpx
import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy import insert

from chain.client.escrow import session_id
from chain.content import cid
from chain.documents import result as results
from chain.documents.signature import signer
from chain.ethereum import Account
from server.config import Config
from server.identity import Identity
from server.settlement.documents import SessionDocuments
from server.settlement.signing import Signing
from server.store import Store
from server.store.escrow import escrow_session
from server.store.pins import NewPin
from spaces import transcript
from tests.conformance.rig import SESSION, Dice
from tests.server.test_api import client_of
from tests.server.test_proofs import BIDDING, moved, played

CHAIN_ID = 31_337
ESCROW = "0x" + "E5" * 20
KEY, OTHER = Account.from_key(b"\7" * 32), Account.from_key(b"\x08" * 32)
WALLETS = ("0x" + "A1" * 20, "0x" + "B2" * 20)
ON_CHAIN = Config(settlement="chain")


def documents_by(store: Store, key: object = KEY) -> SessionDocuments:
    return SessionDocuments(store, Signing(key, CHAIN_ID, ESCROW))  # type: ignore[arg-type]


@pytest.fixture
async def agents(store: Store) -> tuple[Identity, Identity]:
    return (await store.agents.register("Ember"))[0], (await store.agents.register("Frost"))[0]


async def opened(store: Store, session: str = SESSION, state: str = "open") -> None:
    """As it is when the escrow has opened it."""
    row = {
        "session": session,
        "digest": session_id(session).hex(),
        "entry_micros": 500_000,
        "owners": msgspec.json.encode(WALLETS).decode(),
        "state": state,
        "made_ms": 0,
    }
    async with store.database.writing() as tx:
        await tx.execute(insert(escrow_session).values(row))


async def finished(store: Store, document: bytes, *agents: Identity) -> None:
    """Settled and rated."""
    returns = transcript.read(document).outcome.returns
    assert returns is not None
    ranks = [1 + sum(other > mine for other in returns) for mine in returns]
    await store.results.settle(SESSION, ranks, [0, 0])
    moves = [await moved(store, each.version, n) for n, each in enumerate(agents)]
    await store.ratings.apply(SESSION, BIDDING.id, moves)


async def got(api: httpx.AsyncClient, name: str) -> httpx.Response:
    return await api.get(f"/v1/sessions/{SESSION}/{name}")


async def test_a_transcript_is_handed_out_when_it_is_signed_and_never_changes(
    store: Store, redis: Redis, agents: tuple[Identity, Identity]
) -> None:
    document = await played(store, *agents)
    async with client_of(store, redis, config=ON_CHAIN) as api:
        early = await got(api, "transcript")
        assert (early.status_code, early.json()["code"]) == (404, "not-signed")

        signed = await documents_by(store).transcript(SESSION)
        assert (await got(api, "transcript")).content == signed
    assert signed is not None
    read = transcript.read(signed)
    assert signer(CHAIN_ID, ESCROW, read, read.sig) == KEY.address  # type: ignore[arg-type]
    assert transcript.digest(signed) == transcript.digest(document)
    assert await documents_by(store, OTHER).transcript(SESSION) == signed, "the first one stands"


async def test_what_was_pinned_unsigned_stays_what_its_id_says(
    store: Store, redis: Redis, agents: tuple[Identity, Identity]
) -> None:
    document = await played(store, *agents)
    await store.pins.put(NewPin(SESSION, str(cid.of(document)), len(document), 1))
    assert await documents_by(store).transcript(SESSION) == document
    async with client_of(store, redis, config=ON_CHAIN) as api:
        assert (await got(api, "transcript")).content == document


async def test_a_result_is_made_once_and_names_the_signed_transcript_and_the_wallets(
    store: Store, redis: Redis, agents: tuple[Identity, Identity]
) -> None:
    document = await played(store, *agents)
    await opened(store)
    ours = documents_by(store)
    signed = await ours.transcript(SESSION)
    assert signed is not None
    assert await ours.result(SESSION) is None, "not settled"
    async with client_of(store, redis, config=ON_CHAIN) as api:
        await finished(store, document, *agents)
        early = await got(api, "result")
        assert (early.status_code, early.json()["code"]) == (404, "not-settled"), "not signed yet"
        kept = await ours.result(SESSION)
        assert kept is not None
        assert (await got(api, "result")).content == kept.document
    read = results.read(kept.document)
    assert read.transcript == str(cid.of(signed))
    assert [each.wallet for each in read.seats] == list(WALLETS)
    assert signer(CHAIN_ID, ESCROW, read, read.sig) == KEY.address  # type: ignore[arg-type]
    assert kept.cid == str(cid.of(kept.document))
    assert await documents_by(store, OTHER).result(SESSION) == kept, "the first one stands"


async def test_without_a_chain_nothing_is_signed(
    store: Store, redis: Redis, agents: tuple[Identity, Identity]
) -> None:
    document = await played(store, *agents)
    await finished(store, document, *agents)
    async with client_of(store, redis) as api:
        assert (await got(api, "transcript")).content == document
        told = results.read((await got(api, "result")).content)
    assert isinstance(told.sig, msgspec.UnsetType)
    assert [each.wallet for each in told.seats] == [None, None]


async def test_a_void_session_has_a_signed_result(
    store: Store, agents: tuple[Identity, Identity]
) -> None:
    await played(store, *agents, dice=Dice(void=1.0))
    await store.results.void(SESSION, "the host lost its mind")
    kept = await documents_by(store).result(SESSION)
    assert kept is not None
    assert results.read(kept.document).status == "void"
