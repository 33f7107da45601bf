"""An adapter's way through the arena: published, pinned, found by its name, and played, or the session is void."""

from __future__ import annotations

import random
import struct
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from bots.brains.openai import ChatClient, Message, ModelRefused, Sampling
from bots.errors import HostFault
from chain.content import cid, unixfs
from chain.content.cid import Codec
from server.agents.spec import VersionSpec
from server.config import Config
from server.hosting import AdapterAway, Hosted, ModelServer, part_of
from server.identity import Identity
from server.jobs.pin import ContentStore
from server.live.hosting import Claims
from server.store import Store
from server.store.adapters import AdapterRow
from server.store.agents import Draft
from server.training import publishing
from server.training.library import AdapterLibrary
from server.training.publishing import OwnerFull, publish
from tests.chain.blockstore.conftest import Served
from tests.training import adapter_files as files
from tests.training.fake_models import FakeBackend, listening
from training.adapters import names
from training.adapters.package import Package, Shape, config_of, pack
from training.adapters.shapes import Dimensions, parts
from training.serving.backend import CONFIG, WEIGHTS, BackendError
from training.serving.fingerprint import Fit
from training.serving.gateway import ModelGateway, UnknownAdapter

NOW_MS = 1_800_000_000_000
WIDE = Dimensions(layers=2, hidden=512, intermediate=512, heads=8, kv_heads=8, head=64)
SERVER = ModelServer("http://127.0.0.1:1/v1", "SmolLM2-135M-Instruct", "secret")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    found = Served(tmp_path_factory.mktemp("content"))
    yield found
    found.stop()


@pytest.fixture
async def content(served: Served) -> AsyncIterator[ContentStore]:
    async def opened() -> str:
        return served.url

    store = ContentStore(opened)
    yield store
    await store.close()


@pytest.fixture
async def ember(store: Store) -> Identity:
    return (await store.agents.make(Draft(name="Ember", kind="hosted")))[0]


def wide(folder: Path) -> Package:
    """An adapter of more than a block."""
    shape, rng = Shape(128, 16, ("q_proj", "v_proj")), random.Random(1)
    given = {}
    for part in parts(WIDE, shape.targets):
        rows, columns = part.shape(WIDE, shape.rank)
        row = struct.pack(f"<{columns}f", *(rng.uniform(-1, 1) for _ in range(columns)))
        given[part.peft] = ((rows, columns), row * rows)
    folder.mkdir()
    (folder / WEIGHTS).write_bytes(files.safetensors(given))
    (folder / CONFIG).write_bytes(config_of(shape, "tiny"))
    return pack(folder, files.ORIGIN, WIDE)


def library(
    store: Store, content: ContentStore, folder: Path, dimensions: Dimensions = WIDE
) -> AdapterLibrary:
    folder.mkdir(exist_ok=True)
    return AdapterLibrary(store.adapters, content, folder, files.BASE, dimensions)


async def published(
    package: Package, agent: Identity, store: Store, content: ContentStore, **knobs: int
) -> AdapterRow:
    return await publish(
        package,
        owner=agent.owner,
        agent=agent.agent,
        store=store,
        content=content,
        config=Config(**knobs),  # type: ignore[arg-type]
        clock=lambda: NOW_MS,
    )


async def test_an_adapter_is_fetched_by_its_name_from_the_content_store(
    store: Store, content: ContentStore, ember: Identity, tmp_path: Path
) -> None:
    package = wide(tmp_path / "trained")
    row = await published(package, ember, store, content)
    assert await published(package, ember, store, content) == row, (
        "publishing again changes nothing"
    )
    name = names.served_name(ember.agent, 2, cid.parse(row.card))
    folder = await library(store, content, tmp_path / "fetched").folder(name)
    assert (folder / WEIGHTS).read_bytes() == (tmp_path / "trained" / WEIGHTS).read_bytes()
    assert await content.block(cid.parse(row.weights)) != b"", "more than one block"


async def test_a_sparring_partner_plays_with_the_adapter_of_whom_it_stands_for(
    store: Store, content: ContentStore, ember: Identity, tmp_path: Path
) -> None:
    row = await published(wide(tmp_path / "trained"), ember, store, content)
    shelf = library(store, content, tmp_path / "fetched")
    own = await shelf.folder(names.served_name(ember.agent, 2, cid.parse(row.card)))
    assert await shelf.folder(names.served_name("01PARTNER", 1, cid.parse(row.card))) == own


async def test_operators_are_asked_for_every_block_and_can_put_the_file_together(
    store: Store, content: ContentStore, ember: Identity, tmp_path: Path
) -> None:
    package = wide(tmp_path / "trained")
    await published(package, ember, store, content)
    tasks = await store.pin_tasks.after(0, 100)
    assert len(tasks) == 5, "the card, three pieces of the weights, and the node above them"
    kept = {}
    for task in tasks:
        id_ = cid.parse(task.cid)
        assert id_.codec is Codec.RAW
        assert 1 <= task.bytes <= 2**20
        block = await content.block(id_)
        assert len(block) == task.bytes
        kept[id_.digest] = block
    weights = cid.parse(package.card.weights)
    node = unixfs.read(weights, kept[weights.digest])
    whole = b"".join(kept[link.cid.digest] for link in node.links)
    assert whole == package.contents[package.card.weights]


async def test_a_name_that_was_made_up_or_is_of_another_base_or_was_let_go_is_refused(
    store: Store, content: ContentStore, ember: Identity, tmp_path: Path
) -> None:
    row = await published(wide(tmp_path / "trained"), ember, store, content)
    card = cid.parse(row.card)
    shelf = library(store, content, tmp_path / "fetched")
    for name in ("nonsense", f"{ember.agent}@v2-00000000"):
        with pytest.raises(UnknownAdapter):
            await shelf.folder(name)
    name = names.served_name(ember.agent, 2, card)
    with pytest.raises(BackendError, match=r"is no tensor of|make it"):
        await library(store, content, tmp_path / "f2", files.DIMENSIONS).folder(name)
    await store.retiring.retire(row)
    with pytest.raises(BackendError, match="was retired"):
        await shelf.folder(name)


