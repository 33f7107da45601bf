"""The verdict: who won, line by line of the rubric, with the judges' words and the evidence beside."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from server.protocol import CaseView, Evidence, RubricLine, SessionView, VerdictView
from tui_client import theme
from tui_client.observed import rap_battle, step_state, undecided, winner
from tui_client.state import State
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import centre, fit, frame, label, line, rail
from tui_client.widgets.court.bench import paint_bench
from tui_client.widgets.court.progress import found_banner, judged_by, paint_progress
from tui_client.widgets.court.sheets import nearest_reason
from tui_client.widgets.pane import Pane
from tui_client.words import names, points, termination

FULL_MILLI = 10_000
"""A full score: ten points."""
LABEL_WIDTH = 13
SCORE_WIDTH = 5
MAX_LINES = 8
LAYOUTS = ((4, 4), (3, 4), (2, 4), (1, 4), (1, 1))
"""Rows that a quote and an evidence may take: the first pair that leaves everything in sight."""
ANY_HEIGHT = 10_000
AROUND_ROWS = 5
"""Rows of the screen that the ring and the verdict do not have: header, title, ticker, footer."""


def _bar_width(width: int) -> int:
    return max(4, min(16, (width - LABEL_WIDTH) // 6))


def _scores(values: Sequence[int], width: int) -> Text:
    """A rail and a number for each of the two seats."""
    cells = _bar_width(width)
    parts = []
    for seat in (0, 1):
        value = values[seat] if seat < len(values) else 0
        best = value == max(values[:2], default=0)
        style = theme.seat_style(seat) if best else theme.SEATS_DIM[seat]
        number = (f"{points(value):>{SCORE_WIDTH}}", theme.BRIGHT if best else theme.DIM)
        parts.append(line(rail(value, FULL_MILLI, cells, style), number, "   "))
    return line(*parts)


def _quote(rubric: RubricLine, who: dict[int, str], width: int, most: int) -> list[Text]:
    """The judge's words about the better seat of a line, in at most `most` rows; at least one row."""
    scores = rubric.scores_milli[:2]
    seat = scores.index(max(scores)) if scores else 0
    reason = clean(rubric.reasons[seat], 240) if seat < len(rubric.reasons) else ""
    if not reason or width < 12:
        return [Text()]
    name = f"{who.get(seat, '')}: "
    rows = wrap(f"{name}“{reason}”", width)
    shown = [*rows[: most - 1], " ".join(rows[most - 1 :])] if len(rows) > most else rows
    said = [line((row, theme.DIM)) for row in shown]
    if said[0].plain.startswith(name):
        said[0].stylize(theme.SEATS_DIM[seat], 0, len(name))
    return [fit(row, width) for row in said]


def _rubric_rows(rubric: RubricLine, who: dict[int, str], width: int, most: int) -> list[Text]:
    head = line(label(clean(rubric.name, 24), LABEL_WIDTH), _scores(rubric.scores_milli, width))
    first, *rest = _quote(rubric, who, width - head.cell_len, most)
    return [line(head, first), *(line(" " * head.cell_len, row) for row in rest)]


def _evidence_rows(evidence: Evidence, width: int, most: int) -> list[Text]:
    """Both values, and what they measure behind them, or below where there is little room."""
    values = "  :  ".join(f"{value / 1000:.2f}" for value in evidence.values_milli[:2])
    head = line((f"{clean(evidence.name, 32)}  ", theme.DIM), (values, theme.PLAIN), "   ")
    note = clean(evidence.note, 160)
    if most == 1:
        return [fit(line(head, (note, theme.FAINT)), width)]
    if head.cell_len * 2 <= width:
        first, *rest = _faint(note, width - head.cell_len)
        return [line(head, first), *(line(" " * head.cell_len, row) for row in rest)]
    return [fit(head, width), *(line("  ", row) for row in _faint(note, width - 2))]


def _faint(words: str, width: int) -> list[Text]:
    return [line((row, theme.FAINT)) for row in wrap(words, max(1, width))]


