"""The versions as a tree with their ratings and win rates, each edge the gate it went through; or the past trainings."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.owner.learning import Job
from tui_client.owner.lineages import Node, number_of
from tui_client.owner.page import Known
from tui_client.owner.training import TrainingPage
from tui_client.owner.training_shown import (
    PAST,
    VERSIONS,
    chosen_node,
    chosen_past,
    gate_of,
    learning_of,
    nodes_of,
    past,
    stats_of,
)
from tui_client.state import State
from tui_client.text import clean
from tui_client.widgets.canvas import Part, fit, frame, line
from tui_client.widgets.desk import standing
from tui_client.widgets.desk.training_job import ENDS
from tui_client.widgets.pane import Pane
from tui_client.words import moment, space_title

WIDE = 52
"""Cells from which a past training says more about why it ended."""


def paint_versions(state: State, width: int, height: int) -> list[Text]:
    """The list that is in hand, the versions where neither is."""
    page = state.desk.page
    if not isinstance(page, TrainingPage):
        return []
    known = state.desk.known(state.now_ms)
    return (_past if page.focus == PAST else _tree)(page, known, width, height)


# ---------------------------------------------------------------------- versions


def _tree(page: TrainingPage, known: Known, width: int, height: int) -> list[Text]:
    mine, chosen = page.focus == VERSIONS, chosen_node(page, known)
    learning = learning_of(page, known)
    space = learning.space if learning is not None else ""
    blocks = [
        _node(page, known, node, space, width - 4, mine and node == chosen)
        for node in nodes_of(page, known)
    ]
    at = next((n for n, node in enumerate(nodes_of(page, known)) if node == chosen), 0)
    rows = _in_sight(blocks, at, height - 2) or [line(("…", theme.FAINT))]
    title = line(("VERSIONS", theme.TITLE if mine else theme.DIM))
    note = line((space_title(space), theme.FAINT)) if space else None
    return frame(title, rows, width, height, note)


def _in_sight(blocks: Sequence[Sequence[Text]], at: int, room: int) -> list[Text]:
    first = 0
    while first < at and sum(map(len, blocks[first : at + 1])) > room:
        first += 1
    return [row for block in blocks[first:] for row in block]


def _node(
    page: TrainingPage, known: Known, node: Node, space: str, width: int, mine: bool
) -> list[Text]:
    """A version, and below it how it came of the one before: the tree grows upwards."""
    stats = stats_of(page, known, node.number)
    results = stats.of(space) if stats is not None and space else None
    name: Part = (f"v{node.number}", theme.BRIGHT if mine or node.plays else theme.PLAIN)
    parts: list[Part] = [("▸" if mine else " ", theme.BRIGHT), *_branch(node), name, "  "]
    edge = _edge(known, node)
    if results is not None:
        parts += [standing.rating(results.rating), "  ", standing.win_rate(results.record)]
    elif not node.trunk:
        parts, edge = [*parts, *edge], []  # it has never played but in its gate
    elif stats is not None:
        parts.append(("not played here", theme.FAINT))
    row = fit(line(*parts), width)
    if mine:
        row.stylize(theme.CURSOR)
    stem = " │   " if not node.trunk else " │ " if node.parent is not None else "   "
    return [row, fit(line((stem, theme.FRAME), *edge), width)] if edge else [row]


def _branch(node: Node) -> list[Part]:
    if node.plays:
        return [("◉ ", theme.MONEY)]
    if node.trunk:
        return [("● ", theme.PLAIN)]
    mark = {"rolled-back": "↶", "tested": "…"}.get(node.how, "○")
    return [("├╴", theme.FRAME), (f"{mark} ", theme.DIM)]


def _edge(known: Known, node: Node) -> list[Part]:
    """`promoted 58% (52-64) of v4`"""
    if node.how == "edited":
        return [(f"your edit of v{node.parent}", theme.FAINT)] if node.parent is not None else []
    words = {"promoted": "promoted", "kept": "not promoted", "rolled-back": "rolled back"}
    style = theme.MONEY if node.how == "promoted" else theme.DIM
    parts: list[Part] = [(words.get(node.how, "in the gate"), style)]
    told = gate_of(known, node.gate)
    if told is not None:
        card = told.card
        low, high = standing.percent(card.low_milli), standing.percent(card.high_milli)
        parts += [
            (f" {standing.percent(card.score_milli)}%", theme.PLAIN), (f" ({low}-{high})", theme.FAINT),
        ]  # fmt: skip
    if node.parent is not None:
        parts.append((f" against v{node.parent}", theme.DIM))
    return parts


# ---------------------------------------------------------------------- past trainings


def _past(page: TrainingPage, known: Known, width: int, height: int) -> list[Text]:
    found, chosen = past(page, known), chosen_past(page, known)
    room = max(1, height - 2)
    at = found.index(chosen) if chosen in found else 0
    first = max(0, min(at - room // 2, len(found) - room))
    rows = [_training(each, width - 4, each == chosen) for each in found[first : first + room]]
    if not rows:
        rows = [line(("no training has ended yet", theme.FAINT))]
    return frame(line(("PAST TRAININGS", theme.TITLE)), rows, width, height)


def _training(job: Job, width: int, mine: bool) -> Text:
    number = number_of(job.promoted or "")
    end = f"promoted: v{number}" if number is not None else clean(job.state, 16)
    style: Style = ENDS.get(job.state, theme.PLAIN)
    parts: list[Part] = [
        ("▸ " if mine else "  ", theme.BRIGHT),
        (f"{moment(job.ended_ms or job.created_ms)}  ", theme.FAINT),
        (end, style),
        (f"  {space_title(job.space)}", theme.DIM),
    ]
    if width >= WIDE and job.reason:
        parts.append((f"  {clean(job.reason, 160)}", theme.FAINT))
    row = fit(line(*parts), width)
    if mine:
        row.stylize(theme.CURSOR)
    return row


class TrainingVersionsPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_versions(state, width, height)
