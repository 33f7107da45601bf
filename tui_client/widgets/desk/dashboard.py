"""The upper half of an agent's dashboard: its standing and its curves."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tui_client import theme
from tui_client.owner import arena
from tui_client.owner.careers import Series, Stats
from tui_client.owner.dashboard import (
    METRICS,
    DashboardPage,
)
from tui_client.owner.page import Known
from tui_client.owner.pixels import Pixels
from tui_client.state import State
from tui_client.widgets.canvas import abreast, fit, frame, line
from tui_client.widgets.desk import standing
from tui_client.widgets.desk.automating import reason_rows, state_mark
from tui_client.widgets.desk.face import face
from tui_client.widgets.desk.fields import facts
from tui_client.widgets.desk.plots import curves, paint_plot, side_by_side
from tui_client.widgets.pane import Pane
from tui_client.words import points

FACE = 8
PLOT_LEAST = 34
"""Cells that a plot needs."""


def paint_card(state: State, width: int, height: int) -> list[Text]:
    page = state.desk.page
    if not isinstance(page, DashboardPage):
        return []
    known = state.desk.known(state.now_ms)
    space = page.space_of(known)
    shown = known.value(arena.stats(page.agent, version=page.version, space=space).path, Stats)
    title = line(("STANDING", theme.TITLE))
    if shown is None:
        return frame(title, [line(("…", theme.DIM))], width, height)
    rows = _card(page, known, shown, space, width - 4)
    note = line((f"season {shown.season}: {shown.season_points} FAPs", theme.DIM))
    return frame(title, rows, width, height, note)


def _card(page: DashboardPage, known: Known, stats: Stats, space: str, width: int) -> list[Text]:
    pixels = known.value(arena.avatar(page.agent).path, Pixels)
    picture = face(pixels, FACE)
    results = stats.of(space) if space else None
    rating = results.rating if results is not None else None
    told = stats.record
    void = f"  {told.voids} void" if told.voids else ""
    beside = [
        standing.league(rating) if space else line(("all Spaces", theme.DIM)),
        standing.rating(rating) if space else Text(),
        line(standing.record(told), (void, theme.FAINT)),
        line(standing.win_rate(told), (" won", theme.DIM)),
    ]
    inner = max(0, width - FACE - 2)
    rows = abreast(picture, [line("  ")] * len(picture), [fit(each, inner) for each in beside])
    score = results.average_score_milli if results is not None else None
    automation = arena.automation_of(known, page.agent)
    rows += facts([("automation", state_mark(automation))], width)
    rows += reason_rows(automation, width)
    pairs = [("return", standing.earned(each)) for each in stats.money]
    if score is not None:
        pairs.append(("score", line((points(score), theme.BRIGHT), (" on average", theme.FAINT))))
    pairs.append(("level", standing.level(stats.level, width - 10)))
    return rows + facts(pairs, width)


def paint_plots(state: State, width: int, height: int) -> list[Text]:
    """As many as there is room for, beginning with the chosen one."""
    page = state.desk.page
    if not isinstance(page, DashboardPage):
        return []
    known = state.desk.known(state.now_ms)
    read = arena.series(page.agent, version=page.version, space=page.space_of(known))
    series = known.value(read.path, Series)
    count = max(1, min(len(METRICS), width // PLOT_LEAST))
    begin = METRICS.index(page.metric)
    blocks = []
    for at in range(count):
        metric = METRICS[(begin + at) % len(METRICS)]
        room = width // count + (1 if at < width % count else 0)
        blocks.append(
            paint_plot(metric, curves(series, metric), room, height, waiting=series is None)
        )
    return side_by_side(blocks)


class StandingPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_card(state, width, height)


class PlotsPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_plots(state, width, height)
