"""Was this adapter trained as it says? A line for every fact, in the order in which one rests on the other.

First what is shown (`shown`), for which nobody needs torch; then the examples are built again from the transcripts, the base is held
against the one at hand, and chosen steps are made again (`again`, `compare`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from chain.documents import form
from chain.verify.finding import Finding, Standing, false, line, true, unchecked
from training import extra
from training.adapters import package, shapes
from training.adapters.package import BadAdapter
from training.chat import Tokenizer
from training.data.build import DataError, build, sha256_of
from training.documents.adapter import AdapterCard
from training.documents.training import TrainingManifest
from training.model import base as bases
from training.model.base import Base, MissingModel
from training.proof import choose, compare, device, manifest, shown, state
from training.proof.prove import code, content_id
from training.proof.shown import Away, Fetch, NotThere, Training
from training.recipes.files import KINDS
from training.serving.backend import CONFIG, WEIGHTS
from training.tensors import NotTensors
from training.trajectory.returns import Verdict
from training.trajectory.turn import PlainQuestions, Questions


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be verified, and by what."""

    card: bytes
    """`agon-adapter/1`."""
    cid: str | None = None
    """Of the card, from wherever the caller has it."""
    fetch: Fetch
    work: Path
    """An empty folder; what is in it afterwards may be thrown away."""
    systems: Sequence[str] = ()
    """System prompts that it may have been trained with: the public ones, and the owner's, if he has told it."""
    steps: str = ""
    """`1,25,30-34` or `all`; empty: `choose.by_default`."""
    questions: Mapping[str, Questions] = {}
    """By name, besides `plain`."""
    verdict: Callable[[bytes, bytes], Verdict | None] = lambda transcript, result: None
    """Of a transcript and its result: what judges found; None where rules decided."""
    base: Callable[[str], Base] = bases.find
    told: Callable[[int, int], None] | None = None
    """Hears how many steps were made again, and of how many."""


def findings(asked: Asked) -> Iterator[Finding]:
    """Each line when it is known. Raises choose.BadSteps for steps that the training does not have."""
    training = Training()
    yield from shown.findings(asked.card, asked.cid, asked.fetch, training)
    told = training.manifest
    if told is None:
        yield unchecked("steps", "no manifest that says how it was trained")
        return
    steps = _chosen(asked, told)
    try:
        extra.demand()
    except extra.MissingExtra as error:
        yield unchecked("steps", f"to make them again: {error}")
        return
    yield from _made_again(asked, training, told, steps)


def was_made_again(found: Sequence[Finding]) -> bool:
    """Whether any step of it was: without that a training is told of, and not proved."""
    return any(each.what == "batches" and each.standing is Standing.TRUE for each in found)


def _chosen(asked: Asked, told: TrainingManifest) -> tuple[int, ...]:
    total = len(told.steps)
    if asked.steps:
        return choose.named(asked.steps, total)
    card = asked.cid or manifest.cid_of(asked.card)
    return choose.by_default(card, total, [each.step for each in told.checkpoints])


def _made_again(
    asked: Asked, training: Training, told: TrainingManifest, steps: Sequence[int]
) -> Iterator[Finding]:
    """Base, examples, states and steps."""
    found, base = _base(asked, told)
    yield found
    examples: Sequence[Any] | None = None
    if base is not None and training.sessions is not None:
        found, examples = _examples(asked, training, bases.tokenizer(base))
        yield found
    if base is None or examples is None:
        yield unchecked("steps", "without the base and the examples no step can be made again")
        return
    if training.card is not None and training.card.gguf is not None:
        yield _gguf(asked, training.card, base)
    kept = _States(asked.fetch, told)
    stretches = kept.plan(steps)
    yield from kept.findings
    try:
        parent = _parent(asked, told, base)
        yield from _compared(asked, told, stretches, base, examples, kept, parent)
    except NotThere as error:
        yield false("parent", str(error))
    except Away as error:
        yield unchecked("parent", str(error))


