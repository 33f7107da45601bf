"""All contracts of an arena, in the order in which they can be deployed, and what is fixed for ever when they are."""

from __future__ import annotations

import msgspec

from chain.client.deployment import Plan
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
    ]
