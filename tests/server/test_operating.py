"""An operator beside an arena, on the embedded chain and the embedded block store: takes, keeps, attests, answers; or does not, and pays."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from chain.attestation import ANY_LEAF, read_leaves
from chain.content import cid
from chain.content.cid import Cid, Codec
from chain.content.ipfs import Ipfs
from chain.devchain.accounts import ADDRESSES
from chain.operator import keeper
from chain.operator.journal import JournalInUse
from chain.operator.roll import SEED_BLOCKS
from chain.wallet.contracts import Contracts
from server.operating import status
from server.operating.reading import open_books
from server.operating.running import CannotOperate, Settings, operate, read
from server.store import Store
from tests.chain.blockstore.conftest import Served
from tests.chain.node import account, net
from tests.server.operator_world import (
    CHALLENGER,
    FRAC,
    OPERATOR,
    TERMS,
    OperatorWorld,
    deployed,
    operator_world,
    until,
)

ME = ADDRESSES[OPERATOR]


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = Served(tmp_path_factory.mktemp("node"))
    yield served
    served.stop()


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chain with the contracts and its manifest, copied for each test."""
    folder = tmp_path_factory.mktemp("deployment")

    async def deploy() -> None:
        async with net(folder / "devchain.sqlite") as chain:
            await deployed(chain, folder)

    asyncio.run(deploy())
    return folder


@pytest.fixture
async def world(
    deployment: Path, tmp_path: Path, store: Store, redis: Redis
) -> AsyncIterator[OperatorWorld]:
    folder = tmp_path / "chain"
    shutil.copytree(deployment, folder)
    async with (
        net(folder / "devchain.sqlite") as chain,
        operator_world(chain, folder, store, redis) as found,
    ):
        yield found


@contextlib.asynccontextmanager
async def at_work(
    world: OperatorWorld, content: Served, folder: Path, said: list[str]
) -> AsyncIterator[None]:
    settings = Settings(
        arena=world.api,
        ipfs=content.url,
        folder=folder,
        confirmations=0,
        batch_leaves=4,
        batch_every_s=1,
        look_s=0.1,
    )
    working = asyncio.create_task(
        operate(settings, world.net.rpc, world.manifest, account(OPERATOR), tell=said.append)
    )
    try:
        yield
        assert not working.done(), said
    finally:
        working.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await working


async def attested(world: OperatorWorld, ipfs: Ipfs) -> list[bytes]:
    """Digests of all leaves that the chain has."""
    found = []
    for batch in await world.events("Attested"):
        list_ = await ipfs.block(Cid(Codec.RAW, batch["list_digest"]))
        found += [leaf.digest for leaf in read_leaves(list_)]
    return found


async def test_it_keeps_attests_and_answers_and_a_dead_one_pays(
    world: OperatorWorld, content: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "LIST_WAIT_MS", (100, 100))
    said: list[str] = []
    await world.stake()
    await world.be_challenger()
    early = [await world.pinned() for _ in range(2)]
    folder = tmp_path / "operator"
    async with Ipfs(content.url) as ipfs:
        async with at_work(world, content, folder, said):
            late = [await world.pinned()]

            async def all_attested() -> bool:
                return len(await attested(world, ipfs)) == 3

            await until(all_attested, "all is attested")
            for document in (*early, *late):
                assert await ipfs.pinned(cid.of(document))

            async def all_good() -> bool:
                batches = await world.arena_reads()
                return all(each.state == "read" for each in batches)

            await until(all_good, "the arena was given the lists, and finds them good")
            assert sum(each.good or 0 for each in await world.arena_reads()) == 3
            challenge = world.operators.open_challenge(ME, 0, ANY_LEAF)
            await world.send(CHALLENGER, challenge)
            await world.pass_time(10, SEED_BLOCKS + 2)

            async def answered() -> bool:
                return (await world.operators.challenge(1)).closed

            await until(answered, "it is drawn and answered")
            assert [each["id"] for each in await world.events("Answered")] == [1]
        found = await status.status(Contracts(world.net.rpc, world.manifest), ME, folder, 0)
        assert (found.answered, found.missed, found.stands) == (1, 0, True)
        assert found.kept is not None
        assert (found.kept.kept, found.kept.attested, found.kept.mine) == (3, 3, 3)
        assert "1 answered, 0 missed" in "\n".join(status.lines(found))

        # It has ended: nobody answers.
        await world.pass_time(3_700, 1)
        await world.send(CHALLENGER, world.operators.open_challenge(ME, 0, 0))
        await world.pass_time(10, SEED_BLOCKS + 2)
        await world.send(CHALLENGER, world.operators.draw(2))
        await world.pass_time(TERMS.answer_s + 1, TERMS.answer_blocks + 1)
        await world.send(CHALLENGER, world.operators.record_miss(2))
        found = await status.status(Contracts(world.net.rpc, world.manifest), ME, folder, 0)
        assert (found.missed, found.lost, found.stands) == (1, 20 * FRAC, False)
        assert "it has missed a challenge" in "\n".join(status.lines(found))

        # It comes back, and says so by attesting one block again.
        async with at_work(world, content, folder, said):

            async def stands() -> bool:
                found = await status.status(Contracts(world.net.rpc, world.manifest), ME, folder, 0)
                return found.stands

            await until(stands, "it has given a sign of life")
        assert len(await attested(world, ipfs)) == 4, said


async def test_nothing_is_begun_that_would_be_of_no_use(
    world: OperatorWorld, content: Served, tmp_path: Path
) -> None:
    settings = Settings(arena=world.api, ipfs=content.url, folder=tmp_path / "operator")
    begun = [settings, world.net.rpc, world.manifest, account(OPERATOR)]
    with pytest.raises(CannotOperate, match="agon operator register"):
        await operate(*begun, tell=print)  # type: ignore[arg-type]
    await world.send(OPERATOR, world.operators.register("https://x", "12D"))
    with pytest.raises(CannotOperate, match="1000 FRAC at least"):
        await operate(*begun, tell=print)  # type: ignore[arg-type]


async def test_two_do_not_run_in_one_folder(
    world: OperatorWorld, content: Served, tmp_path: Path
) -> None:
    await world.stake()
    async with at_work(world, content, tmp_path / "operator", []):
        await asyncio.sleep(0.3)
        settings = Settings(arena=world.api, ipfs=content.url, folder=tmp_path / "operator")
        with pytest.raises(JournalInUse):
            await operate(settings, world.net.rpc, world.manifest, account(OPERATOR), tell=print)


async def test_what_another_process_has_undone_is_added_up_anew(
    world: OperatorWorld, tmp_path: Path
) -> None:
    """`status` and `run` read into the same books."""
    books = [await open_books(tmp_path / "books.sqlite") for _ in range(2)]
    try:
        running, asking = (read(each, world.net.rpc, world.manifest, 0, print) for each in books)
        await world.send(OPERATOR, world.operators.register("https://x", "12D"))
        look = await running.look()
        assert (look.roll.operators[ME].peer_id, look.changed) == ("12D", False)
        await world.net.wire("evm_reorg", 1, True)
        await world.net.wire("evm_mine")
        assert ME not in (await asking.look()).roll.operators
        look = await running.look()
        assert (ME in look.roll.operators, look.changed) == (False, True)
        assert not (await running.look()).changed
    finally:
        for each in books:
            await each.close()
