"""A case from wanted to paid, on a chain: filed, drawn, committed, revealed, anchored, claimed, and what absence costs."""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from redis.asyncio import Redis

from chain.client.hearings import Stage
from chain.court.commitment import reasons_digest
from chain.documents import court_epoch
from judges.court.reckoning import reckon
from server.court.case import Case
from server.court.docket import question_of
from server.store import Store
from tests.server.court_chain_world import (
    REASONS,
    TERMS,
    CourtWorld,
    court_world,
    deploy_into,
    sheet_of,
)
from tests.server.court_verified import verified
from tests.server.test_api import client_of, problem

pytestmark = pytest.mark.slow

SHEETS = (sheet_of(8_000, 3_000), sheet_of(7_800, 3_100), sheet_of(7_900, 2_800))


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("court")
    asyncio.run(deploy_into(folder))
    return folder


@pytest.fixture
async def world(store: Store, deployment: Path, tmp_path: Path) -> AsyncIterator[CourtWorld]:
    async with court_world(store, deployment, tmp_path) as made:
        yield made


def seated(case: Case) -> list[str]:
    return [each.judge for each in case.last.bench if not each.reserve]


async def judged(world: CourtWorld, session: str, present: int = 3) -> None:
    """The first ones of the panel do their part."""
    case = await world.until_drawn(session)
    for judge, sheet in zip(seated(case)[:present], SHEETS, strict=False):
        await world.commit(session, judge, sheet)


async def closed(world: CourtWorld, session: str) -> Case:
    await world.turn()
    await world.pass_time(1_000)
    await world.turn()
    case = await world.of(session)
    assert case.state == "final"
    return case


async def counted(world: CourtWorld) -> None:
    """An epoch is anchored, and its window is over."""
    await world.turn(3)
    await world.pass_time(TERMS.window_s + 60)
    await world.turn(4)


async def test_a_case_goes_from_wanted_to_anchored_and_claimed(
    world: CourtWorld, redis: Redis
) -> None:
    session = await world.case()
    async with client_of(world.store, redis, clock=world.clock) as api:
        problem(await api.get(f"/v1/court/cases/{session}/epoch"), 404, "not-anchored")
        problem(
            await api.get("/v1/court/cases/01J0000000000000000000BES1/epoch"), 404, "unknown-case"
        )
        problem(await api.get("/v1/court/epochs/latest"), 404, "no-epoch")
        problem(await api.get("/v1/court/epochs/1"), 404, "unknown-epoch")
    await judged(world, session)
    for judge in seated(await world.of(session)):
        await world.reveal(session, judge)
    case = await closed(world, session)
    assert case.last.totals[0] > case.last.totals[1]
    await counted(world)

    row = await world.store.court_epochs.get(1)
    assert row is not None
    epoch = court_epoch.read(row.document)
    anchored = await world.court.epoch(1)
    assert (anchored.cases_root.hex(), anchored.total) == (row.cases_root, row.total_micros)
    assert [line.session for line in epoch.hearings] == [session]
    pays = {each.judge: each.pay for each in case.last.bench if each.pay}
    assert len(pays) == 3
    for judge, pay in pays.items():
        assert await world.court.claimed(judge) == await world.usdc.balance(judge) == pay
    assert await world.store.court_logs.claimed(judge) == pay
    assert row.total_micros == sum(pays.values())
    told = await verified(world, session)
    assert {each.what for each in told.values() if each.standing != "true"} == {"case signature"}
    async with client_of(world.store, redis, clock=world.clock) as api:
        for path in (f"cases/{session}/epoch", "epochs/latest", "epochs/1"):
            given = await api.get(f"/v1/court/{path}")
            assert given.content == row.document, given.text
            tag = {"If-None-Match": given.headers["ETag"]}
            assert (await api.get(f"/v1/court/{path}", headers=tag)).status_code == 304
        document = await api.get(f"/v1/court/cases/{session}/document")
        assert document.content == await world.store.court.document(session)


