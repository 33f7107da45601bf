"""The desk: a row for each seat with its position, what it makes, what it has, and the race."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.style import Style
from rich.text import Text

from server.protocol import SeatCard, SessionView
from tui_client import theme
from tui_client.state import State
from tui_client.widgets.canvas import fit, frame, label, line
from tui_client.widgets.chart.scale import Scale, over
from tui_client.widgets.chart.spark import spark
from tui_client.widgets.deciding import deciding
from tui_client.widgets.pane import Pane
from tui_client.widgets.places import LEAD_WIDTH, place, standing
from tui_client.widgets.trade_wars.figures import change, money, per_cent, position, sign
from tui_client.widgets.trade_wars.observed import TradeWars, trade_wars
from tui_client.words import termination, void_reason

NAME = (13, 18)
"""Cells of a name, narrow and wide."""
POSITION, PNL, EQUITY, PER_CENT = 13, 13, 14, 11
WIDE = 100
"""Inner cells from which on there is room for the rounds and the race."""
MAX_ROUNDS = 10
"""Whose orders are shown beside each other."""


def _doing(state: State, view: SessionView, seen: TradeWars, seat: int) -> Text:
    """A seat's position, its decision, or how it came out."""
    if seen.equity[seat] == 0 and view.status != "void":
        return line(("✗ LIQUIDATED", theme.ALARM))
    if seen.positions:
        return position(seen.positions[seat])
    if view.status == "void":
        return Text(end="")
    if seen.series is not None or seen.phase in ("unmask", "over"):
        return _came_out(seen, seat)
    return deciding(state, seat, "decides")


def _came_out(seen: TradeWars, seat: int) -> Text:
    if seen.ranks[seat] != 1:
        return Text(end="")
    shared = seen.ranks.count(1) > 1
    return line(("shares first" if shared else "WINS", theme.SEATS[0] + Style(bold=True)))


def _pnl(seen: TradeWars, seat: int) -> Text:
    """Of the running round, or of the last one."""
    if seen.positions:
        now = seen.positions[seat].pnl
        style = theme.BRIGHT if now else theme.DIM
        return line((change(now), style))
    if seen.log:
        return line((change(seen.log[-1].pnl[seat]), theme.DIM))
    return Text(end="")


def _right(text: Text, width: int) -> Text:
    return line(
        " " * max(0, width - text.cell_len - 1), fit(text, min(width - 1, text.cell_len)), " "
    )


def _rounds(seen: TradeWars, seat: int) -> Text:
    """`▲ ▼ · ▲`: the side of each round."""
    shown = [sign(past.orders[seat]) for past in seen.log[-MAX_ROUNDS:]]
    return line((" ".join(shown), theme.PLAIN))


def race(gain: int, most: int, width: int, style: Style) -> Text:
    """A rail from the middle: to the right what was won, to the left what was lost."""
    half = max(1, (width - 1) // 2)
    cells = min(half, -(-abs(gain) * half // most)) if most > 0 else 0
    lost, won = (cells, 0) if gain < 0 else (0, cells)
    return line(
        ("─" * (half - lost), theme.FRAME),
        ("━" * lost, style),
        ("┼", theme.DIM),
        ("━" * won, style),
        ("─" * (half - won), theme.FRAME),
    )


def _row(
    state: State,
    view: SessionView,
    seen: TradeWars,
    card: SeatCard,
    width: int,
    scale: Scale,
) -> Text:
    seat, wide = card.seat, width >= WIDE
    style = theme.place_style(seat, seen.ranks)
    shade = theme.DIM if style == theme.PLAIN else style
    who = line(
        place(card, seen.ranks, LEAD_WIDTH + NAME[wide]),
        " ",
        fit(_doing(state, view, seen, seat), POSITION),
    )
    if view.status == "void":
        return who
    head = line(
        who,
        _right(_pnl(seen, seat), PNL),
        _right(line((money(seen.equity[seat]), theme.MONEY)), EQUITY),
    )
    curve = seen.curves[seat] if seen.curves else ()
    rest = width - head.cell_len
    if not wide:
        return line(head, spark(curve, scale, rest, shade))
    gain = seen.equity[seat] - seen.stake
    most = max((abs(equity - seen.stake) for equity in seen.equity), default=0)
    rounds = min(MAX_ROUNDS, seen.rounds) * 2
    across = max(9, (rest - PER_CENT - rounds - 4) // 2)
    told = line((per_cent(seen.equity[seat], seen.stake), theme.PLAIN))
    return line(
        head,
        _right(told, PER_CENT),
        fit(race(gain, most, across, shade), across),
        "  ",
        fit(_rounds(seen, seat), rounds),
        " ",
        spark(curve, scale, rest - PER_CENT - across - rounds - 3, shade),
    )


def _head(view: SessionView, seen: TradeWars, width: int) -> Text:
    if view.status == "void":
        return Text()
    wide = width >= WIDE
    pnl = "this round" if seen.positions else "last round" if seen.log else ""
    words = line(
        " " * LEAD_WIDTH,
        label("", NAME[wide] + 1),
        label("position" if seen.positions else "", POSITION),
        _right(line((pnl, theme.DIM)), PNL),
        _right(line(("equity", theme.DIM)), EQUITY),
    )
    return line(words, _right(line(("in all", theme.DIM)), PER_CENT)) if wide else words


def _title(view: SessionView) -> Text:
    if view.status == "live":
        return line(("DESK", theme.TITLE))
    if view.status == "void":
        return line(("VOID", theme.ALARM), (f"  {void_reason(view)}", theme.DIM))
    why = termination(str((view.outcome or {}).get("termination", "")))
    return line(("RESULT", theme.TITLE), (f"  {why}", theme.DIM))


def paint_desk(state: State, width: int, height: int) -> list[Text]:
    """A row a seat, in a frame, by seat; the ranks stand before the names."""
    view = state.spectated.view if state.spectated else None
    seen = trade_wars(view)
    if view is None or seen is None:
        return []
    inner = width - 4
    seen = msgspec.structs.replace(seen, ranks=tuple(standing(view, seen.ranks)))
    scale = over([seen.stake, *(value for curve in seen.curves for value in curve)], 1)
    rows = [_head(view, seen, inner)] if height > len(view.seats) + 2 else []
    rows += [_row(state, view, seen, card, inner, scale) for card in view.seats]
    return frame(_title(view), rows, width, height)


class DeskPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_desk(state, width, height)
