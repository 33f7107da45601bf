"""What the manifest tells of its steps against what came of them when they were made again. Pure.

On the same device class with the same libraries everything must be the same to the bit. Elsewhere batches must still be (they are whole
numbers), losses may differ a little, and of the weights nothing is said: that is the weaker check, and its lines say so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from chain.verify.finding import Finding, false, line, true, unchecked
from training.documents.training import Step, TrainingManifest
from training.proof.choose import in_words

TOLERANCE_MICROS = 10_000
"""Of a step's loss on another device, absolute: 0.01 nats …"""
TOLERANCE_PER_MILLE = 10
"""… and this much of the loss. Where it is from: docs/proofs.md, "Tolerance"."""
SAME = ("torch", "transformers", "peft", "trl", "bitsandbytes")
"""Libraries whose versions have to be equal for equal bits."""


class Redone(msgspec.Struct, frozen=True):
    """What came of making steps again."""

    steps: Mapping[int, Step]
    start: str
    """The adapter's digest before the first step: from the seed, or the parent's."""
    states: Mapping[int, str] = {}
    """Content ids of the states at checkpoints that were passed, by step."""


def why_weaker(told: TrainingManifest, device: str, code: Mapping[str, str]) -> str:
    """Why bits cannot be asked for here; empty: they can."""
    if told.device != device:
        return f"it was trained on {told.device}, and this is {device}"
    for name in SAME:
        if told.code.get(name) != code.get(name):
            return f"it was trained with {name} {told.code.get(name, '?')}, here is {code.get(name, 'none')}"
    return ""


def findings(told: TrainingManifest, redone: Redone, weaker: str) -> list[Finding]:
    """Start, batches, losses, updates and states of the steps that were made again."""
    return [
        _start(told, redone),
        _batches(told, redone),
        _losses(told, redone, bool(weaker)),
        _updates(told, redone, weaker),
        *_states(told, redone, weaker),
    ]


def _start(told: TrainingManifest, redone: Redone) -> Finding:
    wrong = "" if redone.start == told.start else "another adapter than the manifest began with"
    if told.parent is not None:
        return line("start", wrong, f"the adapter of {told.parent}")
    return line("start", wrong, f"the adapter that seed {told.config['seed']} draws")


def _batches(told: TrainingManifest, redone: Redone) -> Finding:
    wrong = _differing(told, redone, lambda here, there: here.batch == there.batch)
    words = f"of steps {in_words(redone.steps)}: drawn from these examples by the seed"
    return line("batches", _where(wrong, "was made of other token ids than these data give"), words)


def _losses(told: TrainingManifest, redone: Redone, weaker: bool) -> Finding:
    def near(here: Step, there: Step) -> bool:
        return abs(here.loss - there.loss) <= (tolerance(there.loss) if weaker else 0)

    wrong = _differing(told, redone, near)
    steps = in_words(redone.steps)
    if wrong:
        first = wrong[0]
        here, there = redone.steps[first].loss, told.steps[first - 1].loss
        is_, was = in_nats(here), in_nats(there)
        return false("losses", _where(wrong, f"is {is_} here, and {was} in the manifest"))
    if weaker:
        most = max(abs(each.loss - told.steps[at - 1].loss) for at, each in redone.steps.items())
        words = f"of steps {steps}: within {in_nats(most)} of those told; the weaker check"
        return true("losses", words)
    return true("losses", f"of steps {steps}: to the micro-nat")


def _updates(told: TrainingManifest, redone: Redone, weaker: str) -> Finding:
    if weaker:
        words = f"{weaker}: weights agree to the bit only on one device class with the same libraries, so batches and losses alone were compared"
        return unchecked("updates", words)
    wrong = _differing(told, redone, lambda here, there: here.weights == there.weights)
    words = (
        f"of steps {in_words(redone.steps)}: the adapter after each, to the bit, on {told.device}"
    )
    return line("updates", _where(wrong, "leads to another adapter here"), words)


def _states(told: TrainingManifest, redone: Redone, weaker: str) -> list[Finding]:
    passed = {each.step: each.state for each in told.checkpoints if each.step in redone.states}
    if not passed or weaker:
        return []
    wrong = [step for step, state in passed.items() if redone.states[step] != state]
    if wrong:
        words = f"after step {in_words(wrong)} optimiser or random numbers are not those that the manifest names"
        return [false("states", words)]
    words = f"after step {in_words(passed)}: adapter, optimiser and random numbers as pinned"
    return [true("states", words)]


def tolerance(loss_micros: int) -> int:
    """How far a loss may be off on another device, micro-nats."""
    return TOLERANCE_MICROS + abs(loss_micros) * TOLERANCE_PER_MILLE // 1_000


def in_nats(micros: int) -> str:
    sign, rest = ("-" if micros < 0 else ""), abs(micros)
    return f"{sign}{rest // 1_000_000}.{rest % 1_000_000:06d}"


def _differing(
    told: TrainingManifest, redone: Redone, same: Callable[[Step, Step], bool]
) -> list[int]:
    return [at for at, each in redone.steps.items() if not same(each, told.steps[at - 1])]


def _where(wrong: Sequence[int], words: str) -> str:
    """Empty where nothing is wrong."""
    if not wrong:
        return ""
    more = f" (and {len(wrong) - 1} more: {in_words(wrong[1:])})" if len(wrong) > 1 else ""
    return f"step {wrong[0]} {words}{more}"
