"""What a judge does by hand besides staking: says what it judges by and who answers for it, answers for another, claims its pay. One
command each."""

from __future__ import annotations

import msgspec

from chain.client.contract import Invocation
from chain.court.anchor import EarnedLeaf
from chain.documents.court_epoch import CourtEpoch, earned_tree
from chain.wallet.hands import Hands
from chain.wallet.refusals import FlowRefused
from chain.wallet.sent import Done
from chain.wallet.words import due

MAX_ENDPOINT = 128


class Registered(msgspec.Struct, frozen=True):
    judge: str
    operator: str
    family: str
    endpoint: str
    accepted: bool
    """Its operator has; else it is in no snapshot yet."""
    tx: Done


class Accepted(msgspec.Struct, frozen=True):
    judge: str
    operator: str
    tx: Done


class Paid(msgspec.Struct, frozen=True):
    judge: str
    amount: int
    """Micro-USDC; 0 where an earlier run had sent it."""
    claimed: int
    """In all, afterwards."""
    balance: int
    """USDC of the judge's wallet, afterwards."""
    tx: Done


async def register(hands: Hands, operator: str, family: str, endpoint: str) -> Registered:
    """Raises FlowRefused, NoContract, OSError."""
    registry = hands.contracts.judge_registry
    done = await hands.sender.earlier()
    if done is None:
        try:
            call = registry.register(operator, family, endpoint)
        except ValueError as error:
            raise FlowRefused(str(error)) from None
        done = await hands.sender.send("registration", call)
    standing = await registry.judge(hands.address)
    return Registered(
        hands.address, standing.operator, standing.family_name, endpoint, standing.accepted, done
    )


async def accept(hands: Hands, judge: str) -> Accepted:
    """By the operator that the judge has named. Raises FlowRefused, NoContract, OSError."""
    registry = hands.contracts.judge_registry
    done = await hands.sender.earlier()
    if done is None:
        standing = await registry.judge(judge)
        if standing.operator.lower() != hands.address.lower():
            named = standing.operator if standing.registered else "nobody: it is not registered"
            raise FlowRefused(f"{judge} has named {named} as its operator, not {hands.address}")
        if standing.accepted:
            raise FlowRefused(f"{hands.address} answers for {judge} already")
        done = await hands.sender.send("acceptance", registry.accept(judge))
    return Accepted(judge, hands.address, done)


async def claim(hands: Hands, judge: str, found: CourtEpoch) -> Paid:
    """What `judge` has earned by an epoch's list, to its wallet; whoever pays the gas. Raises FlowRefused, NoContract, OSError."""
    court = hands.contracts.court
    amount, done = 0, await hands.sender.earlier()
    if done is None:
        cumulative = await _earned(hands, judge, found)
        amount = cumulative + await court.forced_pay(judge) - await court.claimed(judge)
        if amount <= 0:
            raise FlowRefused("everything that was earned and anchored is claimed already")
        tree = earned_tree(found.accounts)
        assert tree is not None, "the judge has earned something"
        proof = tree.proof(EarnedLeaf(judge, cumulative))
        invocation = court.claim(found.epoch, judge, cumulative, proof)
        await _check_counts(hands, found.epoch, invocation)
        done = await hands.sender.send("claim of the court's pay", invocation)
    usdc = await hands.contracts.usdc()
    return Paid(judge, amount, await court.claimed(judge), await usdc.balance(judge), done)


async def _earned(hands: Hands, judge: str, found: CourtEpoch) -> int:
    """By a list that is the one on the chain. Raises FlowRefused."""
    court, contracts = hands.contracts.court, hands.contracts
    if (found.chain_id, found.court.lower()) != (contracts.chain_id, court.address.lower()):
        raise FlowRefused(
            f"the list is of the court {found.court} on chain {found.chain_id}, not of {court.address} on chain {contracts.chain_id}"
        )
    if found.epoch > await court.epoch_count():
        raise FlowRefused(f"epoch {found.epoch} of the court is not anchored, or was vetoed")
    anchored = await court.epoch(found.epoch)
    if anchored.earned_root.hex() != found.earned_root:
        raise FlowRefused(f"the list is not what was anchored for epoch {found.epoch}")
    earned = {each.judge.lower(): each.earned for each in found.accounts}
    if not earned.get(judge.lower()):
        raise FlowRefused(f"{judge} has earned nothing by epoch {found.epoch}")
    return earned[judge.lower()]


async def _check_counts(hands: Hands, epoch: int, claim: Invocation) -> None:
    court = hands.contracts.court
    counts_at = (await court.epoch(epoch)).at + (await court.terms()).window_s
    now_s = await hands.now_s()
    # The newest block may be older than now: whether it is time is for the next one to say.
    if counts_at > now_s and not await hands.sender.would(claim):
        raise FlowRefused(
            f"epoch {epoch} can be vetoed still; it can be claimed {due(counts_at, now_s)}"
        )
