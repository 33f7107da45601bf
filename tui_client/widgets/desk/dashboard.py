"""An agent's dashboard: its card, its curves, its sessions, its versions."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.owner import arena
from tui_client.owner.amounts import ASSETS, signed
from tui_client.owner.answers import Played, Rating, Series, Stats, Version
from tui_client.owner.dashboard import (
    LINEAGE,
    METRICS,
    RATED,
    SESSIONS,
    DashboardPage,
    chosen_session,
    chosen_version,
    sessions,
    versions,
)
from tui_client.owner.page import Known
from tui_client.owner.pixels import Pixels
from tui_client.state import State
from tui_client.text import clean
from tui_client.widgets.canvas import Part, abreast, fit, frame, line, spread
from tui_client.widgets.chart.scale import Scale
from tui_client.widgets.desk import standing
from tui_client.widgets.desk.automating import profit_style, reason_rows, state_mark
from tui_client.widgets.desk.face import face
from tui_client.widgets.desk.fields import facts
from tui_client.widgets.desk.plots import curves, paint_plot, side_by_side
from tui_client.widgets.pane import Pane
from tui_client.words import moment, points, space_title

FACE = 8
PLOT_LEAST = 34
"""Cells that a plot needs."""
NARROW = 54
"""Cells below which a session's row leaves out its day and its version."""
OUTCOMES = {"win": theme.BRIGHT, "draw": theme.PLAIN, "loss": theme.DIM}


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
    rows += facts([("autoplay", state_mark(automation))], width, 10)
    rows += reason_rows(automation, width)
    pairs = [("return", standing.earned(each)) for each in stats.money]
    if score is not None:
        pairs.append(("score", line((points(score), theme.BRIGHT), (" on average", theme.FAINT))))
    pairs.append(("level", standing.level(stats.level, width - 10)))
    return rows + facts(pairs, width, 10)


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


# ---------------------------------------------------------------------- sessions


def paint_history(state: State, width: int, height: int) -> list[Text]:
    page = state.desk.page
    if not isinstance(page, DashboardPage):
        return []
    known = state.desk.known(state.now_ms)
    found = sessions(page, known)
    chosen = chosen_session(page, known)
    mine = page.focus == SESSIONS
    room = max(1, height - 2)
    at = found.index(chosen) if chosen in found else 0
    first = max(0, min(at - room // 2, len(found) - room))
    rows = [
        _session(each, page, width - 4, mine and each == chosen)
        for each in found[first : first + room]
    ]
    if not rows:
        read = arena.history(page.agent, version=page.version, space=page.space_of(known))
        waiting = known.kept(read.path).asked == 0
        rows = [line(("…" if waiting else "no sessions yet: p sets its automation", theme.FAINT))]
    return frame(_list_title("SESSIONS", mine), rows, width, height, _count(found, first, room))


def _list_title(word: str, mine: bool) -> Text:
    return line((word, theme.TITLE if mine else theme.DIM))


def _count(found: Sequence[object], first: int, room: int) -> Text | None:
    if len(found) <= room:
        return None
    return line((f"{first + 1}-{min(len(found), first + room)} of {len(found)}", theme.DIM))


def _session(played: Played, page: DashboardPage, width: int, mine: bool) -> Text:
    pointer = ("▸ ", theme.BRIGHT) if mine else "  "
    number = played.version.rpartition("@")[2]
    narrow = width < NARROW
    when = moment(played.opened_ms)
    left: list[Part] = [
        pointer,
        (f"{when[-5:]}  " if narrow else f"{when}  ", theme.FAINT),
        (f"{space_title(played.space):<13}", theme.PLAIN),
        ("" if narrow else f"{clean(number, 5):<5}", theme.DIM),
        _outcome(played),
    ]
    right: list[Part] = [_won(played)]
    if width > 72:
        score = points(played.score_milli) if played.score_milli is not None else ""
        right = [(f"{score:>8}", theme.DIM), *right]
    if width > 60:
        rated = points(played.mu_milli) if played.mu_milli is not None else ""
        right.append((f"{rated:>7}", theme.DIM))
    row = spread(line(*left), line(*right), width)
    if mine:
        row.stylize(theme.CURSOR)
    return row


def _outcome(played: Played) -> tuple[str, Style]:
    if played.status == "void":
        return "void  ", theme.ALARM
    if played.outcome is None:
        return ("▶ live" if played.status == "live" else "…"), theme.BRIGHT
    place = f" {played.rank}/{played.seats}" if played.rank and played.seats else ""
    return f"{clean(played.outcome, 8)}{place}", OUTCOMES.get(played.outcome, theme.PLAIN)


def _won(played: Played) -> Text:
    if played.won_micros is None or played.status == "void":
        return line((f"{'':>13}", theme.FAINT))
    change = played.won_micros - played.paid_micros
    asset = ASSETS.get(played.asset, "")
    told = f"{signed(change)} {asset}"
    return line((f"{told:>13}", profit_style(change)))


# ---------------------------------------------------------------------- versions


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
    return frame(_list_title("VERSIONS", mine), rows, width, height, note)


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


class StandingPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_card(state, width, height)


class PlotsPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_plots(state, width, height)


class HistoryPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_history(state, width, height)


class LineagePane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_lineage(state, width, height)
