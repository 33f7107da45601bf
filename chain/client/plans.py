"""All contracts of an arena, in the order in which they can be deployed, and what is fixed for ever when they are."""

from __future__ import annotations

import msgspec

from chain.client.court import Terms as CourtTerms
from chain.client.deployment import Plan
from chain.client.judge_registry import Terms as RegistryTerms
from chain.client.operators import Terms

DAY_S = 86_400
FRAC = 10**18

TERMS = Terms(
    min_stake=1_000 * FRAC,
    bond=10 * FRAC,
    unbonding_s=14 * DAY_S,
    answer_s=6 * 3_600,
    answer_blocks=1_000,
    retention_s=90 * DAY_S,
)

REGISTRY_TERMS = RegistryTerms(
    min_stake=10_000 * FRAC, unbonding_s=21 * DAY_S, snapshot_gap_s=3_600
)

COURT_TERMS = CourtTerms(
    seed_blocks=4,
    snapshot_max_s=2 * DAY_S,
    hearing_s=DAY_S,
    anchor_s=5 * DAY_S,
    window_s=DAY_S,
    appeal_s=600,
    step_s=3_600,
    record_s=7 * DAY_S,
    bond=500 * FRAC,
    clerk_bond=100_000 * FRAC,
    max_fee=50_000_000,
    max_lock=5_000 * FRAC,
    no_commit_bps=2_000,
    no_reveal_bps=10_000,
    rolling_floor=-1_000_000,
    rolling_bps=500,
    overturned_bps=10_000,
)
"""From `no_commit_bps` on as in `judges/court/terms.py`. A judge's stake unbonds for longer than all of the times together."""


class ReckonerTerms(msgspec.Struct, frozen=True):
    """As in `judges/court/terms.py`."""

    skill_floor: int = -5_000_000
    skill_top: int = 1_500_000
    outlier_milli: int = 3_500
    outlier_spread: int = 3


class Fixed(msgspec.Struct, frozen=True):
    """What a deployment can never change."""

    treasury: str
    """Gets all FRAC, and the fees of agents' tokens."""
    usdc: str | None = None
    """A USDC that stands; None deploys one for development."""
    withdrawal_delay_s: int = DAY_S
    """Longer than the longest session."""
    refund_after_s: int = 2 * DAY_S
    terms: Terms = TERMS
    registry: RegistryTerms = REGISTRY_TERMS
    reckoner: ReckonerTerms = ReckonerTerms()
    court: CourtTerms = COURT_TERMS


def plans(fixed: Fixed) -> list[Plan]:
    """For `deploy`; none of USDC where one stands."""
    usdc = fixed.usdc
    made = [] if usdc else [Plan("usdc", "usdc_dev")]
    terms = msgspec.structs.astuple(fixed.terms)
    return [
        *made,
        Plan("frac", "frac", lambda _: [fixed.treasury]),
        Plan("agents", "agents"),
        Plan(
            "escrow",
            "escrow",
            lambda at: [usdc or at["usdc"], fixed.withdrawal_delay_s, fixed.refund_after_s],
        ),
        Plan("operators", "operators", lambda at: [at["frac"], terms]),
        Plan("rewards", "rewards", lambda at: [at["frac"]]),
        Plan("fractals", "fractals"),
        Plan("agent_token", "agent_token", blueprint=True),
        Plan(
            "agent_tokens",
            "agent_tokens",
            lambda at: [usdc or at["usdc"], at["agents"], at["agent_token"], fixed.treasury],
        ),
        # In this order: the court binds itself to the registry, and the hearings to the court.
        Plan(
            "judge_registry",
            "judge_registry",
            lambda at: [at["frac"], msgspec.structs.astuple(fixed.registry)],
        ),
        Plan("reckoner", "reckoner", lambda _: [msgspec.structs.astuple(fixed.reckoner)]),
        Plan(
            "court",
            "court",
            lambda at: [
                at["frac"],
                usdc or at["usdc"],
                at["judge_registry"],
                at["reckoner"],
                msgspec.structs.astuple(fixed.court),
            ],
        ),
        Plan("hearings", "hearings", lambda at: [at["court"]]),
    ]