async def test_whoever_stays_away_loses_by_its_leaf_and_a_reserve_sits(world: CourtWorld) -> None:
    session = await world.case()
    await judged(world, session, present=2)
    await world.pass_time(101)
    await world.turn()
    case = await world.of(session)
    gone = seated(case)[2]
    reserve = next(each.judge for each in case.last.bench if each.reserve)
    await world.commit(session, reserve, SHEETS[2])
    for judge in (*seated(case)[:2], reserve):
        await world.reveal(session, judge)
    case = await closed(world, session)
    before = await world.registry.stake_of(gone)
    await counted(world)
    lock = int(case.terms.lock)
    assert before - await world.registry.stake_of(gone) == lock * TERMS.no_commit_bps // 10_000
    standing = (await world.store.court_logs.standings([gone]))[gone]
    assert standing.bonded == await world.registry.stake_of(gone)
    assert await world.store.court_epochs.undone(9) == [], "everything that it costs was brought"
    told = await verified(world, session)
    assert {told[what].standing for what in ("standings", "judges' pay", "anchored")} == {"true"}


async def test_a_forced_hearing_has_all_that_was_sent_and_its_verdict_is_the_cases(
    world: CourtWorld,
) -> None:
    session = await world.case()
    await judged(world, session)
    case = await world.of(session)
    panel = seated(case)
    for judge in panel[:2]:
        await world.reveal(session, judge)
    await world.force(case)
    await world.turn(6)
    case = await world.of(session)
    assert case.last.state == "forced"
    course = (await world.hearings.hearing(case.id, 0))[1]
    assert (course.stage, course.committed, course.revealed) == (Stage.REVEALING, 3, 2)

    last = world.judges[panel[2]]
    shown, salt = last.opening(case.id, 0)
    del shown
    digest = reasons_digest(REASONS)
    sheet = last.sheets[case.id, 0]
    await world.send(9, world.hearings.reveal(case.id, 0, 2, sheet, digest, salt))
    await world.turn(3)
    case = await world.of(session)
    assert (case.last.state, case.last.forced) == ("decided", True)
    assert case.last.totals[0] > case.last.totals[1]
    assert [each.state for each in case.last.bench[:3]] == ["revealed"] * 3
    reasons = {each.judge: each.reasons for each in case.last.shown()}
    assert reasons == {panel[0]: REASONS, panel[1]: REASONS, panel[2]: None}
    found = reckon(question_of(case.last), case.last.sheets())
    assert tuple(each.pay for each in case.last.bench[:3]) == tuple(s.pay for s in found.seats)
    case = await closed(world, session)
    await counted(world)
    assert await world.court.epoch_count() == 0, "its leaves would be refused"
    await world.send(9, world.court.claim(0, panel[0], 0, []))
    assert await world.usdc.balance(panel[0]) == case.last.bench[0].pay
    told = await verified(world, session)
    assert {told[what].standing for what in ("reveals", "forced", "verdict")} == {"true"}


async def test_a_forced_hearing_to_which_nobody_comes_has_failed_and_is_heard_anew(
    world: CourtWorld,
) -> None:
    session = await world.case()
    case = await world.until_drawn(session)
    await world.force(case)
    await world.turn(4)
    for _ in range(8):  # what a turn has sent is in a block by the next one, or the one after
        await world.pass_time(TERMS.step_s + 1)
        await world.turn(3)
        case = await world.of(session)
        if len(case.hearings) == 2:
            break
    first = case.hearings[0]
    assert (first.state, first.forced) == ("failed", True)
    absent = [each for each in first.bench if each.state in ("absent", "replaced")]
    assert len(absent) == 4
    assert {int(each.slash) for each in absent} == {
        int(case.terms.lock) * TERMS.no_commit_bps // 10_000
    }
    assert len(case.hearings) == 2, "another panel is drawn"


