"""The page of the court: what is before it, its last verdicts, and who judges."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.containers import Horizontal

from server.protocol import CaseView, JudgeView
from tui_client import theme
from tui_client.docket import Docket, trouble
from tui_client.state import State
from tui_client.text import clean
from tui_client.widgets.canvas import Part, fit, frame, line, spread
from tui_client.widgets.court.bench import frac, short
from tui_client.widgets.court.progress import paint_progress
from tui_client.widgets.pane import Pane
from tui_client.words import points, space_title

HEAD = "skill  hearings         stake"
SESSION_CELLS = 8
"""The end of a session's id: its beginning is the time, which all of them share."""


def paint_cases(state: State, width: int, height: int) -> list[Text]:
    docket = state.docket
    if docket is None or height < 3:
        return []
    view = docket.view
    rows: list[tuple[str | None, Text]] = []
    if view is None:
        rows.append((None, line(("waiting for the arena …", theme.DIM))))
    elif not docket.cases():
        rows.append((None, line(("nothing is before the court", theme.DIM))))
    else:
        rows += [(case.session, _open(case, state.arena_ms)) for case in view.cases]
        if view.decided:
            rows.append((None, line(("last verdicts", theme.FAINT))))
            rows += [(case.session, _decided(case)) for case in view.decided]
    note = line((f"{len(view.cases)} open", theme.DIM)) if view is not None else None
    return frame(
        line(("THE COURT", theme.TITLE)),
        _window(docket, rows, width - 4, height - 2),
        width,
        height,
        note,
    )


def _open(case: CaseView, arena_ms: int) -> Text:
    head = line(
        (f"{space_title(case.space):<12}", theme.PLAIN), (f"{_end(case.session)}  ", theme.FAINT)
    )
    return line(head, paint_progress(case, arena_ms, titled=False))


def _decided(case: CaseView) -> Text:
    totals = " : ".join(points(total) for total in case.totals_milli[:5])
    parts: list[Part] = [
        (f"{space_title(case.space):<12}", theme.PLAIN),
        (f"{_end(case.session)}  ", theme.FAINT),
        (
            totals or clean(case.note, 60) or clean(case.state, 12),
            theme.BRIGHT if totals else theme.ALARM,
        ),
    ]
    if case.margin_milli is not None:
        parts.append((f"  by {case.margin_milli / 1000:.2f}", theme.DIM))
    if case.hearing:
        parts.append((f"  hearing {case.hearing + 1}", theme.MONEY))
    return line(*parts)


def _end(session: str) -> str:
    return clean(session[-SESSION_CELLS:], SESSION_CELLS)


def paint_judges(state: State, width: int, height: int) -> list[Text]:
    docket = state.docket
    if docket is None or height < 3:
        return []
    judges = docket.judges()
    rows: list[tuple[str | None, Text]] = [
        (judge.judge, _judge(judge, width - 6)) for judge in judges
    ]
    if rows:
        rows.insert(0, (None, spread(Text(), line((HEAD, theme.FAINT)), width - 6)))
    else:
        why = clean(trouble(docket), 120)
        rows = [(None, line((why, theme.ALARM) if why else ("no judge has registered", theme.DIM)))]
    note = line((f"{docket.view.judges} stand", theme.DIM)) if docket.view is not None else None
    return frame(
        line(("JUDGES", theme.TITLE)),
        _window(docket, rows, width - 4, height - 2),
        width,
        height,
        note,
    )


def _judge(judge: JudgeView, width: int) -> Text:
    stands = judge.standing == "standing"
    skill = f"{judge.mean_skill_ppm / 1_000_000:+.2f}" if judge.mean_skill_ppm is not None else ""
    left = line(
        (f"{short(judge.judge)} ", theme.PLAIN if stands else theme.DIM),
        (clean(judge.family, 24), theme.DIM),
    )
    right: list[Part] = [(f" {skill:>6}", theme.BRIGHT), (f"{judge.hearings:>10}", theme.DIM)]
    stake = f"{frac(judge.bonded_frac)} FRAC" if stands else clean(judge.standing, 12)
    right.append((f"{stake:>14}", theme.DIM if stands else theme.ALARM))
    return spread(left, line(*right), width)


def _window(
    docket: Docket, rows: Sequence[tuple[str | None, Text]], width: int, room: int
) -> list[Text]:
    """The rows around the chosen one, which has a ground of its own."""
    at = next((n for n, (name, _) in enumerate(rows) if name and name == docket.cursor), 0)
    first = max(0, min(at - room // 2, len(rows) - room))
    shown: list[Text] = []
    for name, row in rows[first : first + room]:
        chosen = name is not None and name == docket.cursor
        told = fit(line(("▸ " if chosen else "  ", theme.BRIGHT), row), width)
        if chosen:
            told.stylize(theme.CURSOR)
        shown.append(told)
    return shown


class CasesPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_cases(state, width, height)


class JudgesPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_judges(state, width, height)


def docket_panes() -> Horizontal:
    return Horizontal(CasesPane(), JudgesPane(), id="docket", classes="view")
