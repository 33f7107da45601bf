"""What the training page shows: of which Space, training, gate and version, by what is chosen. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui_client.owner import arena
from tui_client.owner.calls import Read
from tui_client.owner.careers import Stats, Versions
from tui_client.owner.learning import DataCard, Gate, Job, Learning, Lineage, Training
from tui_client.owner.lineages import Node, back, number_of, tree
from tui_client.owner.page import Known
from tui_client.text import clean
from tui_client.words import NAME_LIMIT, points, space_title

if TYPE_CHECKING:
    from tui_client.owner.training import TrainingPage

SPACES, VERSIONS, PAST = "Spaces", "versions", "past trainings"
LISTS = (SPACES, VERSIONS, PAST)
"""One of them has the cursor."""
OVER = frozenset({"promoted", "kept", "failed", "cancelled"})


def training_of(page: TrainingPage, known: Known) -> Training:
    return known.value(arena.training(page.agent).path, Training) or Training()


def learning_of(page: TrainingPage, known: Known) -> Learning | None:
    """What is known of the chosen Space: the one where something runs, or the first, where none was chosen."""
    spaces = training_of(page, known).spaces
    chosen = next((each for each in spaces if each.space == page.space), None)
    running = next((each for each in spaces if each.job is not None), None)
    return chosen or running or (spaces[0] if spaces else None)


def past(page: TrainingPage, known: Known) -> tuple[Job, ...]:
    """Newest first, of all Spaces."""
    return training_of(page, known).past


def chosen_past(page: TrainingPage, known: Known) -> Job | None:
    found = past(page, known)
    return next((each for each in found if each.job == page.job), found[0] if found else None)


def shown_job(page: TrainingPage, known: Known) -> Job | None:
    """The chosen one of the past, or what runs in the chosen Space, or what ran there last."""
    if page.focus == PAST:
        return chosen_past(page, known)
    learning = learning_of(page, known)
    if learning is None:
        return None
    before = (each for each in past(page, known) if each.space == learning.space)
    return learning.job or next(before, None)


def nodes_of(page: TrainingPage, known: Known) -> tuple[Node, ...]:
    """Newest first."""
    versions = known.value(arena.versions(page.agent).path, Versions)
    if versions is None:
        return ()
    told = known.value(arena.lineage(page.agent).path, Lineage)
    return tree(versions.versions, told or Lineage(training_of(page, known).version))


def chosen_node(page: TrainingPage, known: Known) -> Node | None:
    """The version in hand; the one that plays where none was chosen."""
    found = nodes_of(page, known)
    chosen = next((each for each in found if str(each.number) == page.number), None)
    plays = next((each for each in found if each.plays), None)
    return chosen or plays or (found[0] if found else None)


def gate_id(page: TrainingPage, known: Known) -> str:
    """The gate that is shown: of the version in hand, or of the shown training."""
    if page.focus == VERSIONS:
        node = chosen_node(page, known)
        return node.gate if node is not None else ""
    job = shown_job(page, known)
    if page.focus == PAST or (job is not None and job.gate):
        return (job.gate or "") if job is not None else ""
    return last_gate(page, known)


def last_gate(page: TrainingPage, known: Known) -> str:
    """The newest in the chosen Space: shown until the training that runs has one of its own."""
    lineage, learning = (
        known.value(arena.lineage(page.agent).path, Lineage),
        learning_of(page, known),
    )
    if lineage is None or learning is None:
        return ""
    return next((each.gate for each in lineage.gates if each.space == learning.space), "")


def gate_read(known: Known, gate: str) -> Read:
    told = known.value(arena.gate(gate).path, Gate)
    return arena.gate(gate, over=told is not None and told.card.status == "ended")


def data_read(job: Job) -> Read:
    """The data card of a training that has one."""
    return arena.data_card(job.data or "")


def data_of(known: Known, job: Job) -> DataCard | None:
    return known.value(data_read(job).path, DataCard) if job.data else None


def gate_of(known: Known, gate: str) -> Gate | None:
    return known.value(arena.gate(gate).path, Gate) if gate else None


def live_sessions(page: TrainingPage, known: Known) -> list[str]:
    """Of the shown gate, newest first."""
    told = gate_of(known, gate_id(page, known))
    return [each.session for each in reversed(told.matches) if each.state == "live"] if told else []


def stats_of(page: TrainingPage, known: Known, number: int) -> Stats | None:
    return known.value(arena.stats(page.agent, version=number).path, Stats)


def question(page: TrainingPage, known: Known) -> str:
    """What is asked before something is done that is not undone by the same key; safe to paint."""
    if page.asking == "x":
        return "x again cancels it: what it has learnt is dropped, the agent stays as it is"
    if page.asking != "r":
        return ""
    told = known.value(arena.lineage(page.agent).path, Lineage)
    to = back(told) if told is not None else None
    learning = learning_of(page, known)
    stats = stats_of(page, known, to) if to is not None else None
    results = stats.of(learning.space) if stats is not None and learning is not None else None
    rated = ""
    if learning is not None and results is not None and results.rating is not None:
        mu, sigma = points(results.rating.mu_milli), points(results.rating.sigma_milli)
        rated = f", at {mu} ±{sigma} in {space_title(learning.space)}"
    left = number_of(page.about)
    name = arena.name_of(known, page.agent) or clean(page.agent, NAME_LIMIT)
    return f"r again: {name} plays as v{to} again{rated}; v{left} plays no more and stays in the lineage"
