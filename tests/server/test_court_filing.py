"""What the clerk wants heard is filed on the chain, once, whatever is killed; and its seed comes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from chain.client.court import CourtContract
from chain.client.node import Reverted
from chain.court.filing import Filing, case_id, is_filed
from chain.court.seed import words
from judges.court.draw import draw
from server.court.onchain import doings
from server.store import Store
from tests.chain.court.cases import filing_of
from tests.server.court_chain_world import (
    BENCH,
    GAP_S,
    TERMS,
    CourtWorld,
    court_world,
    deploy_into,
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("court")
    asyncio.run(deploy_into(folder))
    return folder


@pytest.fixture
async def world(store: Store, deployment: Path, tmp_path: Path) -> AsyncIterator[CourtWorld]:
    async with court_world(store, deployment, tmp_path) as made:
        yield made


def wanted(number: int, snapshot: int = 1, hearing: int = 0) -> Filing:
    session = f"01J000000000000000000000{number:02d}"
    return filing_of(session, b"played", hearing, 3, snapshot=snapshot)


async def test_from_wanted_to_drawn(world: CourtWorld) -> None:
    assert await world.side.newest() is None
    await world.turn(2)
    pool = await world.side.newest()
    assert pool is not None
    assert [pool.family(each.judge) for each in pool.snapshot.judges] == [
        f"family-{who}" for who in BENCH
    ]
    filings = [wanted(number) for number in range(3)]
    await world.side.file(filings)
    await world.side.file(filings[:2])
    assert await world.side.filed(filings[0].case, 0) is None
    await world.turn(3)
    filed = await world.side.filed(filings[2].case, 0)
    assert filed is not None
    assert filed.seed is None
    batch = await world.court.batch(filed.batch)
    assert is_filed(filings[2], filed.proof, batch.root)
    assert filed.filed_ms == batch.at * 1_000
    await world.mine(TERMS.seed_blocks)
    await world.turn(3)
    filed = await world.side.filed(filings[2].case, 0)
    assert filed is not None
    assert filed.seed == (await world.court.batch(filed.batch)).seed
    assert [step for step, _ in filed.transactions] == ["file", "seed"]
    panel = draw(pool.candidates(), 3, words(filed.seed, filings[2].case, 0))
    assert len(panel.seated) == 3
    assert await world.court.batch_count() == 1, "one batch for all that waited"


async def test_a_process_that_knows_nothing_files_nothing_twice(world: CourtWorld) -> None:
    await world.turn(2)
    for number in range(4):
        await world.side.file([wanted(number)])
        world.begin()
        await world.turn()
        world.begin()
        await world.mine(2)
    await world.turn()
    await world.mine(TERMS.seed_blocks)
    await world.turn(2)
    batches = {(await world.side.filed(wanted(n).case, 0)).batch for n in range(4)}  # type: ignore[union-attr]
    assert await world.court.batch_count() == len(batches)
    for number in range(1, len(batches) + 1):
        assert (await world.court.batch(number)).drawn


async def test_a_batch_whose_seed_nobody_kept_is_lost_and_filed_anew(
    world: CourtWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.turn(2)
    await world.side.file([wanted(0)])
    await world.turn(2)
    await world.mine(TERMS.seed_blocks + 1)
    with monkeypatch.context() as patch:
        patch.setattr(doings, "HASHES", 0)
        patch.setattr(CourtContract, "read", _has_no_hash)
        await world.turn()
    filed = await world.side.filed(wanted(0).case, 0)
    assert filed is not None
    assert filed.lost
    again = msgspec.structs.replace(wanted(0), margin=1)
    await world.side.file([again])
    assert await world.side.filed(wanted(0).case, 0) is None
    await world.turn(2)
    await world.mine(TERMS.seed_blocks)
    await world.turn(3)
    filed = await world.side.filed(wanted(0).case, 0)
    assert filed is not None
    assert (filed.batch, filed.lost) == (2, False)
    assert filed.seed is not None
    assert is_filed(again, filed.proof, (await world.court.batch(2)).root)


async def _has_no_hash(court: CourtContract, function: str, *arguments: Any) -> Any:
    """A node whose chain does not know the hash any more: thousands of blocks have gone by."""
    if function != "seed":
        return await READ(court, function, *arguments)
    raise Reverted("court: the hash of the seed's block is not at hand any more")


READ = CourtContract.read


async def test_snapshots_follow_the_judges_and_none_is_filed_with_that_is_too_old(
    world: CourtWorld,
) -> None:
    await world.turn(2)
    await world.join(7)
    await world.turn(2)
    assert await world.registry.snapshot_count() == 1, "the gap is not over"
    await world.pass_time(GAP_S + 60)
    await world.turn(3)
    assert await world.registry.snapshot_count() == 2
    pool = await world.side.newest()
    assert pool is not None
    assert len(pool.snapshot.judges) == len(BENCH) + 1
    await world.pass_time(TERMS.snapshot_max_s + 60)
    assert await world.side.newest() is None, "nothing can be filed with it"
    await world.side.file([wanted(0, snapshot=2)])
    await world.turn(3)
    filed = await world.side.filed(wanted(0).case, 0)
    assert filed is not None
    assert filed.lost
    pool = await world.side.newest()
    assert pool is not None
    assert pool.snapshot.number == 3, "somebody has asked"


def test_a_case_is_called_as_in_the_escrow() -> None:
    assert case_id("S") == hashlib.sha256(b"S").digest()
