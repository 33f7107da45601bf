"""Winnings, rewards and points: claimed by lists that are believed only when the chain has their roots."""

from __future__ import annotations

import msgspec
import pytest

from chain.client.plans import FRAC
from chain.devchain.accounts import ADDRESSES
from chain.documents import earnings as documents
from chain.documents import payouts
from chain.documents.form import DocumentError, encode
from chain.documents.payouts import PayoutProof
from chain.ethereum import Account
from chain.payout_tree import PayoutTree
from chain.wallet import earnings
from chain.wallet.holdings import look
from chain.wallet.payouts import claim, claimable
from chain.wallet.refusals import FlowRefused
from tests.chain.rpc import CHAIN_ID
from tests.chain.wallet.stage import DOLLAR, Stage

OTHER = ADDRESSES[5]


def proof(stage: Stage, found: tuple[payouts.PayoutsDocument, PayoutTree]) -> PayoutProof:
    return payouts.proof_of(*found, stage.owner.address)


async def test_winnings_are_claimed_by_a_list_or_by_a_proof(stage: Stage) -> None:
    owner = stage.owner.address
    first = await stage.close_epoch({owner: 7 * DOLLAR, OTHER: DOLLAR})
    assert await claimable(stage.contracts, owner, first) == 7 * DOLLAR
    assert (await look(stage.contracts, owner, first)).claimable == 7 * DOLLAR
    done = await claim(stage.hands("claim"), owner, first)
    assert (done.micros, done.escrow_micros) == (7 * DOLLAR, 7 * DOLLAR)
    stage.journal.clear()
    with pytest.raises(FlowRefused, match="everything that was won and published is claimed"):
        await claim(stage.hands("claim"), owner, first)
    second = await stage.close_epoch({owner: 2 * DOLLAR})
    again = await claim(stage.hands("claim"), owner, proof(stage, second))
    assert (again.micros, again.escrow_micros) == (2 * DOLLAR, 9 * DOLLAR)
    stage.journal.clear()
    for_another = await claim(stage.hands("claim for another"), OTHER, second)
    assert (for_another.account, for_another.escrow_micros) == (OTHER, DOLLAR)


async def test_a_stale_list_is_told_from_a_false_one(stage: Stage) -> None:
    owner = stage.owner.address
    old = await stage.close_epoch({owner: 7 * DOLLAR, OTHER: DOLLAR})
    await stage.close_epoch({OTHER: DOLLAR})
    stale = r"of epoch 1, and the escrow has closed epoch 2 since: get the newer one"
    with pytest.raises(FlowRefused, match=f"the list of pay-outs is {stale}"):
        await claim(stage.hands("claim"), owner, old)
    with pytest.raises(FlowRefused, match=f"the arena's proof is {stale}"):
        await claim(stage.hands("claim"), owner, proof(stage, old))
    assert "epoch 2 since" in (await look(stage.contracts, owner, old)).unclaimable
    escrow = stage.contracts.escrow.address
    early = payouts.build(3, CHAIN_ID, escrow, {owner: 70 * DOLLAR})
    with pytest.raises(FlowRefused, match="epoch 3, which is not on the chain yet"):
        await claim(stage.hands("claim"), owner, early)
    false = payouts.build(2, CHAIN_ID, escrow, {owner: 70 * DOLLAR})
    with pytest.raises(FlowRefused, match="whoever gave it to you, it is wrong"):
        await claim(stage.hands("claim"), owner, false)
    lie = msgspec.structs.replace(proof(stage, false), proof=["0x" + "11" * 32])
    with pytest.raises(FlowRefused, match="it is wrong"):
        await claim(stage.hands("claim"), owner, lie)
    assert stage.journal.written == 0


async def test_lists_of_others_are_refused(stage: Stage) -> None:
    owner = stage.owner.address
    found = await stage.close_epoch({OTHER: DOLLAR})
    with pytest.raises(FlowRefused, match="nothing was ever won by 0x"):
        await claim(stage.hands("claim"), owner, found)
    assert await claimable(stage.contracts, owner, found) == 0
    others = payouts.proof_of(*found, OTHER)
    with pytest.raises(FlowRefused, match=f"is the proof of {OTHER}"):
        await claim(stage.hands("claim"), owner, others)
    elsewhere = payouts.build(1, 8_453, stage.contracts.escrow.address, {owner: DOLLAR})
    with pytest.raises(FlowRefused, match="on chain 8453, not of"):
        await claim(stage.hands("claim"), owner, elsewhere)
    another = payouts.build(1, CHAIN_ID, ADDRESSES[9], {owner: DOLLAR})
    with pytest.raises(FlowRefused, match="the list is of the escrow"):
        await claim(stage.hands("claim"), owner, another)


