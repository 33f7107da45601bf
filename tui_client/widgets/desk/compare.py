"""Two agents or versions side by side: their numbers, their curves, and what came of their meetings."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tui_client import theme
from tui_client.owner import arena
from tui_client.owner.careers import Comparison, HeadToHead, Rating, Series, Stats
from tui_client.owner.compare import ComparePage, Contender, offered, series_of
from tui_client.owner.page import Known
from tui_client.state import State
from tui_client.text import clean
from tui_client.widgets.canvas import centre, fit, frame, line, spread
from tui_client.widgets.desk import standing
from tui_client.widgets.desk.plots import curves, paint_plot, side_by_side
from tui_client.widgets.pane import Pane
from tui_client.words import NAME_LIMIT, points, space_title

PLOT_LEAST = 34
PLOT_LEAST_ROWS = 6
MIDDLE = 16
"""Cells of the labels between the two."""


def paint_compare(state: State, width: int, height: int) -> list[Text]:
    page = state.desk.page
    if not isinstance(page, ComparePage):
        return []
    known = state.desk.known(state.now_ms)
    if not page.b:
        return _choice(page, known, width, height)
    title = line(("SIDE BY SIDE", theme.TITLE))
    told = known.value(arena.compare(page.a, page.b, page.space).path, Comparison)
    if told is None:
        return frame(title, [line(("…", theme.DIM))], width, height)
    rows = [*_numbers(page, told, width - 4), Text(), *_meetings(page, known, told, width - 4)]
    numbers = min(height, len(rows) + 2)
    below = height - numbers
    if below < PLOT_LEAST_ROWS:
        return frame(title, rows, width, height)
    return [*frame(title, rows, width, numbers), *_both(page, known, width, below)]


def _choice(page: ComparePage, known: Known, width: int, height: int) -> list[Text]:
    found = offered(page, known)
    room = max(1, height - 2)
    at = next((n for n, each in enumerate(found) if each.id == page.cursor), 0)
    first = max(0, min(at - room // 2, len(found) - room))
    rows = [
        _offer(each, width - 4, first + n == at)
        for n, each in enumerate(found[first : first + room])
    ]
    if not rows:
        rows = [line(("…", theme.FAINT))]
    return frame(line(("COMPARE WITH", theme.TITLE)), rows, width, height)


def _offer(contender: Contender, width: int, mine: bool) -> Text:
    pointer = ("▸ ", theme.BRIGHT) if mine else "  "
    left = line(pointer, (contender.name, theme.BRIGHT if mine else theme.PLAIN))
    row = spread(left, line((contender.why, theme.DIM)), width)
    if mine:
        row.stylize(theme.CURSOR)
    return row


def name_of(stats: Stats) -> str:
    number = (stats.version or "").rpartition("@")[2]
    return f"{clean(stats.name, NAME_LIMIT)} {clean(number, 12)}".rstrip()


def _numbers(page: ComparePage, told: Comparison, width: int) -> list[Text]:
    """A row for each number, the two on each side of its name."""
    a, b = told.a, told.b
    space = page.space or _shared(told)
    ours, theirs = a.of(space), b.of(space)
    rows = [
        _pair(line((name_of(a), theme.SEATS[0])), "", line((name_of(b), theme.SEATS[1])), width),
        _pair(standing.record(a.record), "won-drawn-lost", standing.record(b.record), width),
        _pair(standing.win_rate(a.record), "win rate", standing.win_rate(b.record), width),
    ]
    for asset in ("usdc", "play"):
        mine, other = _roi(a, asset), _roi(b, asset)
        if mine is not None or other is not None:
            nothing = line(("-", theme.FAINT))
            rows.append(_pair(mine or nothing, "return", other or nothing, width))
    if space:
        rows += [
            _pair(Text(), space_title(space), Text(), width),
            _pair(_rating(ours.rating if ours else None), "rating", _rating(theirs.rating if theirs else None), width),
            _pair(standing.league(ours.rating if ours else None), "league", standing.league(theirs.rating if theirs else None), width),
            _pair(_score(ours.average_score_milli if ours else None), "score", _score(theirs.average_score_milli if theirs else None), width),
        ]  # fmt: skip
    level = (line((str(each.level.level), theme.PLAIN)) for each in (a, b))
    rows.append(_pair(next(level), "level", next(level), width))
    return rows


def _shared(told: Comparison) -> str:
    """The Space that the first has played most of those that both have played."""
    both = [each for each in told.a.spaces if told.b.of(each.space) is not None]
    best = max(both, key=lambda each: each.record.sessions, default=None)
    return best.space if best is not None else ""


def _roi(stats: Stats, asset: str) -> Text | None:
    return next((standing.roi(each) for each in stats.money if each.asset == asset), None)


def _rating(told: Rating | None) -> Text:
    return standing.rating(told)


def _score(milli: int | None) -> Text:
    return line((points(milli) if milli is not None else "-", theme.PLAIN))


def _pair(a: Text, word: str, b: Text, width: int) -> Text:
    side = max(1, (width - MIDDLE) // 2)
    left = line(" " * max(0, side - a.cell_len), fit(a, min(side, a.cell_len)))
    return fit(line(left, centre(line((word, theme.DIM)), MIDDLE), b), width)


def _meetings(page: ComparePage, known: Known, told: Comparison, width: int) -> list[Text]:
    """`HEAD TO HEAD  12 ━━━━━━──── 9`, the level ones between."""
    met = known.value(arena.head_to_head(page.a, page.b).path, HeadToHead)
    title = centre(line(("HEAD TO HEAD", theme.TITLE)), width)
    if met is None:
        problem = known.kept(arena.head_to_head(page.a, page.b).path).problem
        words = clean(problem.detail, 80) if problem is not None else "…"
        return [title, centre(line((words, theme.FAINT)), width)]
    if not met.sessions:
        return [title, centre(line(("they have never met", theme.FAINT)), width)]
    bar = max(6, min(48, width - 20))
    ahead = bar * met.a_ahead // met.sessions
    behind = bar * met.b_ahead // met.sessions
    shown = line(
        (f"{met.a_ahead} ", theme.SEATS[0]), ("━" * ahead, theme.SEATS[0]),
        ("─" * (bar - ahead - behind), theme.FAINT), ("━" * behind, theme.SEATS[1]),
        (f" {met.b_ahead}", theme.SEATS[1]),
    )  # fmt: skip
    level = f", {met.level} level" if met.level else ""
    words = f"{met.sessions} sessions in which both sat{level}"
    return [title, centre(shown, width), centre(line((words, theme.DIM)), width)]


def _both(page: ComparePage, known: Known, width: int, height: int) -> list[Text]:
    """Their curves on one scale, in the accents of the two."""
    metrics = ("rating", "return", "score") if page.space else ("return",)
    count = max(1, min(len(metrics), width // PLOT_LEAST))
    series = [known.value(series_of(each, page.space).path, Series) for each in (page.a, page.b)]
    blocks = []
    for at in range(count):
        room = width // count + (1 if at < width % count else 0)
        drawn = [
            curve
            for told, accent in zip(series, theme.SEATS, strict=True)
            for curve in curves(told, metrics[at], accent)[-1:]
        ]
        waiting = None in series
        blocks.append(paint_plot(metrics[at], drawn, room, height, waiting=waiting, noted=False))
    return side_by_side(blocks)


class ComparePane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_compare(state, width, height)
