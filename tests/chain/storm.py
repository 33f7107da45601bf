"""Storms: thousands of random calls by honest and hostile hands, with a model beside the contract (Hypothesis, titanoboa)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import boa
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

SEEN: Counter[str] = Counter()
"""Calls of the storm that runs, by name: `buy`, and `buy!` where it was refused."""


class Storm(RuleBasedStateMachine):
    """A machine on a chain of its own, which is put back afterwards."""

    _chain: Any

    def __init__(self) -> None:
        super().__init__()
        self._chain = boa.env.anchor()
        self._chain.__enter__()

    def teardown(self) -> None:
        try:
            self.at_the_end()
        finally:
            self._chain.__exit__(None, None, None)

    def at_the_end(self) -> None:
        """What must still be possible after all of it."""

    def call(self, contract: Any, name: str, *arguments: Any, sender: str) -> Any:
        """What the contract answers; REFUSED if it reverts, after which the model must not have moved."""
        try:
            answer = getattr(contract, name)(*arguments, sender=sender)
        except boa.BoaError:
            SEEN[name + "!"] += 1
            return REFUSED
        SEEN[name] += 1
        return answer


class Refused:
    def __bool__(self) -> bool:
        raise TypeError("compare with REFUSED: an answer may be false, too")


REFUSED: Any = Refused()


def run(
    machine: type[Storm], *, examples: int, steps: int, always_the_same: bool = False
) -> Counter[str]:
    """How often each call was made, `name!` where it was refused. A failure is the shortest that was found."""
    SEEN.clear()
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            derandomize=always_the_same,
            suppress_health_check=list(HealthCheck),
            phases=(Phase.generate, Phase.shrink),
        ),
    )
    return Counter(SEEN)
