"""The verdict: who won, line by line of the rubric, with the judges' words and the evidence beside."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from server.protocol import Evidence, RubricLine, SessionView, VerdictView
from tui_client import theme
from tui_client.observed import rap_battle, step_state, undecided, winner
from tui_client.state import State
from tui_client.text import clean
from tui_client.widgets.canvas import centre, fit, frame, label, line, rail
from tui_client.widgets.pane import Pane
from tui_client.words import names, points, termination

FULL_MILLI = 10_000
"""A full score: ten points."""
LABEL_WIDTH = 13
SCORE_WIDTH = 5
MAX_LINES = 8


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


def _quote(rubric: RubricLine, who: dict[int, str], width: int) -> Text:
    """The judge's words about the better seat of a line."""
    scores = rubric.scores_milli[:2]
    seat = scores.index(max(scores)) if scores else 0
    reason = clean(rubric.reasons[seat], 240) if seat < len(rubric.reasons) else ""
    if not reason or width < 12:
        return Text()
    name = who.get(seat, "")
    said = line((f"{name}: ", theme.SEATS_DIM[seat]), (f"“{reason}”", theme.DIM))
    return fit(said, width)


def _rubric_row(rubric: RubricLine, who: dict[int, str], width: int) -> Text:
    head = line(label(clean(rubric.name, 24), LABEL_WIDTH), _scores(rubric.scores_milli, width))
    return line(head, _quote(rubric, who, width - head.cell_len))


def _evidence_row(evidence: Evidence, width: int) -> Text:
    values = "  :  ".join(f"{value / 1000:.2f}" for value in evidence.values_milli[:2])
    head = line((f"{clean(evidence.name, 32)}  ", theme.DIM), (values, theme.PLAIN))
    return fit(line(head, (f"   {clean(evidence.note, 160)}", theme.FAINT)), width)


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


def _decided_rows(view: SessionView, verdict: VerdictView, width: int) -> list[Text]:
    who = names(view)
    rows = [centre(_banner(view, verdict), width)]
    rows += [_rubric_row(rubric, who, width) for rubric in verdict.lines[:MAX_LINES]]
    rows += [_evidence_row(evidence, width) for evidence in verdict.evidence[:3]]
    if verdict.note:
        rows.append(fit(line((clean(verdict.note, 240), theme.FAINT)), width))
    return rows


def _ended_rows(view: SessionView, width: int) -> list[Text]:
    outcome = view.outcome or {}
    if view.status == "void":
        why = clean(str(outcome.get("reason", "")), 160)
        return [
            centre(line(("VOID  ", theme.ALARM), (f"{why}; nobody is scored", theme.DIM)), width)
        ]
    if undecided(view):
        return [centre(_waiting(view), width)]
    why = termination(str(outcome.get("termination", "")))
    return [centre(line(_banner(view, None), (f"   {why}", theme.PLAIN)), width)]


def paint_verdict(state: State, width: int) -> list[Text]:
    """As many lines as it takes; none while the battle goes on."""
    view = state.spectated.view if state.spectated else None
    if view is None or rap_battle(view) is None or view.status == "live":
        return []
    verdict = view.verdict
    if verdict is None:
        rows, note = _ended_rows(view, width - 4), Text()
    else:
        rows = _decided_rows(view, verdict, width - 4)
        judges = ", ".join(clean(judge, 40) for judge in verdict.judges[:5])
        note = line((f"judged by {judges}" if judges else "", theme.DIM))
    return frame(line(("VERDICT", theme.TITLE)), rows, width, len(rows) + 2, note)


class VerdictPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_verdict(state, width)
