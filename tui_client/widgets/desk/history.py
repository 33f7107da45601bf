"""An agent's sessions, newest first: when, where, what came of it, what it won, the rating after."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.owner import arena
from tui_client.owner.amounts import ASSETS, signed
from tui_client.owner.careers import Played
from tui_client.owner.dashboard import (
    SESSIONS,
    DashboardPage,
    chosen_session,
    sessions,
)
from tui_client.state import State
from tui_client.text import clean
from tui_client.widgets.canvas import Part, frame, line, spread
from tui_client.widgets.desk.automating import profit_style
from tui_client.widgets.pane import Pane
from tui_client.words import moment, points, space_title

NARROW = 54
"""Cells below which a session's row leaves out its day and its version."""
OUTCOMES = {"win": theme.BRIGHT, "draw": theme.PLAIN, "loss": theme.DIM}


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
    return frame(
        line(("SESSIONS", theme.TITLE if mine else theme.DIM)),
        rows,
        width,
        height,
        _count(found, first, room),
    )


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


class HistoryPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_history(state, width, height)
