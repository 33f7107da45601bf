"""The points of seasons on the chain: which root is due, and that anybody can claim by it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chain.content import cid
from chain.documents.earnings import read_points
from server.operators.points_roots import GRACE_MS, Due, PointsRoots, due
from server.store import Store, merit, seasons
from server.store.operators import Posted
from server.store.seasons import SeasonRow
from tests.chain.rpc import CHAIN_ID
from tests.server.operators_world import PUBLISHER, OperatorsWorld, asked, operators_world
from tests.server.wallet import Wallet

DAY_MS = 86_400_000
FIRST, SECOND = SeasonRow(1, 0, 10 * DAY_MS), SeasonRow(2, 10 * DAY_MS, None)


def posted(season: int, ordinal: int) -> Posted:
    return Posted(season, ordinal, "", "0", 0, vetoed=False)


def test_a_running_season_has_a_root_a_day() -> None:
    running = [SeasonRow(1, 0, None)]
    assert due(running, None, 0, 5, DAY_MS) == [Due(1, 1, closing=False, empty=False)]
    assert due(running, posted(1, 1), 5, DAY_MS, DAY_MS) == []
    assert due(running, posted(1, 1), 5, 5 + DAY_MS, DAY_MS) == [Due(1, 2, False, False)]
    assert due([], None, 0, 5, DAY_MS) == []


def test_a_season_is_closed_after_a_while_and_before_the_next_begins() -> None:
    both, over = [FIRST, SECOND], 10 * DAY_MS + GRACE_MS
    assert due(both, posted(1, 3), 0, over - 1, DAY_MS) == []
    last, following = due(both, posted(1, 3), 0, over, DAY_MS)
    assert last == Due(1, 4, closing=True, empty=False)
    assert following == Due(2, 1, closing=False, empty=False)


def test_a_season_of_which_nothing_was_posted_gets_a_root_whoever_has_points() -> None:
    over = 10 * DAY_MS + GRACE_MS
    assert due([FIRST, SECOND], None, 0, over, DAY_MS) == [Due(1, 1, closing=True, empty=True)]


@pytest.fixture
async def world(
    store: Store, operators_deployment: Path, tmp_path: Path
) -> AsyncIterator[OperatorsWorld]:
    async with operators_world(store, operators_deployment, tmp_path) as made:
        yield made


async def begin_season(world: OperatorsWorld, number: int, now_ms: int) -> None:
    database = world.store.database
    async with database.writing() as tx:
        if number == 1:
            await seasons.current(database, tx, now_ms)
        else:
            await seasons.begin(database, tx, number - 1, now_ms)


async def grant(world: OperatorsWorld, season: int, wallet: Wallet | None, number: int) -> None:
    """Points, whatever for."""
    store = world.store
    if wallet is None:
        account = (await store.agents.register(f"A{number}"))[0].owner
    else:
        account = (await store.accounts.with_wallet(wallet.address)).account
    row = {"season": season, "account": account, "agent": f"a{number}", "points": number}
    async with store.database.writing() as tx:
        await tx.execute(merit.point_total.insert().values(row))


def roots(world: OperatorsWorld) -> PointsRoots:
    return PointsRoots(
        operators=world.store.operators,
        seasons=world.store.points,
        fractals=world.fractals,
        chain_id=CHAIN_ID,
        acts=world.acts(PUBLISHER),
        content=world.shelf,
        every_ms=DAY_MS,
        clock=world.clock,
    )


async def post(world: OperatorsWorld) -> list[tuple[int, int, str]]:
    """Rounds of processes that are killed after each; what stands on the chain then."""
    for _ in range(2):
        await roots(world).round()
        await world.read()
    assert world.refusals == []
    posted = await world.store.operators.posted("points")
    return [(each.season, each.ordinal, each.total) for each in posted]


@pytest.mark.slow
async def test_points_are_claimed_by_what_the_api_says(world: OperatorsWorld) -> None:
    one, other = Wallet(1), Wallet(2)
    await begin_season(world, 1, 0)
    assert await post(world) == [], "nobody has any points"
    await grant(world, 1, one, 30)
    await grant(world, 1, one, 5)
    await grant(world, 1, other, 7)
    await grant(world, 1, None, 90)
    assert await post(world) == [(1, 1, "42")]
    await grant(world, 1, other, 2)
    assert await post(world) == [(1, 1, "42")], "one a day"
    world.now_ms += DAY_MS
    assert await post(world) == [(1, 1, "42"), (1, 2, "44")]
    world.now_ms += DAY_MS
    assert len(await post(world)) == 2, "nothing is new"

    await begin_season(world, 2, world.now_ms)
    await grant(world, 2, other, 11)
    await grant(world, 1, other, 1)
    assert len(await post(world)) == 2, "it is not over for long enough"
    world.now_ms += GRACE_MS
    assert await post(world) == [(1, 1, "42"), (1, 2, "44"), (1, 3, "45"), (2, 1, "11")]

    claim = await asked(world, f"/v1/seasons/1/points/{other.address.lower()}/proof")
    assert (claim["points"], claim["number"]) == (10, 3)
    nodes = [bytes.fromhex(each[2:]) for each in claim["proof"]]
    call = world.fractals.claim(1, 3, other.address, claim["points"], nodes)
    await world.send(5, *call)
    assert await world.fractals.points(1, other.address) == 10
    document = world.shelf.held[cid.parse(claim["cid"])]
    assert read_points(document)[1].total == 45
    assert (await asked(world, f"/v1/seasons/2/points/{one.address}/proof"))["status"] == 404
    list_ = await asked(world, "/v1/seasons/1/points")
    assert sum(count for _, count in list_["accounts"]) == 45
    missing = await asked(world, f"/v1/seasons/3/points/{one.address}/proof")
    assert missing["code"] == "nothing-posted"
    assert (await asked(world, "/v1/seasons/1/points/me/proof"))["code"] == "unknown-address"


@pytest.mark.slow
async def test_a_season_in_which_nobody_had_points_makes_room_for_the_next(
    world: OperatorsWorld,
) -> None:
    await begin_season(world, 1, 0)
    await begin_season(world, 2, 5)
    await grant(world, 2, Wallet(1), 3)
    assert await post(world) == []
    world.now_ms = 5 + GRACE_MS
    assert await post(world) == [(1, 1, "0"), (2, 1, "3")]
    path = f"/v1/seasons/1/points/{Wallet(1).address}/proof"
    assert (await asked(world, path))["code"] == "nothing-posted"