def _banner(view: SessionView, verdict: VerdictView | None) -> Text:
    won = winner(view)
    totals = [points(total) for total in verdict.totals_milli[:2]] if verdict else []
    score = line((f"   {' : '.join(totals)}", theme.BRIGHT)) if totals else Text()
    if won is None:
        return line(("A DRAW", theme.TITLE), score)
    name = names(view).get(won, f"seat {won + 1}").upper()
    return line((f"{name} WINS", theme.seat_style(won) + Style(bold=True)), score)


def _waiting(view: SessionView) -> Text:
    match step_state(view, "judged"):
        case "failed":
            return line(
                ("the judges failed; there is no verdict and nobody is scored", theme.ALARM)
            )
        case "running":
            return line(("the judges are reading both sides …", theme.PLAIN))
        case _:
            return line(("the verses are in; waiting for the judges", theme.DIM))


def _before_the_court(view: SessionView, width: int, arena_ms: int) -> list[Text]:
    """The panel while it judges, a judge a row."""
    court = view.court
    if court is None:
        return [centre(_waiting(view), width)]
    if court.state == "decided":
        return _found(view, court, width, arena_ms)
    return [centre(paint_progress(court, arena_ms), width), *paint_bench(court, width)]


def _decided_rows(view: SessionView, verdict: VerdictView, width: int, room: int) -> list[Text]:
    """In `room` rows quotes give way, then the evidence, but never the note on the numbers."""
    who = names(view)
    note = _faint(clean(verdict.note, 240), width) if verdict.note else []
    rows: list[Text] = []
    for quoted, shown in LAYOUTS:
        rows = [centre(_banner(view, verdict), width)]
        for rubric in verdict.lines[:MAX_LINES]:
            rows += _rubric_rows(rubric, who, width, quoted)
        rows += note
        for evidence in verdict.evidence[:3]:
            rows += _evidence_rows(evidence, width, shown)
        if len(rows) <= room:
            break
    return rows


def _found(view: SessionView, court: CaseView, width: int, arena_ms: int) -> list[Text]:
    """What the panel has found, while it can still be appealed against."""
    who = names(view)
    rows = [
        centre(found_banner(view, court), width),
        centre(paint_progress(court, arena_ms), width),
    ]
    for at, name in enumerate(court.lines[:MAX_LINES]):
        scores = court.medians_milli[at] if at < len(court.medians_milli) else []
        reasons = [nearest_reason(court, at, seat, score) for seat, score in enumerate(scores[:2])]
        rows += _rubric_rows(RubricLine(name, list(scores), reasons), who, width, 2)
    return rows


def _ended_rows(view: SessionView, width: int, arena_ms: int) -> list[Text]:
    outcome = view.outcome or {}
    if view.status == "void":
        why = clean(str(outcome.get("reason", "")), 160)
        return [
            centre(line(("VOID  ", theme.ALARM), (f"{why}; nobody is scored", theme.DIM)), width)
        ]
    if undecided(view):
        return _before_the_court(view, width, arena_ms)
    why = termination(str(outcome.get("termination", "")))
    return [centre(line(_banner(view, None), (f"   {why}", theme.PLAIN)), width)]


def paint_verdict(state: State, width: int, height: int = ANY_HEIGHT) -> list[Text]:
    """As many lines as it takes, at most `height`; none while the battle goes on."""
    view = state.spectated.view if state.spectated else None
    if view is None or rap_battle(view) is None or view.status == "live":
        return []
    verdict = view.verdict
    if verdict is None:
        rows, note = _ended_rows(view, width - 4, state.arena_ms), Text()
    else:
        rows = _decided_rows(view, verdict, width - 4, height - 2)
        note = judged_by(view, verdict)
    high = max(3, min(height, len(rows) + 2))
    return frame(line(("VERDICT", theme.TITLE)), rows, width, high, note)


class VerdictPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        # A pane of its own height is asked for it before it is placed, so it looks at the screen.
        room = (self.app.size.height - AROUND_ROWS) * 4 // 5
        return paint_verdict(state, width, min(height, room))
