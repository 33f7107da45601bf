"""How much better an answer turned out than was to be expected (grpo). Pure.

Two expectations. A *group* of answers to one question is its own (Shao et al., 2024). A game's positions are
seldom asked twice, and its seats are not worth the same: there the expectation is a running mean of what
each role of each game came to, "role-conditioned advantage" (SPIRAL; Liu et al., 2025). Without it a model
that learns both seats of a game that favours one is told to repeat whatever it did there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

DECAY = 0.95
"""SPIRAL's, a result."""


class Baselines(msgspec.Struct, frozen=True):
    """What each role is expected to come to."""

    values: Mapping[str, float] = {}
    """By role (`role_of`), on the scale of the rewards; 0 before the first result."""
    decay: float = DECAY

    def advantages(
        self, rewards: Sequence[tuple[str, float]]
    ) -> tuple[tuple[float, ...], Baselines]:
        """Of a batch of (role, reward), and the baselines after it.

        Every baseline is read before the batch changes it, so that no reward is measured by itself, and
        the batch counts as its mean, n results at once: the order within a batch changes nothing.
        """
        lead = tuple(reward - self.values.get(role, 0.0) for role, reward in rewards)
        values = dict(self.values)
        for role in dict.fromkeys(role for role, _ in rewards):
            of_role = [reward for each, reward in rewards if each == role]
            kept = self.decay ** len(of_role)
            mean = math.fsum(of_role) / len(of_role)
            values[role] = kept * values.get(role, 0.0) + (1 - kept) * mean
        return lead, Baselines(values, self.decay)


def role_of(space: str, seat: int) -> str:
    """`bid-tac-toe/seat-0`."""
    return f"{space}/seat-{seat}"


def group_relative(rewards: Sequence[float], *, scaled: bool = True) -> tuple[float, ...]:
    """Of answers to one question: how far each lies above their mean, in standard deviations where
    `scaled`; unscaled as in Dr. GRPO (Liu et al., 2025), which does not favour questions on which all
    nearly agree. All 0 where they agree: such a group teaches nothing."""
    if not rewards:
        return ()
    mean = math.fsum(rewards) / len(rewards)
    lead = tuple(reward - mean for reward in rewards)
    if not scaled:
        return lead
    deviation = math.sqrt(math.fsum(each * each for each in lead) / len(lead))
    if deviation < 1e-9:
        return (0.0,) * len(lead)
    return tuple(each / deviation for each in lead)
