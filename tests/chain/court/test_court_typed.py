"""The court's typed calls and this side's layouts, on contracts that are deployed: both say the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest

from chain.client.court import Batch, CourtContract, Heard
from chain.client.deployment import Manifest
from chain.client.judge_registry import JudgeRegistry
from chain.client.node import Reverted
from chain.client.token import Token
from chain.court import anchor, filing, messages, seed
from chain.court.commitment import Court
from chain.court.messages import Commit
from chain.devchain.accounts import ADDRESSES
from tests.chain.court.cases import filing_of, replace
from tests.chain.court.stage import COURT, FRAC, PLANS, REGISTRY, clerk, said, staked
from tests.chain.node import Net, account, deployed, net
from tests.chain.rpc import CHAIN_ID

SESSION, OTHER = "01JD0000000000000000000001", "01JD0000000000000000000002"
STAKE = 2_000 * FRAC


class World(NamedTuple):
    chain: Net
    made: Manifest
    court: CourtContract
    registry: JudgeRegistry
    frac: Token

    async def later(self, seconds: int) -> None:
        await self.chain.wire("evm_increaseTime", seconds)
        await self.chain.wire("evm_mine")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with net() as chain:
        made = await deployed(chain, tmp_path, PLANS)
        court = CourtContract(chain.rpc, made.address("court"))
        registry = JudgeRegistry(chain.rpc, made.address("judge_registry"))
        yield World(chain, made, court, registry, Token(chain.rpc, made.address("frac"), "frac"))


async def test_judges(world: World) -> None:
    chain, registry = world.chain, world.registry
    assert await registry.terms() == REGISTRY
    assert await registry.court() == world.court.address
    assert not (await registry.judge(ADDRESSES[1])).registered
    for who, times in ((1, 1), (2, 2)):
        await staked(chain, registry, world.frac, who, times * STAKE)
    standing = await registry.judge(ADDRESSES[2])
    assert (standing.operator, standing.accepted, standing.place) == (ADDRESSES[2], True, 2)
    assert (standing.family_name, standing.bonded) == ("family-2", 2 * STAKE)
    assert await registry.endpoint(ADDRESSES[2]) == "wss://judge-2.example"
    assert (await registry.place(2), await registry.place_count()) == (ADDRESSES[2], 2)
    block = await said(chain, registry.take_snapshot())
    (log,) = await chain.rpc.logs([registry.address], block, block)
    lists = registry.lists(log)
    assert lists is not None
    assert [each.judge for each in lists.judges] == [ADDRESSES[1], ADDRESSES[2]]
    assert [each.weight for each in lists.judges] == [STAKE, 2 * STAKE]
    kept = await registry.kept(await registry.snapshot_count())
    assert (kept.digest, kept.block, kept.judges) == (lists.digest(), block, 2)
    await chain.send(1, *registry.unbond(STAKE))
    assert (await registry.judge(ADDRESSES[1])).unbonding == STAKE
    assert await registry.stake_of(ADDRESSES[1]) == STAKE
    with pytest.raises(Reverted, match="unbonding time is not over"):
        await chain.send(1, *registry.release(ADDRESSES[1]))
    await chain.send(2, *registry.disown(ADDRESSES[2]))
    assert not (await registry.judge(ADDRESSES[2])).accepted
    await chain.send(2, *registry.accept(ADDRESSES[2]))
    with pytest.raises(Reverted, match="judge_registry: "):
        await chain.send(1, *registry.displace(ADDRESSES[1], ADDRESSES[2]))


async def filed(world: World) -> tuple[filing.Batch, list[filing.Filing], int]:
    """Two hearings in a batch that has its seed."""
    for who in (1, 2):
        await staked(world.chain, world.registry, world.frac, who, STAKE)
    await clerk(world.chain, world.court, world.frac)
    await said(world.chain, world.registry.take_snapshot())
    snapshot = await world.registry.snapshot_count()
    filings = [
        filing_of(session, b"transcript", 0, 5, snapshot=snapshot) for session in (SESSION, OTHER)
    ]
    made = filing.Batch(filings)
    block = await said(world.chain, world.court.file(made.root, made.count, snapshot))
    for _ in range(COURT.seed_blocks + 1):
        await world.chain.wire("evm_mine")
    await said(world.chain, world.court.seed(1))
    return made, filings, block


@pytest.mark.slow
async def test_filings_and_their_seed(world: World) -> None:
    made, filings, block = await filed(world)
    court = world.court
    assert await court.terms() == COURT
    assert (await court.registry(), await court.hearings()) == (
        world.registry.address,
        world.made.address("hearings"),
    )
    assert (await court.batch_count(), await court.clerk_bond()) == (1, COURT.clerk_bond)
    batch = await court.batch(1)
    head = await world.chain.rpc.block(block + COURT.seed_blocks)
    assert head is not None
    drawn = seed.seed_of(bytes.fromhex(head.hash.removeprefix("0x")), 1)
    assert batch == Batch(made.root, drawn, 1, block, batch.at, made=False)
    assert batch.drawn
    assert await court.batch(2) == Batch(bytes(32), bytes(32), 0, 0, 0, made=False)
    for at, each in enumerate(filings):
        scores = await court.read("check_filed", 1, each.words(), made.proof(at))
        assert scores == each.size
        with pytest.raises(Reverted, match="court: "):
            await court.read("check_filed", 1, replace(each, fee=1).words(), made.proof(at))
    with pytest.raises(Reverted, match="court: that is one filing"):
        await world.chain.rpc.call(
            *court.prove_two_filings(1, filings[0], made.proof(0), 1, filings[0], made.proof(0))
        )


async def test_a_double_commitment_costs_everything(world: World) -> None:
    await staked(world.chain, world.registry, world.frac, 1, STAKE)
    at = Court(CHAIN_ID, world.court.address)
    case = filing.case_id(SESSION)
    first, second = Commit(case, 0, b"\x01" * 32, 4), Commit(case, 0, b"\x02" * 32, 4)
    signatures = [messages.sign(account(1), at, each) for each in (first, second)]
    call = world.court.prove_double(first, signatures[0], second, signatures[1])
    other = world.court.prove_double(first, signatures[0], first, signatures[0])
    with pytest.raises(Reverted, match="court: that is one commitment"):
        await world.chain.rpc.call(*other)
    await said(world.chain, call)
    assert await world.registry.stake_of(ADDRESSES[1]) == 0
    standing = await world.registry.judge(ADDRESSES[1])
    assert standing.jailed_until == 2**256 - 1


@pytest.mark.slow
async def test_epochs_pay_and_slashes(world: World) -> None:
    made, filings, _ = await filed(world)
    court, chain = world.court, world.chain
    usdc = Token(chain.rpc, world.made.address("usdc"))
    await chain.send(0, *usdc.mint(ADDRESSES[0], 10_000))
    await chain.send(0, *usdc.approve(court.address, 10_000))
    await chain.send(0, *court.fund(10_000))
    case = filings[0].case
    verdict = anchor.verdict_hash([1] * 8, [1, 1], 0, anchor.inputs_hash([], []))
    seats = [
        anchor.SeatLeaf(case, 0, ADDRESSES[1], 0, 1_000_000, 700, 0),
        anchor.SeatLeaf(case, 0, ADDRESSES[2], anchor.NO_ORDINAL, 0, 0, FRAC // 5),
    ]
    cases = anchor.AnchorTree([anchor.CaseLeaf(case, 0, verdict, b"\x11" * 32), *seats])
    earned = anchor.EarnedLeaf(ADDRESSES[1], 700)
    paid = anchor.AnchorTree([earned])
    await said(chain, court.anchor(1, cases.root, paid.root, 700))
    epoch = await court.epoch(await court.epoch_count())
    assert (epoch.cases_root, epoch.earned_root, epoch.total) == (cases.root, paid.root, 700)
    heard = Heard(1, filings[0], made.proof(0), 1, seats[1], cases.proof(seats[1]))
    await world.later(2 * COURT.window_s)
    await said(chain, court.claim(1, ADDRESSES[1], 700, paid.proof(earned)))
    assert await court.claimed(ADDRESSES[1]) == 700 == await usdc.balance(ADDRESSES[1])
    assert (await court.funded(), await court.forced_total()) == (10_000, 0)
    assert await court.forced_pay(ADDRESSES[1]) == 0 == await court.rolled(ADDRESSES[1])
    assert not await court.slashed(b"\x01" * 32)
    with pytest.raises(Reverted, match="court: a row has 20 hearings"):
        await chain.rpc.call(*court.slash_rolling([heard] * 3))
    assert court.abi.arguments("slash", 1, court.slash(heard).data)[0][4][0] == ADDRESSES[2]
    with pytest.raises(Reverted, match="court: that epoch is not waiting"):
        await chain.send(0, *court.veto(1))
