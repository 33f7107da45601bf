"""An agent's versions as a lineage, with their ratings and how sure these are on one scale."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tui_client import theme
from tui_client.owner import arena
from tui_client.owner.careers import Rating, Stats, Version
from tui_client.owner.dashboard import (
    LINEAGE,
    RATED,
    DashboardPage,
    chosen_version,
    versions,
)
from tui_client.owner.page import Known
from tui_client.state import State
from tui_client.widgets.canvas import fit, frame, line, spread
from tui_client.widgets.chart.scale import Scale
from tui_client.widgets.desk import standing
from tui_client.widgets.pane import Pane
from tui_client.words import moment, space_title


def paint_lineage(state: State, width: int, height: int) -> list[Text]:
    """Newest first, a line between them; beside each its rating in the shown Space, on one scale."""
    page = state.desk.page
    if not isinstance(page, DashboardPage):
        return []
    known = state.desk.known(state.now_ms)
    found = versions(page, known)
    chosen = chosen_version(page, known)
    mine = page.focus == LINEAGE
    space = page.space_of(known)
    ratings = {each.number: _rating(page, known, each, space) for each in found[:RATED]}
    scale = _scale([each for each in ratings.values() if each is not None])
    room = max(1, (height - 2) // 2)
    at = found.index(chosen) if chosen in found else 0
    first = max(0, min(at - room // 2, len(found) - room))
    rows: list[Text] = []
    for each in found[first : first + room]:
        here = mine and each == chosen
        rows += _version(page, each, ratings.get(each.number), scale, width - 4, here)
        rows.append(line((" │" if each.number > 1 else "", theme.FRAME)))
    if not rows:
        rows = [line(("…", theme.FAINT))]
    note = line((space_title(space) if space else "choose a Space", theme.FAINT))
    return frame(line(("VERSIONS", theme.TITLE if mine else theme.DIM)), rows, width, height, note)


def _rating(page: DashboardPage, known: Known, version: Version, space: str) -> Rating | None:
    told = known.value(arena.stats(page.agent, version=version.number).path, Stats)
    results = told.of(space) if told is not None and space else None
    return results.rating if results is not None else None


def _scale(ratings: Sequence[Rating]) -> Scale | None:
    if not ratings:
        return None
    low = min(each.mu_milli - 2 * each.sigma_milli for each in ratings)
    high = max(each.mu_milli + 2 * each.sigma_milli for each in ratings)
    return Scale(low, max(high, low + 1), 1)


def _version(
    page: DashboardPage,
    version: Version,
    rating: Rating | None,
    scale: Scale | None,
    width: int,
    mine: bool,
) -> list[Text]:
    alone = page.version == version.number
    mark = "◉" if alone else "●"
    head = line(
        ("▸" if mine else " ", theme.BRIGHT),
        (f"{mark} ", theme.BRIGHT if alone or mine else theme.DIM),
        (f"v{version.number:<3} ", theme.BRIGHT if mine else theme.PLAIN),
    )
    if rating is None or scale is None:
        row = spread(head, line((moment(version.created_ms), theme.FAINT)), width)
    else:
        told = standing.rating(rating)
        bar = _interval(rating, scale, max(4, width - head.cell_len - told.cell_len - 1))
        row = fit(line(head, bar, " ", told), width)
    if mine:
        row.stylize(theme.CURSOR)
    return [row]


def _interval(rating: Rating, scale: Scale, width: int) -> Text:
    """`  ╺━━◆━━╸ `: where a rating is, and how sure that is, two sigmas on each side."""

    def cell(value: float) -> int:
        share = (value - scale.low) / (scale.high - scale.low)
        return min(width - 1, max(0, round(share * (width - 1))))

    low = cell(rating.mu_milli - 2 * rating.sigma_milli)
    middle, high = cell(rating.mu_milli), cell(rating.mu_milli + 2 * rating.sigma_milli)
    style = theme.DIM if rating.provisional else theme.SEATS[0]
    return line(
        (" " * low, theme.FAINT), ("━" * (middle - low), theme.FAINT), ("◆", style),
        ("━" * (high - middle), theme.FAINT), (" " * (width - 1 - high), theme.FAINT),
    )  # fmt: skip


class LineagePane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_lineage(state, width, height)
