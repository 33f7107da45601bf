"""A case against the contracts themselves: by messages, and the same hearing by force."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from chain.client.court import CourtContract
from chain.client.hearings import Hearings, Stage
from chain.client.judge_registry import JudgeRegistry
from chain.client.token import Token
from chain.court import messages
from chain.court.commitment import Court
from chain.court.filing import Batch, Filing
from chain.court.snapshot import Snapshot
from chain.devchain.accounts import ADDRESSES
from chain.documents import case as cases
from chain.documents import court_epoch as court_epochs
from chain.documents.case import CaseDocument, Commitment, Shown
from chain.ethereum import LocalAccount
from chain.verify.court.onchain import Seat, findings
from chain.verify.finding import Finding, Standing
from chain.verify.finding import lies as lies_of
from chain.verify.report import report
from chain.verify.session import Documents
from tests.chain.court import cases as stage
from tests.chain.court import test_verify_court as judged
from tests.chain.court.cases import Sitting, filing_for, replace, salt_of
from tests.chain.court.stage import COURT, FRAC, PLANS, clerk, said, staked
from tests.chain.documents_of import cid_of
from tests.chain.node import Net, account, deployed, net
from tests.chain.rpc import CHAIN_ID

pytestmark = pytest.mark.slow
JUDGES = range(1, 7)
SITTING = Sitting(seats=3, absent=1)


class World(NamedTuple):
    """A hearing that was filed and has its seed."""

    chain: Net
    court: CourtContract
    registry: JudgeRegistry
    hearings: Hearings
    frac: Token
    stage: stage.Stage
    filing: Filing
    batch: Batch
    lists: Snapshot

    def case(self, *, forced: bool = False) -> CaseDocument:
        cid = cid_of(judged.PLAYED)
        made = stage.case_of(judged.ID, judged.PLAYED, cid, (SITTING,), stage=self.stage)
        return judged.with_hearing(made, forced=True) if forced else made

    async def told(self, documents: Documents) -> list[Finding]:
        seat = Seat(chain_id=CHAIN_ID, court=self.court.address)
        return [each async for each in findings(documents, seat, self.chain.rpc)]

    async def lies(self, documents: Documents) -> list[str]:
        return [each.what for each in lies_of(await self.told(documents))]

    async def later(self, seconds: int) -> None:
        await self.chain.wire("evm_increaseTime", seconds)
        await self.chain.wire("evm_mine")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with net() as chain:
        made = await deployed(chain, tmp_path, PLANS)
        court = CourtContract(chain.rpc, made.address("court"))
        registry = JudgeRegistry(chain.rpc, made.address("judge_registry"))
        frac = Token(chain.rpc, made.address("frac"), "frac")
        for who in JUDGES:
            await staked(chain, registry, frac, who, who * 1_000 * FRAC)
        await clerk(chain, court, frac)
        block = await said(chain, registry.take_snapshot())
        (log,) = await chain.rpc.logs([registry.address], block, block)
        lists = registry.lists(log)
        assert lists is not None
        at = stage.Stage(court=Court(CHAIN_ID, court.address), snapshot=lists, key_of=key_of)
        filing = filing_for(judged.ID, judged.PLAYED, 0, SITTING, at)
        batch = Batch([replace(filing, case=salt_of("another")), filing])
        await said(chain, court.file(batch.root, batch.count, lists.number))
        for _ in range(COURT.seed_blocks + 1):
            await chain.wire("evm_mine")
        await said(chain, court.seed(1))
        filed = cases.Filed(1, 1, [each.hex() for each in batch.proof(1)])
        the_seed = (await court.batch(1)).seed
        at = replace(at, placed=lambda _: (filed, the_seed))
        hearings = Hearings(chain.rpc, made.address("hearings"))
        yield World(chain, court, registry, hearings, frac, at, filing, batch, lists)


def key_of(judge: str) -> LocalAccount:
    return account(ADDRESSES.index(judge))


async def anchor(world: World, epoch: bytes) -> None:
    read = court_epochs.read(epoch)
    roots = bytes.fromhex(read.cases_root), bytes.fromhex(read.earned_root)
    await said(world.chain, world.court.anchor(read.epoch, *roots, read.total_micros))


async def test_a_case_by_messages_holds_against_the_chain(world: World) -> None:
    case = world.case()
    honest = judged.documents(case)
    assert await world.lies(honest) == ["anchored"], "the clerk has not anchored anything yet"
    assert honest.court_epoch is not None
    await anchor(world, honest.court_epoch)
    told = await world.told(honest)
    assert {each.what: each.standing for each in told} == dict.fromkeys(
        ("filed", "seed", "staked", "anchored", "forced"), Standing.TRUE
    ), report(told)
    hearing = case.hearings[0]
    other = judged.with_hearing(case, filed=replace(hearing.filed, batch=2))
    assert "filed" in await world.lies(judged.documents(other))
    other = judged.with_hearing(case, filed=replace(hearing.filed, proof=["00" * 32]))
    assert "filed" in await world.lies(judged.documents(other))
    other = judged.with_filing(case, fee=1)
    assert "filed" in await world.lies(judged.documents(other))
    other = judged.with_hearing(case, seed="00" * 32)
    assert "seed" in await world.lies(judged.documents(other))
    richer = [(*each[:3], "1") for each in case.snapshots[0].judges]
    lists = replace(case.snapshots[0], judges=richer)
    lists = replace(lists, digest=lists.lists().digest().hex())
    other = replace(case, snapshots=[lists])
    assert "staked" in await world.lies(judged.documents(other))
    changed = judged.epoch(replace(case, closed_ms=1))
    assert "anchored" in await world.lies(judged.documents(case, court_epoch=changed))
    assert "forced" in await world.lies(judged.documents(world.case(forced=True)))
    elsewhere = replace(case, court="0x" + "c0" * 20)
    assert await world.lies(judged.documents(elsewhere)) == ["filed"]
    seat = Seat(chain_id=CHAIN_ID, court=None)
    asked = [each async for each in findings(honest, seat, world.chain.rpc)]
    assert {each.standing for each in asked} == {Standing.UNCHECKED}


async def test_a_hearing_by_force_comes_to_the_same(world: World) -> None:
    case = world.case(forced=True)
    hearing = case.hearings[0]
    await force(world, hearing)
    assert await world.hearings.stage(world.filing.case, 0) is Stage.DECIDED
    assert await world.hearings.decided(world.filing.case) == 1
    put, course = await world.hearings.hearing(world.filing.case, 0)
    assert put.verdict == cases.verdict_hash(hearing)
    assert put.totals(2) == hearing.totals_milli
    assert (put.margin, course.stage) == (hearing.margin_milli, Stage.DECIDED)
    honest = judged.documents(case, court_epoch=None)
    told = await world.told(honest)
    assert lies_of(told) == [], report(told)
    assert {each.what for each in told if each.standing is Standing.TRUE} >= {"forced", "filed"}
    mended = judged.off_by_one(case)
    assert await world.lies(judged.documents(mended, court_epoch=None)) == ["forced"]
    paid = judged.of_seat(case, 1, pay_micros=1)
    assert await world.lies(judged.documents(paid, court_epoch=None)) == ["forced"]
    # The arena tells of a hearing of its own: what stands there counts.
    own = judged.off_by_one(world.case())
    late = replace(own, closed_ms=2**45)
    assert "forced" in await world.lies(judged.documents(late, court_epoch=None))
    told = await world.told(judged.documents(replace(own, closed_ms=1), court_epoch=None))
    (forced,) = [each for each in told if each.what == "forced"]
    assert forced.standing is Standing.UNCHECKED
    assert "after the file was closed" in forced.words


async def force(world: World, hearing: cases.Hearing) -> None:
    """By the first account, who has everything that the judges have signed."""
    chain, there, filing = world.chain, world.hearings, world.filing
    await said(chain, world.frac.approve(there.address, COURT.bond))
    await said(chain, there.force(1, filing, world.batch.proof(1)))
    await said(chain, there.draw(filing, world.lists))
    order = [*hearing.panel, *hearing.reserves]
    commits = [each for each in hearing.messages if isinstance(each, Commitment)]
    for commit in commits:
        number = order.index(commit.judge)
        if number < len(hearing.panel):
            await bring(world, number, commit)
    await world.later(2 * COURT.step_s)
    await said(chain, there.call(filing.case, 0))
    for commit in commits:
        number = order.index(commit.judge)
        if number >= len(hearing.panel):
            await bring(world, number, commit)
    for each in hearing.messages:
        if isinstance(each, Shown):
            number = order.index(each.judge)
            digest, salt = bytes.fromhex(each.reasons_digest), bytes.fromhex(each.salt)
            sheet = cases.flat(each.scores_milli)
            call = there.reveal(filing.case, 0, number, sheet, digest, salt)
            await said(chain, call)
            assert (await there.seat(filing.case, 0, number)).revealed
    await said(chain, there.finalize(filing, salt_of("reference", 0)))


async def bring(world: World, number: int, commit: Commitment) -> None:
    message = messages.Commit(
        world.filing.case, 0, bytes.fromhex(commit.commitment), commit.ordinal
    )
    assert commit.sig is not None
    signature = bytes.fromhex(commit.sig[2:])
    await said(world.chain, world.hearings.commit(number, message, signature))
    seat = await world.hearings.seat(world.filing.case, 0, number)
    assert (seat.judge, seat.ordinal, seat.revealed) == (commit.judge, commit.ordinal, False)
