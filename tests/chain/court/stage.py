"""The court's contracts deployed on the embedded chain, with judges that have staked."""

from __future__ import annotations

import msgspec

from chain.client.contract import Invocation
from chain.client.court import CourtContract
from chain.client.court import Terms as CourtTerms
from chain.client.deployment import Plan
from chain.client.judge_registry import JudgeRegistry
from chain.client.judge_registry import Terms as RegistryTerms
from chain.client.token import Token
from chain.devchain.accounts import ADDRESSES
from judges.court.terms import TERMS
from tests.chain.node import Net

FRAC = 10**18
HOUR_S = 3_600
REGISTRY = RegistryTerms(min_stake=1_000 * FRAC, unbonding_s=30 * 24 * HOUR_S, snapshot_gap_s=60)
COURT = CourtTerms(
    seed_blocks=2,
    snapshot_max_s=24 * HOUR_S,
    hearing_s=HOUR_S,
    anchor_s=24 * HOUR_S,
    window_s=HOUR_S,
    appeal_s=HOUR_S,
    step_s=HOUR_S,
    record_s=HOUR_S,
    bond=10 * FRAC,
    clerk_bond=100 * FRAC,
    max_fee=1_000_000,
    max_lock=1_000 * FRAC,
    no_commit_bps=TERMS.no_commit_bps,
    no_reveal_bps=TERMS.no_reveal_bps,
    rolling_floor=TERMS.rolling_floor,
    rolling_bps=TERMS.rolling_bps,
    overturned_bps=TERMS.overturned_bps,
)
RECKONER = (TERMS.skill_floor, TERMS.skill_top, TERMS.outlier_milli, TERMS.outlier_spread)
_astuple = msgspec.structs.astuple
PLANS = (
    Plan("usdc", "usdc_dev"),
    Plan("frac", "frac", lambda _: [ADDRESSES[0]]),
    Plan("judge_registry", "judge_registry", lambda at: [at["frac"], _astuple(REGISTRY)]),
    Plan("reckoner", "reckoner", lambda _: [RECKONER]),
    Plan(
        "court",
        "court",
        lambda at: [at["frac"], at["usdc"], at["judge_registry"], at["reckoner"], _astuple(COURT)],
    ),
    Plan("hearings", "hearings", lambda at: [at["court"]]),
)


async def staked(chain: Net, registry: JudgeRegistry, frac: Token, who: int, parts: int) -> None:
    """A judge that answers for itself, of a family of its own."""
    judge = ADDRESSES[who]
    await chain.send(0, *frac.transfer(judge, parts)) if who else None
    await chain.send(who, *frac.approve(registry.address, parts))
    await chain.send(who, *registry.register(judge, f"family-{who}", f"wss://judge-{who}.example"))
    await chain.send(who, *registry.stake(parts))


async def clerk(chain: Net, court: CourtContract, frac: Token) -> None:
    """The first account is the clerk and the guardian, with the bond that it takes."""
    for role in ("clerk", "guardian"):
        await chain.send(0, *court.offer_role(role, ADDRESSES[0]))
        await chain.send(0, *court.take_role(role))
    await chain.send(0, *frac.approve(court.address, COURT.clerk_bond))
    await chain.send(0, *court.bond_clerk(COURT.clerk_bond))


async def said(chain: Net, call: Invocation, who: int = 0) -> int:
    """The block of a call that went through."""
    receipt = await chain.send(who, *call)
    assert receipt["status"] == "0x1"
    return int(receipt["blockNumber"], 16)