def _compared(
    asked: Asked,
    told: TrainingManifest,
    stretches: Sequence[choose.Stretch],
    base: Base,
    examples: Sequence[Any],
    kept: _States,
    parent: Path | None,
) -> Iterator[Finding]:
    from training.proof.again import again

    config = manifest.config_of(told.config)
    if config.recipe not in KINDS:
        yield unchecked(
            "steps", f"{config.recipe} plays its own examples, which are not made again"
        )
        return
    where = _where(told)
    weaker = compare.why_weaker(told, device.here(where, config.threads), code())
    try:
        redone = again(
            told,
            stretches,
            base,
            examples,
            kept.of,
            asked.work,
            parent=parent,
            device=where,
            told_step=_Counting(asked, stretches),
        )
    except ValueError as error:
        yield false("steps", f"cannot be made again: {error}")
        return
    except (
        Exception
    ) as error:  # a stranger's state is read by torch and transformers, which raise anything
        yield unchecked("steps", f"the trainer fails on them ({type(error).__name__})")
        return
    yield from compare.findings(told, redone, weaker)


class _Counting:
    """Tells the caller how far it is."""

    def __init__(self, asked: Asked, stretches: Sequence[choose.Stretch]) -> None:
        self._told = asked.told
        self._total = sum(len(each.steps) for each in stretches)
        self._done = 0

    def __call__(self, step: int) -> None:
        self._done += 1
        if self._told is not None:
            self._told(self._done, self._total)


def _base(asked: Asked, told: TrainingManifest) -> tuple[Finding, Base | None]:
    name = told.base.name
    try:
        base = asked.base(name)
    except MissingModel as error:
        return unchecked("base", str(error)), None
    if base.sha256 != told.base.sha256:
        words = f"{name} was read from {told.base.sha256[:16]}…, the one at hand from {base.sha256[:16]}…"
        return false("base", words), None
    return true("base", f"{name}, read from {base.sha256[:16]}… like the one at hand"), base


def _examples(
    asked: Asked, training: Training, tokenizer: Tokenizer
) -> tuple[Finding, Sequence[Any] | None]:
    """The data set, built again."""
    data, sessions = training.data, training.sessions
    assert data is not None, "sessions are the data card's"
    assert sessions is not None, "asked before"
    recipe = data.recipe
    system = next((each for each in asked.systems if sha256_of(each) == recipe.system_sha256), None)
    if system is None:
        words = "the system prompt is its owner's secret: whoever has it gives it by --system-file"
        return unchecked("examples", words), None
    questions = {"plain": PlainQuestions(), **asked.questions}.get(recipe.questions)
    if questions is None:
        return unchecked(
            "examples", f"questions as {recipe.questions} asks them are unknown here"
        ), None
    if lacking := _lacking(training):
        return unchecked("examples", lacking), None
    found = training.results
    verdicts = {at: asked.verdict(sessions[at], form.encode(each)) for at, each in found.items()}
    try:
        examples, built = build(
            sessions.values(),
            recipe,
            tokenizer,
            system,
            questions=questions,
            players={at: [s.version for s in each.seats] for at, each in found.items()},
            verdicts={at: each for at, each in verdicts.items() if each is not None},
            results=data.results,
        )
    except (DataError, ValueError, LookupError) as error:
        return false("examples", f"cannot be built from these sessions: {error}"), None
    wrong = ""
    if built.digest != data.digest:
        wrong = f"the sessions give {len(examples)} others than the data card's"
    elif counts := [each for each in data.counts if data.counts[each] != built.counts.get(each)]:
        wrong = f"the data card counts wrongly: {', '.join(sorted(counts))}"
    if wrong:
        return false("examples", wrong), None
    return true(
        "examples", f"{len(examples)}, built again from the sessions to the token"
    ), examples