async def test_an_owner_is_told_when_no_more_is_kept(
    store: Store, content: ContentStore, ember: Identity, tmp_path: Path
) -> None:
    package = wide(tmp_path / "a")
    with pytest.raises(OwnerFull, match="are kept for an owner: retire one"):
        await published(package, ember, store, content, adapter_bytes_per_owner=2**20)
    await published(package, ember, store, content, adapters_per_owner=1)
    other = pack(files.write(tmp_path / "b"), files.ORIGIN, files.DIMENSIONS)
    with pytest.raises(OwnerFull, match="1 adapters are kept for you"):
        await published(other, ember, store, content, adapters_per_owner=1)
    assert len(await store.adapters.of_agent(ember.agent)) == 1


def test_a_bound_counts_what_is_kept_and_what_comes() -> None:
    config = Config(adapters_per_owner=2, adapter_bytes_per_owner=2**20)
    row = AdapterRow(
        card="c",
        weights="w",
        owner="o",
        agent="a",
        space="s",
        base_sha256="",
        bytes=2**19,
        created_ms=0,
    )
    publishing.check([row], 2**19, config)
    with pytest.raises(OwnerFull):
        publishing.check([row], 2**19 + 1, config)


# ---------------------------------------------------------------------------- playing


CARD = str(cid.of(b"a card"))


async def hosted_spec(
    store: Store, redis: Redis, gateway: ModelServer | None
) -> tuple[Hosted, str]:
    spec = f'{{"adapter":"{CARD}"}}'
    agent, _ = await store.agents.make(Draft(name="Learned", kind="hosted", specs=(spec,)))
    adapters = None if gateway is None else lambda: gateway
    hosted = Hosted(store.hosting, Claims(redis, "r"), SERVER, capacity=1, adapters=adapters)
    return hosted, agent.version


async def test_a_version_with_an_adapter_asks_the_gateway_by_the_adapters_name(
    store: Store, redis: Redis
) -> None:
    gateway = ModelServer("http://127.0.0.1:2/v1", "SmolLM2-135M-Instruct")
    hosted, version = await hosted_spec(store, redis, gateway)
    part = await hosted.part(version, "bid-tac-toe")
    assert part.settings == {
        "url": "http://127.0.0.1:2/v1",
        "model": names.of_version(version, cid.parse(CARD)),
        "api_key": "",
        "rhyme_sheet": True,
    }, "and is asked as the small model that it is on"


async def test_where_no_adapters_are_served_it_is_our_fault_and_the_base_is_not_asked(
    store: Store, redis: Redis
) -> None:
    hosted, version = await hosted_spec(store, redis, None)
    with pytest.raises(AdapterAway) as raised:
        await hosted.part(version, "bid-tac-toe")
    assert isinstance(raised.value, HostFault), "the runner abandons the session, which voids it"
    with pytest.raises(AssertionError, match="never played as its base"):
        part_of(VersionSpec(adapter=CARD), "bid-tac-toe", SERVER)


async def test_an_adapter_that_cannot_be_served_voids_and_is_never_answered_by_the_base(
    store: Store, redis: Redis, content: ContentStore, tmp_path: Path
) -> None:
    backend = FakeBackend()
    shelf = library(store, content, tmp_path / "fetched")

    async def prove(*_: object) -> Fit:
        raise AssertionError("there is nothing to prove")

    gateway = ModelGateway(backend, shelf, clock=lambda: NOW_MS, prove=prove)
    async with listening(backend.app()) as backend.url, gateway:  # noqa: SIM117 - it needs the url
        async with listening(gateway.app()) as url:
            hosted, version = await hosted_spec(store, redis, ModelServer(f"{url}/v1", "tiny"))
            settings = (await hosted.part(version, "bid-tac-toe")).settings
            client = ChatClient(settings["url"], settings["model"])
            with pytest.raises(ModelRefused, match=r"404 .*no model") as raised:
                async for _ in client.stream([Message("user", "bid")], Sampling()):
                    pass
            await client.close()
    assert isinstance(raised.value, HostFault)
    assert backend.asked == []


async def test_an_adapter_that_is_served_is_what_plays(
    store: Store, redis: Redis, content: ContentStore, ember: Identity, tmp_path: Path
) -> None:
    row = await published(wide(tmp_path / "trained"), ember, store, content)
    backend = FakeBackend()

    async def prove(*_: object) -> Fit:
        return Fit(1, 1, 0, 0)

    shelf = library(store, content, tmp_path / "fetched")
    gateway = ModelGateway(backend, shelf, clock=lambda: NOW_MS, prove=prove)
    name = names.served_name(ember.agent, 2, cid.parse(row.card))
    async with listening(backend.app()) as backend.url, gateway:  # noqa: SIM117 - it needs the url
        async with listening(gateway.app()) as url:
            client = ChatClient(f"{url}/v1", name)
            chunks = [
                c async for c in client.stream([Message("user", "bid")], Sampling(max_tokens=9))
            ]
            await client.close()
    assert "".join(chunk.text for chunk in chunks) == f"{name}.{_base36(NOW_MS)} is here"
    assert chunks[-1].finish == "stop"


def _base36(number: int) -> str:
    digits = "0123456789abcdefghijklmnopqrstuvwxyz"
    return ("" if number < 36 else _base36(number // 36)) + digits[number % 36]
