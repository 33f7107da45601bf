"""Who said what of the question on the screen, and every seat's scores."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from server.protocol import SeatCard, SessionView
from tui_client import theme
from tui_client.state import State
from tui_client.text import clean
from tui_client.widgets.canvas import fit, frame, label, line
from tui_client.widgets.chart.scale import short
from tui_client.widgets.deciding import deciding
from tui_client.widgets.pane import Pane
from tui_client.widgets.places import LEAD_WIDTH, place, ranks
from tui_client.widgets.prediction.observed import Asked, Forecast, Prediction, prediction
from tui_client.widgets.prediction.shown import median_at, points, shown
from tui_client.words import name_of, void_reason

NAME = (13, 18)
"""Cells of a name, narrow and wide."""
SAID = (24, 34)
SCORE = 8
WIDE = 100


def _said(seen: Prediction, given: Forecast | None) -> Text:
    """`412.5  380 … 450`, or `73 %`."""
    if given is None:
        return line(("no forecast", theme.FAINT))
    if seen.kind == "probability":
        return line((f"{100 * float(given[0]):.4g} %", theme.BRIGHT))
    values = sorted(float(value) for value in given)
    middle = values[min(median_at(seen), len(values) - 1)]
    between = f"  {short(values[0])} … {short(values[-1])}" if len(values) > 1 else ""
    return line((short(middle), theme.BRIGHT), (between, theme.DIM))


def _doing(state: State, seen: Prediction, one: Asked | None, seat: int) -> Text:
    if one is None:
        return Text(end="")
    if one.forecasts is None:
        return deciding(state, seat, "thinks")
    return _said(seen, one.forecasts[seat])


def _right(text: Text, width: int) -> Text:
    return line(" " * max(0, width - text.cell_len), fit(text, min(width, text.cell_len)))


def _score(one: Asked, seat: int) -> Text:
    if one.scores_micros is None:
        return line(("·", theme.FAINT))
    mine, best = one.scores_micros[seat], max(one.scores_micros)
    alone = mine == best and one.scores_micros.count(best) == 1
    style = theme.BRIGHT + Style(bold=True) if alone else theme.DIM
    return line((f"{'*' if alone else ''}{points(mine)}", style))


def _columns(seen: Prediction, width: int) -> range:
    """The questions whose scores have room: the last ones."""
    wide = width >= WIDE
    room = max(0, (width - LEAD_WIDTH - NAME[wide] - 1 - SAID[wide] - SCORE) // SCORE)
    return range(max(0, len(seen.asked) - room), len(seen.asked))


def _row(
    state: State,
    view: SessionView,
    seen: Prediction,
    card: SeatCard,
    width: int,
    one: Asked | None,
) -> Text:
    seat, wide = card.seat, width >= WIDE
    if view.status == "void":
        name = place(card, [1] * len(seen.totals_micros), LEAD_WIDTH + NAME[wide])
        return line(name, " ", fit(_doing(state, seen, one, seat), SAID[wide]))
    ranking = ranks(seen.totals_micros)
    total = line((points(seen.totals_micros[seat]), theme.PLAIN))
    if any(seen.totals_micros):
        total.stylize(theme.place_style(seat, ranking) + Style(bold=True))
    return line(
        place(card, ranking, LEAD_WIDTH + NAME[wide]),
        " ",
        fit(_doing(state, seen, one, seat), SAID[wide]),
        *(_right(_score(seen.asked[at], seat), SCORE) for at in _columns(seen, width)),
        _right(total, SCORE),
    )


def _head(view: SessionView, seen: Prediction, width: int, at: int | None) -> Text:
    wide = width >= WIDE
    told = "says" if at is None or seen.asked[at].forecasts is None else "said"
    what = {"quantiles": f"{told}", "probability": f"{told} it will be above"}[seen.kind]
    said = line(" " * LEAD_WIDTH, label("", NAME[wide] + 1), label(what, SAID[wide]))
    if view.status == "void":
        return said
    names = [
        _right(line((f"Q{n + 1}", theme.BRIGHT if n == at else theme.DIM)), SCORE)
        for n in _columns(seen, width)
    ]
    return line(said, *names, _right(line(("total", theme.DIM)), SCORE))


def _title(view: SessionView, seen: Prediction) -> Text:
    rule = clean(seen.score, 12)
    how = f"  {rule}, 0 is best" if rule else ""
    if view.status == "live":
        return line(("SCORES", theme.TITLE), (how, theme.DIM))
    if view.status == "void":
        return line(("VOID", theme.ALARM), (f"  {void_reason(view)}", theme.DIM))
    return line(("RESULT", theme.TITLE), (how, theme.DIM))


def _winner(view: SessionView, seen: Prediction) -> Text | None:
    if view.status != "ended":
        return None
    ranking = ranks(seen.totals_micros)
    best = [card for card in view.seats if ranking[card.seat] == 1]
    if len(best) != 1:
        return line(("a tie", theme.TITLE))
    return line((f"{name_of(best[0])} WINS", theme.SEATS[0] + Style(bold=True)))


def paint_scores(state: State, width: int, height: int) -> list[Text]:
    """A row a seat, in a frame, by seat; the ranks stand before the names."""
    view = state.spectated.view if state.spectated else None
    seen = prediction(view)
    if view is None or seen is None:
        return []
    inner = width - 4
    at = shown(state, seen)
    one = seen.asked[at] if at is not None else None
    rows = [_head(view, seen, inner, at)] if height > len(view.seats) + 2 else []
    rows += [_row(state, view, seen, card, inner, one) for card in view.seats]
    return frame(_title(view, seen), rows, width, height, _winner(view, seen))


class ScoresPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_scores(state, width, height)