async def test_killed_anywhere_the_next_one_goes_on_and_nothing_is_done_twice(
    world: CourtWorld,
) -> None:
    rng = random.Random(6)
    sessions = [await world.case(), await world.case()]
    for _ in range(200):
        await torn(world, rng)
        await world.pass_time(rng.choice((1, 40)))
        for session in sessions:
            await do_their_part(world, await world.of(session))
        if await world.court.epoch_count():
            break
    assert await world.court.epoch_count() == 1
    world.begin()
    for _ in range(2):  # the other case may have missed the first epoch
        await world.pass_time(1_000)
        for session in sessions:
            await do_their_part(world, await world.of(session))
        await counted(world)
    cases = [await world.of(session) for session in sessions]
    assert [case.state for case in cases] == ["final"] * 2
    epochs = await world.court.epoch_count()
    await world.turn(3)
    assert await world.court.epoch_count() == epochs, "an epoch holds what no other holds"
    anchored = []
    for number in range(1, epochs + 1):
        row = await world.store.court_epochs.get(number)
        assert row is not None
        assert (await world.court.epoch(number)).cases_root.hex() == row.cases_root
        anchored += [each.session for each in court_epoch.read(row.document).hearings]
    assert sorted(anchored) == sorted(sessions)
    batches = await world.court.batch_count()
    assert batches == len({case.last.filed.batch for case in cases if case.last.filed})
    paid: dict[str, int] = {}
    for case in cases:
        for each in case.last.bench:
            paid[each.judge] = paid.get(each.judge, 0) + each.pay
    for judge, pay in paid.items():
        assert await world.usdc.balance(judge) == max(0, pay)


async def torn(world: CourtWorld, rng: random.Random) -> None:
    """A process that knows nothing begins, does some of its work, the last of it until it is cut off, and is gone."""
    world.begin()
    works: list[Callable[[], Awaitable[object]]] = [world.writer.round, world.clerk.round]
    works += [functools.partial(each.work, 60.0) for each in world.rounds.rounds]
    for work in rng.choices(works, k=5):
        await work()
    task = asyncio.ensure_future(rng.choice(works)())
    await asyncio.wait([task], timeout=rng.random() * 0.1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def do_their_part(world: CourtWorld, case: Case) -> None:
    """Whoever sits, and has not yet."""
    for judge, sheet in zip(seated(case), SHEETS, strict=True) if case.last.bench else ():
        chair = next(each for each in case.last.bench if each.judge == judge)
        if case.last.state == "committing" and chair.state == "drawn":
            await world.commit(case.session, judge, sheet)
        elif case.last.state == "revealing" and chair.state == "committed":
            await world.reveal(case.session, judge)


async def test_a_reorganised_filing_has_another_seed_and_its_panel_is_drawn_again(
    world: CourtWorld,
) -> None:
    session = await world.case()
    await world.turn(2)
    before = await world.chain.wire("evm_snapshot")
    case = await world.until_drawn(session)
    seed = case.last.seed
    await world.chain.wire("evm_revert", before)
    await world.mine(30)
    for _ in range(8):
        await world.turn()
        await world.mine(2)
    case = await world.of(session)
    assert case.last.state == "committing"
    assert case.last.filed is not None
    assert case.last.seed not in (None, seed)
    batch = await world.court.batch(case.last.filed.batch)
    assert batch.seed.hex() == case.last.seed
    assert await world.court.batch_count() == 1
    for judge, sheet in zip(seated(case), SHEETS, strict=True):
        await world.commit(session, judge, sheet)


async def test_what_is_forced_after_it_was_anchored_is_paid_once(world: CourtWorld) -> None:
    first = await world.case()
    await judged(world, first)
    case = await world.of(first)
    for judge in seated(case):
        await world.reveal(first, judge)
    case = await closed(world, first)
    await counted(world)
    await world.force(case)
    second = await world.case()
    await judged(world, second)
    for judge in seated(await world.of(second)):
        await world.reveal(second, judge)
    await closed(world, second)
    await world.turn(3)
    row = await world.store.court_epochs.get(2)
    assert row is not None
    epoch = court_epoch.read(row.document)
    assert [(each.session, each.hearing, each.epoch) for each in epoch.taken_back] == [
        (first, 0, 1)
    ]
    other = await world.of(second)
    for account in epoch.accounts:
        pays = [each.pay for each in other.last.bench if each.judge.lower() == account.judge]
        assert account.balance == sum(pays), "of the first hearing nothing is left"
    assert await world.store.court_epochs.to_be_taken_back(9) == []