async def test_an_epoch_that_closes_meanwhile_costs_no_gas(stage: Stage) -> None:
    found = await stage.close_epoch({stage.owner.address: DOLLAR})
    leaf = proof(stage, found)
    await stage.close_epoch({OTHER: DOLLAR})
    escrow = stage.contracts.escrow
    late = escrow.claim(leaf.account, leaf.cumulative_micros, leaf.nodes)
    with pytest.raises(FlowRefused, match="an epoch was closed meanwhile"):
        await stage.hands("claim").sender.send("claim", late)


async def test_rewards_are_claimed_when_they_count(stage: Stage) -> None:
    owner, contracts = stage.owner.address, stage.contracts
    await stage.be(contracts.rewards, "publisher")
    frac = contracts.frac
    await stage.chain.send(0, *frac.approve(contracts.rewards.address, 100 * FRAC))
    await stage.chain.send(0, *contracts.rewards.fund(100 * FRAC))
    made = documents.build_rewards(
        1, CHAIN_ID, contracts.rewards.address, {owner: 40 * FRAC + 1, OTHER: FRAC}
    )
    found = documents.read_rewards(encode(made[0]))
    with pytest.raises(FlowRefused, match="is not posted, or was vetoed"):
        await earnings.claim_rewards(stage.hands("claim frac"), owner, found)
    await stage.chain.send(0, *contracts.rewards.post(1, found[1].root, found[1].total))
    with pytest.raises(FlowRefused, match=r"can be vetoed still; it can be claimed 20.*UTC"):
        await earnings.claim_rewards(stage.hands("claim frac"), owner, found)
    await stage.pass_time(86_400 + 60)
    false = documents.build_rewards(1, CHAIN_ID, contracts.rewards.address, {owner: 50 * FRAC})
    with pytest.raises(FlowRefused, match="not what was posted for epoch 1"):
        await earnings.claim_rewards(stage.hands("claim frac"), owner, false)
    elsewhere = documents.build_rewards(1, 1, contracts.rewards.address, {owner: FRAC})
    with pytest.raises(FlowRefused, match="on chain 1, not of"):
        await earnings.claim_rewards(stage.hands("claim frac"), owner, elsewhere)
    done = await earnings.claim_rewards(stage.hands("claim frac"), owner, found)
    assert (done.amount, done.balance) == (40 * FRAC + 1, 40 * FRAC + 1)
    stage.journal.clear()
    with pytest.raises(FlowRefused, match="claimed already"):
        await earnings.claim_rewards(stage.hands("claim frac"), owner, found)
    nobody = Account.from_key(b"\x44" * 32).address
    with pytest.raises(FlowRefused, match="has earned nothing by epoch 1"):
        await earnings.claim_rewards(stage.hands("claim frac"), nobody, found)


async def test_points_are_claimed(stage: Stage) -> None:
    owner, contracts = stage.owner.address, stage.contracts
    fractals = contracts.fractals
    await stage.be(fractals, "publisher")
    made = documents.build_points(1, 1, CHAIN_ID, fractals.address, {owner: 120, OTHER: 5})
    found = documents.read_points(encode(made[0]))
    with pytest.raises(FlowRefused, match="root 1 of season 1 is not posted yet"):
        await earnings.claim_points(stage.hands("claim points"), owner, found)
    await stage.chain.send(0, *fractals.post(1, 1, found[1].root, found[1].total))
    done = await earnings.claim_points(stage.hands("claim points"), owner, found)
    assert (done.amount, done.balance) == (120, 120)
    stage.journal.clear()
    assert (await look(contracts, owner, "none")).points == 120
    with pytest.raises(FlowRefused, match="claimed already"):
        await earnings.claim_points(stage.hands("claim points"), owner, found)
    false = documents.build_points(1, 1, CHAIN_ID, fractals.address, {owner: 500})
    with pytest.raises(FlowRefused, match="not what was posted as root 1 of season 1"):
        await earnings.claim_points(stage.hands("claim points"), owner, false)


def test_lists_of_earnings_that_were_changed_are_refused() -> None:
    rewards, _ = documents.build_rewards(
        1, 1, ADDRESSES[0], {ADDRESSES[1]: 5, ADDRESSES[2]: 10**26}
    )
    assert documents.read_rewards(encode(rewards))[0] == rewards
    points, _ = documents.build_points(2, 1, 1, ADDRESSES[0], {ADDRESSES[1]: 5, ADDRESSES[2]: 7})
    assert documents.read_points(encode(points))[0] == points
    for document, read in ((rewards, documents.read_rewards), (points, documents.read_points)):
        backwards = msgspec.structs.replace(document, accounts=document.accounts[::-1])
        with pytest.raises(DocumentError, match="not in order"):
            read(encode(backwards))
        less = msgspec.structs.replace(document, accounts=document.accounts[:1])
        with pytest.raises(DocumentError, match="root is"):
            read(encode(less))
        with pytest.raises(DocumentError):
            read(b"{}")
