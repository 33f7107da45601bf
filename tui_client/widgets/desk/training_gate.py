"""A gate: the sequential test between its bounds, the score with its interval, the verdict with its reasons."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.owner.learning import FirstAnswers, Gate, GateCard
from tui_client.owner.lineages import number_of
from tui_client.owner.training import TrainingPage
from tui_client.owner.training_shown import (
    SPACES,
    VERSIONS,
    gate_id,
    gate_of,
    live_sessions,
    shown_job,
)
from tui_client.state import State
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import Part, frame, line, spread
from tui_client.widgets.chart.axis import beside
from tui_client.widgets.chart.plot import Plot
from tui_client.widgets.chart.scale import Scale
from tui_client.widgets.desk.standing import percent
from tui_client.widgets.pane import Pane
from tui_client.words import space_title

REASON_CHARS = 400
PLOT_LEAST, PLOT_MOST = 4, 16
"""Rows."""
DECISIONS = {"promote": "PROMOTED", "keep": "NOT PROMOTED", "undecided": "UNDECIDED"}
VERDICTS = {"promote": theme.MONEY, "keep": theme.PLAIN}


def paint_gate(state: State, width: int, height: int) -> list[Text]:
    page = state.desk.page
    if not isinstance(page, TrainingPage):
        return []
    known = state.desk.known(state.now_ms)
    title = line(("GATE", theme.TITLE))
    id_ = gate_id(page, known)
    told = gate_of(known, id_)
    if told is None:
        words = "…" if id_ else _none(page)
        rows = [line((each, theme.FAINT)) for each in wrap(words, max(8, width - 4))]
        return frame(title, rows, width, height)
    card = told.card
    names = f"  {_name(card.candidate)} against {_name(card.current)}"
    job = shown_job(page, known)
    last = page.focus == SPACES and (job is None or job.gate != id_)
    title = line(("LAST GATE" if last else "GATE", theme.TITLE), (names, theme.BRIGHT))
    note = line((space_title(card.space), theme.FAINT))
    live = len(live_sessions(page, known))
    rows = gate_rows(told, live, width - 4, height - 2)
    return frame(title, rows, width, height, note)


def _none(page: TrainingPage) -> str:
    if page.focus == VERSIONS:
        return "This version went through no gate: its owner made it."
    return "A candidate meets the version that plays here, as soon as one is trained."


def gate_rows(told: Gate, live: int, width: int, height: int) -> list[Text]:
    """What there is room for: score, state or verdict, the plot, what else is known."""
    card = told.card
    head = [_score(card, width), _state(card, live, width)]
    reasons = [
        line((row, theme.DIM))
        for reason in card.reasons
        for row in wrap(clean(reason, REASON_CHARS), max(8, width))
    ]
    extras = reasons or _extras(told)
    room = height - len(head)
    plot = max(PLOT_LEAST, min(PLOT_MOST, room - len(extras)))
    shown = test_rows(told, width, plot) if room >= PLOT_LEAST else []
    return [*head, *shown, *extras[: max(0, room - len(shown))]]


def _score(card: GateCard, width: int) -> Text:
    """`58.1% (52-64)  ──╺━━◆━━╸│──  64 of 250 pairs`: the middle of the bar is as good as the current version."""
    told: list[Part] = [
        (f"{percent(card.score_milli)}%", theme.BRIGHT),
        (f" ({percent(card.low_milli)}-{percent(card.high_milli)}) ", theme.FAINT),
    ]
    pairs = line((f" {card.pairs:,} of {card.most:,} pairs", theme.DIM))
    room = min(40, width - line(*told).cell_len - pairs.cell_len)
    return line(*told, interval(card.low_milli, card.score_milli, card.high_milli, room), pairs)


def interval(low: int, middle: int, high: int, width: int) -> Text:
    """Thousandths on a scale of 0 to 1, its half marked; nothing where there is no room."""
    if width < 9:
        return Text(end="")

    def cell(milli: int) -> int:
        return min(width - 1, max(0, round(milli * (width - 1) / 1_000)))

    plot = Plot(width, 1)
    plot.put(cell(500), 0, "╋" if low <= 500 <= high else "┊", theme.DIM)
    plot.put(cell(middle), 0, "◆", theme.SEATS[0])
    plot.rule(cell(low), cell(high) + 1, 0, "━", theme.SEATS_DIM[0])
    plot.rule(0, width, 0, "─", theme.FRAME)
    return plot.lines()[0]


def _state(card: GateCard, live: int, width: int) -> Text:
    if card.decision is not None:
        word = DECISIONS.get(card.decision, clean(card.decision, 16))
        return line((word, VERDICTS.get(card.decision, theme.BRIGHT)))
    left = line(
        (
            "being played"
            if card.test == "running"
            else f"test {clean(card.test, 12)}, now the pool",
            theme.BRIGHT,
        )
    )
    right = line(("w ", theme.KEY), (f"▶ {live} live", theme.BRIGHT)) if live else Text(end="")
    return spread(left, right, width) if live else left


def _extras(told: Gate) -> list[Text]:
    rows = []
    if told.candidate.turns and told.current.turns:
        shares = f"{_share(told.candidate)} of first answers valid, {_share(told.current)} before"
        rows.append(line((shares, theme.DIM)))
    if told.pool_pairs:
        pool = f"pool: {told.pool_milli / 10:+.1f}% beside it over {told.pool_pairs:,} pairs"
        rows.append(line((pool, theme.DIM)))
    return rows


def _share(answers: FirstAnswers) -> str:
    return f"{100 * max(0, answers.valid) / answers.turns:.0f}%"


def test_rows(told: Gate, width: int, height: int) -> list[Text]:
    """The log-likelihood ratio after each pair, between the bound at which the candidate passes and the one at which it fails."""
    card = told.card
    values = [each / 1_000 for each in (0, *told.llr_milli)]
    lower, upper = card.lower_milli / 1_000, card.upper_milli / 1_000
    low, high = min(lower, *values), max(upper, *values)
    scale = Scale(low, max(high, low + 0.001), height)
    now = card.llr_milli / 1_000
    style = _style(card)
    found = {
        scale.row(upper): line((f"{upper:+.2f} passes", theme.MONEY)),
        scale.row(lower): line((f"{lower:+.2f} fails", theme.ALARM)),
    }
    if (row := scale.row(now)) not in found:
        found[row] = line((f"{now:+.2f} LLR", style))
    side = max(label.cell_len for label in found.values())
    plot = Plot(max(2, width - side - 1), height)
    across = _across(card, len(values), plot.width)
    plot.curve(across, values if len(values) > 1 else values * 2, scale, style)
    plot.rule(0, plot.width, scale.row(upper), "─", theme.MONEY)
    plot.rule(0, plot.width, scale.row(lower), "─", theme.ALARM)
    plot.rule(0, plot.width, scale.row(0.0), "╌", theme.FRAME)
    return beside(plot.lines(), found, side)


def _across(card: GateCard, count: int, width: int) -> int:
    """While the test runs the curve has room to go on; a test that has ended takes all of it."""
    if card.test != "running":
        return width
    return max(2, width * count // max(count + 8, count * 4 // 3))


def _style(card: GateCard) -> Style:
    return {"passed": theme.MONEY, "failed": theme.ALARM}.get(card.test, theme.SEATS[0])


def _name(version: str) -> str:
    number = number_of(version)
    return f"v{number}" if number is not None else clean(version, 12)


class TrainingGatePane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_gate(state, width, height)
