"""A training: its steps, how far it is, what it has learnt from and made, and its loss as a curve."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.owner import arena
from tui_client.owner.learning import DataCard, Job, Training
from tui_client.owner.lineages import number_of
from tui_client.owner.spans import span
from tui_client.owner.training import TrainingPage
from tui_client.owner.training_shown import (
    OVER,
    PAST,
    data_of,
    question,
    shown_job,
)
from tui_client.state import State
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import frame, line, rail
from tui_client.widgets.chart.axis import Marked, beside, labels, width_of
from tui_client.widgets.chart.plot import Plot
from tui_client.widgets.chart.scale import over
from tui_client.widgets.pane import Pane
from tui_client.words import moment, space_title, waiting_dots

STEPS = ("collecting", "training", "packaging", "gating")
REASON_CHARS = 500
CURVE_LEAST = 3
"""Rows that a curve needs."""
CURVE_MOST = 14
COUNTED = ("examples", "turns", "tokens")
"""Counts of a data card that are told, the most useful ones first."""
RAIL_LEAST, RAIL_MOST = 8, 28
"""Cells of the bar of the steps."""
MICROS = 1_000_000
ENDS = {
    "promoted": theme.MONEY, "kept": theme.PLAIN, "failed": theme.ALARM, "cancelled": theme.DIM,
}  # fmt: skip


def paint_job(state: State, width: int, height: int) -> list[Text]:
    page = state.desk.page
    if not isinstance(page, TrainingPage):
        return []
    known = state.desk.known(state.now_ms)
    job = shown_job(page, known)
    rows: list[Text] = []
    asked = question(page, known)
    rows += [line((each, theme.ALARM)) for each in wrap(asked, max(8, width - 4))] if asked else []
    if job is None:
        told = known.value(arena.training(page.agent).path, Training)
        words = (
            "…"
            if told is None
            else "No training here yet. s starts one as soon as it may; o lets them begin by themselves."
        )
        rows += [line((each, theme.DIM)) for each in wrap(words, max(8, width - 4))]
        return frame(line(("THE TRAINING", theme.TITLE)), rows, width, height)
    title = line(
        ("LAST TRAINING" if job.state in OVER else "TRAINING NOW", theme.TITLE)
        if page.focus != PAST
        else ("TRAINING", theme.TITLE),
        (f"  {space_title(job.space)}", theme.DIM),
    )
    rows += _rows(job, state.now_ms, width - 4, height - 2 - len(rows))
    rows.append(_learnt(job, data_of(known, job), width - 4))
    copies = _copies(job, width - 4, height - 2 - len(rows))
    room = height - 2 - len(rows) - len(copies)
    curve = loss_rows(job, width - 4, min(CURVE_MOST, room)) if room >= CURVE_LEAST else []
    asked_by = "you" if job.asked == "owner" else "itself"
    note = line((f"{moment(job.created_ms)}, by {asked_by}", theme.FAINT))
    return frame(title, [*rows, *curve, *copies], width, height, note)


def reached(job: Job) -> int:
    """How many of the steps are done; of one that ended early, as far as its traces tell."""
    if job.state in ("promoted", "kept"):
        return len(STEPS)
    if job.state in STEPS:
        return STEPS.index(job.state)
    if job.gate:
        return 3
    if job.adapter or (job.steps and job.step >= job.steps):
        return 2
    return 1 if job.steps else 0


def steps_line(job: Job, now_ms: int, width: int) -> Text:
    """`✓ collecting ━ ▸ training ━ · packaging ━ · gating`"""
    done, ended = reached(job), job.state in OVER
    parts: list[Text] = []
    for at, name in enumerate(STEPS):
        mark, style = "·", theme.FAINT
        if at < done:
            mark, style = "✓", theme.PLAIN
        elif at == done and ended:
            mark, style = "✗", ENDS.get(job.state, theme.ALARM)
        elif at == done and job.state != "queued":
            mark, style = "…", theme.BRIGHT
        parts.append(line((f"{mark} {name}", style)))
    wide = sum(part.cell_len for part in parts) + 3 * (len(parts) - 1) <= width
    row = Text(no_wrap=True, end="")
    for at, each in enumerate(parts):
        row.append_text(line((" ━ " if wide else " ", theme.FRAME), each) if at else each)
    return row


def _rows(job: Job, now_ms: int, width: int, room: int) -> list[Text]:
    """Why it ended goes before its curve; what it waits for does not."""
    rows = [steps_line(job, now_ms, width), _now(job, now_ms, width)]
    reason = clean(job.reason or "", REASON_CHARS)
    style = theme.ALARM if job.state == "failed" else theme.DIM
    most = max(2, room - 4) if job.state in OVER else 3
    rows += [line((each, style)) for each in wrap(reason, max(8, width))[:most]] if reason else []
    return rows


def _now(job: Job, now_ms: int, width: int) -> Text:
    if job.cancelling:
        return line((f"being cancelled {waiting_dots(now_ms)}", theme.ALARM))
    if job.state in OVER:
        promoted = number_of(job.promoted or "")
        word = f"promoted: v{promoted} came of it" if promoted is not None else clean(job.state, 16)
        if job.state == "kept":
            word = "not promoted"
        when = f"  {moment(job.ended_ms or 0)}, {span(job.device_s)} used"
        return line((word, ENDS.get(job.state, theme.PLAIN)), (when, theme.FAINT))
    if not job.steps or job.state == "queued":
        waits = "waits for a trainer" if job.state == "queued" else clean(job.state, 16)
        return line((f"{waits} {waiting_dots(now_ms)}", theme.BRIGHT))
    at_work = job.state == "training"
    left = f"  {span(job.eta_s)} left" if at_work and job.eta_s is not None else ""
    used = f"  {clean(job.device or '', 8)} {span(job.device_s)}"
    tail = line((f" {job.step:,}/{job.steps:,}", theme.BRIGHT), (left, theme.PLAIN))
    if tail.cell_len + len(used) + RAIL_LEAST <= width:
        tail = line(tail, (used, theme.FAINT))
    room = max(4, min(RAIL_MOST, width - tail.cell_len))
    return line(rail(job.step, job.steps, room, theme.SEATS[0]), tail)


def _learnt(job: Job, card: DataCard | None, width: int) -> Text:
    """`learnt from 64 sessions, 302 examples; 8 sessions held out`: as much of the data card's counts as fits."""
    if card is None:
        return line((f"asked for at {job.scored:,} scored sessions", theme.DIM))
    told = [f", {card.counts[name]:,} {name}" for name in COUNTED if name in card.counts]
    if out := card.held_out.get("sessions"):
        told.append(f"; {len(out):,} sessions held out")
    sessions = card.counts.get("sessions", 0)
    row = line(("learnt from ", theme.DIM), (f"{sessions:,} sessions", theme.PLAIN))
    for more in told:
        if row.cell_len + len(more) <= width:
            row = line(row, (more, theme.DIM))
    return row