def _lacking(training: Training) -> str:
    """What the data set needs besides transcripts, and is not here; empty: nothing."""
    data = training.data
    assert data is not None, "asked before"
    if missing := sorted({*data.results} - {*training.results}):
        return f"who played, or how judges found, is in results that are not here: {data.results[missing[0]]}"
    return ""


class _States:
    """The states that steps are made again from: fetched, and held against the manifest."""

    def __init__(self, fetch: Fetch, told: TrainingManifest) -> None:
        self.findings: list[Finding] = []
        self._fetch = fetch
        self._told = told
        self._ids = {each.step: each.state for each in told.checkpoints}
        self._read: dict[int, bytes] = {}

    def plan(self, steps: Sequence[int]) -> list[choose.Stretch]:
        """Stretches from states that can be had; those after one that cannot be had begin earlier."""
        usable = set(self._ids)
        while True:
            stretches = choose.stretches(steps, usable)
            for stretch in stretches:
                if stretch.after and stretch.after not in self._read:
                    found = self._take(stretch.after)
                    if found is not None:
                        self.findings.append(found)
                        usable.discard(stretch.after)
                        break
            else:
                if self._read and not self.findings:
                    words = (
                        f"after step {choose.in_words(self._read)}: its adapter is the one told of"
                    )
                    self.findings.append(true("pinned states", words))
                return stretches

    def of(self, step: int) -> bytes:
        return self._read[step]

    def _take(self, step: int) -> Finding | None:
        """None where it holds."""
        what, cid = "pinned states", self._ids[step]
        try:
            found = self._fetch(cid, state.MAX_BYTES)
            if state.adapter_digest(found) != self._told.steps[step - 1].weights:
                return false(what, f"{cid} has another adapter than step {step} led to")
        except NotThere as error:
            return false(what, f"{cid}, after step {step}, is not to be had: {error}")
        except Away as error:
            return unchecked(what, f"{cid}: {error}")
        except NotTensors as error:
            return false(what, f"{cid}, after step {step}: {error}")
        self._read[step] = found
        return None


def _gguf(asked: Asked, card: AdapterCard, base: Base) -> Finding:
    """Whether what llama.cpp serves are these weights: converted again."""
    from training.adapters.gguf import to_gguf

    try:
        folder = _folder(asked, card, asked.work / "served")
        found = content_id(to_gguf(folder, shapes.of_checkpoint(base.folder)))
    except (BadAdapter, NotThere) as error:
        return false("gguf", str(error))
    except Away as error:
        return unchecked("gguf", str(error))
    wrong = "" if found == card.gguf else f"the weights make {found}, not {card.gguf}"
    return line("gguf", wrong, "what llama.cpp serves are these weights, converted")


def _parent(asked: Asked, told: TrainingManifest, base: Base) -> Path | None:
    """The parent adapter as a folder that PEFT reads. Raises NotThere, also for what is no adapter of the base, and Away."""
    if told.parent is None:
        return None
    try:
        card = package.read_card(asked.fetch(told.parent, shown.MAX_CARD))
        folder = _folder(asked, card, asked.work / "parent")
        weights = package.read_weights(folder / WEIGHTS)
        package.check(weights, package.shape_of(card), shapes.of_checkpoint(base.folder))
        return folder
    except BadAdapter as error:
        raise NotThere(f"{told.parent}: {error}") from None


def _folder(asked: Asked, card: AdapterCard, folder: Path) -> Path:
    """An adapter as PEFT reads it. Raises NotThere, Away."""
    folder.mkdir(parents=True)
    (folder / WEIGHTS).write_bytes(asked.fetch(card.weights, shown.MAX_WEIGHTS))
    (folder / CONFIG).write_bytes(package.config_of(package.shape_of(card), card.base.name))
    return folder


def _where(told: TrainingManifest) -> str:
    """torch's word for the device here that is most like the one told of."""
    import torch

    return "cuda:0" if told.device.startswith("gpu") and torch.cuda.is_available() else "cpu"