def _copies(job: Job, width: int, room: int) -> list[Text]:
    """What it learnt from and made, by content id, each under the key that copies it."""
    told = [("data", job.data), ("proof", job.manifest), ("adapter", job.adapter)]
    found = [(what, clean(cid, 96)) for what, cid in told if cid]
    if not found:
        return []
    if room < len(found) + CURVE_LEAST + 4:  # all in one row, so that the curve has some
        each = max(4, (width - sum(len(what) + 5 for what, _ in found)) // len(found))
        parts = [
            line((f"{at} ", theme.KEY), (f"{what} ", theme.DIM), (_short(cid, each), theme.PLAIN))
            for at, (what, cid) in enumerate(found, 1)
        ]
        return [Text("  ", end="").join(parts)]
    return [
        line(
            (f"{at} ", theme.KEY), (f"{what:<8}", theme.DIM), (_short(cid, width - 10), theme.PLAIN)
        )
        for at, (what, cid) in enumerate(found, 1)
    ]


def _short(cid: str, width: int) -> str:
    """Its end, which tells two of them apart: all of them begin alike."""
    return cid if len(cid) <= width else f"…{cid[-max(1, width - 1) :]}"


def loss_rows(job: Job, width: int, height: int) -> list[Text]:
    """The loss over the steps, unframed; the latest on the axis."""
    values = [each.micro / MICROS for each in job.curve]
    if not values:
        return [] if job.state in OVER else [line(("its loss will stand here", theme.FAINT))]
    now = job.loss_micro if job.loss_micro is not None else job.curve[-1].micro
    return curve_rows(values, theme.SEATS[0], width, height, f"loss {now / MICROS:.3f}")


def curve_rows(
    values: Sequence[float], style: Style, width: int, height: int, word: str
) -> list[Text]:
    scale = over(values, height)
    found = labels(scale, [Marked(values[-1], "▸", style)])
    side = width_of(found)
    plot = Plot(max(2, width - side - 1), height)
    plot.curve(plot.width, [*values, *values[-1:]][: max(2, len(values))], scale, style)
    at = 0 if plot.blank(plot.width - len(word), 0) else height - 1
    plot.write(max(0, plot.width - len(word)), at, word, theme.FAINT)
    return beside(plot.lines(), found, side)


class TrainingJobPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_job(state, width, height)
