"""Purses, what crosses the border to the chain or is in the escrow there, the chosen purse's last lines, and the form that moves money."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.owner import arena
from tui_client.owner.amounts import ASSETS, money, plain, signed
from tui_client.owner.answers import Balance, Crossing, Crossings, Line, OwnAgents, Statement
from tui_client.owner.money import (
    OWNER,
    VERBS,
    MoneyPage,
    chosen_purse,
    on_chain,
    purses,
    settlement,
)
from tui_client.owner.page import Known
from tui_client.state import State
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import fit, frame, line, spread
from tui_client.widgets.desk.automating import profit_style
from tui_client.widgets.desk.escrow import paint_escrow
from tui_client.widgets.desk.fields import form_rows
from tui_client.widgets.pane import Pane
from tui_client.words import NAME_LIMIT, moment, space_title

CODES = {
    "entry": "entry",
    "winnings": "winnings",
    "refund": "void, entry back",
    "fund": "moved",
    "deposit": "deposit",
    "withdrawal": "withdrawal",
    "grant": "granted",
    "hold": "held",
    "fee": "fee",
}
KINDS = {"pending": "reserved", "void": "given back"}
"""Of lines that moved nothing."""


def paint_purses(state: State, width: int, height: int) -> list[Text]:
    page = state.desk.page
    if not isinstance(page, MoneyPage):
        return []
    known = state.desk.known(state.now_ms)
    found = purses(known)
    chosen = chosen_purse(page, known)
    told = _labels(known, width - 4)
    form = form_rows(page.form, width - 4, 5, width - 4) if page.doing else []
    room = max(1, height - 2 - len(told) - (len(form) + 2 if form else 0))
    at = found.index(chosen) if chosen in found else 0
    first = max(0, min(at - room // 2, len(found) - room))
    rows = [_purse(each, width - 4, each == chosen) for each in found[first : first + room]]
    if not found:
        rows = [line(("…", theme.DIM))]
    rows += [Text()] * (room - len(rows))
    if form:
        rows += [
            Text(),
            line((page.doing.upper().replace("BACK", "TAKE BACK"), theme.TITLE)),
            *form,
        ]
    title = line(("PURSES", theme.TITLE))
    note = line((f"enter {VERBS[page.doing]} it", theme.DIM)) if page.doing else None
    return frame(title, [*rows, *told], width, height, note)


def _labels(known: Known, width: int) -> list[Text]:
    """What the assets are worth."""
    words = "play: play money, worth nothing."
    if settlement(known) == "simulated":
        words += " USDC here is simulated: no real money is behind it."
    if on_chain(known):
        words += " USDC is in the escrow, and only your wallet takes it out."
    return [line((each, theme.FAINT)) for each in wrap(words, max(8, width))]


def _purse(purse: Balance, width: int, mine: bool) -> Text:
    name = "yours" if purse.holder == OWNER else clean(purse.name, NAME_LIMIT)
    pointer = ("▸ ", theme.BRIGHT) if mine else "  "
    left = line(pointer, (name, theme.BRIGHT if mine or purse.holder == OWNER else theme.PLAIN))
    parts = []
    if purse.held_micros:
        parts.append((f"{plain(purse.held_micros)} held   ", theme.DIM))
    if purse.incoming_micros:
        parts.append((f"{plain(purse.incoming_micros)} coming   ", theme.DIM))
    style = theme.MONEY if purse.available_micros else theme.FAINT
    right = line(*parts, (f"{money(purse.available_micros, purse.asset):>14}", style))
    row = spread(left, right, width)
    if mine:
        row.stylize(theme.CURSOR)
    return row


# ---------------------------------------------------------------------- in and out


def paint_crossings(state: State, width: int, height: int) -> list[Text]:
    known = state.desk.known(state.now_ms)
    if on_chain(known):
        return paint_escrow(known, width, height)
    told = known.value(arena.crossings().path, Crossings)
    rows: list[Text] = []
    for each in (told.crossings if told is not None else ())[: max(1, height - 2)]:
        rows += _crossing(each, width - 4)
    if not rows:
        rows = [line(("nothing yet" if told is not None else "…", theme.FAINT))]
    return frame(line(("IN AND OUT", theme.TITLE)), rows, width, height)


def _crossing(crossing: Crossing, width: int) -> list[Text]:
    mark = {"confirmed": ("✓", theme.MONEY), "failed": ("✗", theme.ALARM)}
    sign = "-" if crossing.direction == "withdrawal" else "+"
    left = line(
        mark.get(crossing.state, ("…", theme.BRIGHT)),
        (f" {moment(crossing.made_ms)}", theme.DIM),
    )
    rows = [spread(left, line((f"{sign}{plain(crossing.micros)}", theme.PLAIN)), width)]
    if crossing.state == "failed" and crossing.reason:
        rows += [
            fit(line(("  ", theme.ALARM), (each, theme.ALARM)), width)
            for each in wrap(clean(crossing.reason, 160), max(8, width - 2))
        ]
    return rows


# ---------------------------------------------------------------------- the statement


def paint_statement(state: State, width: int, height: int) -> list[Text]:
    page = state.desk.page
    if not isinstance(page, MoneyPage):
        return []
    known = state.desk.known(state.now_ms)
    purse = chosen_purse(page, known)
    if purse is None:
        return frame(line(("STATEMENT", theme.TITLE)), [], width, height)
    told = known.value(arena.statement(purse.holder, purse.asset).path, Statement)
    names = known.value(arena.OWN_AGENTS, OwnAgents) or OwnAgents()
    lines = told.lines if told is not None else ()
    rows = [_line(each, names, width - 4) for each in lines[: max(1, height - 2)]]
    if not rows:
        rows = [line(("nothing yet" if told is not None else "…", theme.FAINT))]
    whose = "yours" if purse.holder == OWNER else clean(purse.name, NAME_LIMIT)
    title = line(
        ("STATEMENT ", theme.TITLE), (f"{whose}, {ASSETS.get(purse.asset, '')}", theme.DIM)
    )
    return frame(title, rows, width, height, line(("newest first", theme.FAINT)))


def _line(told: Line, names: OwnAgents, width: int) -> Text:
    still = told.kind in KINDS
    words = CODES.get(told.code, clean(told.code, 16))
    if told.kind in KINDS:
        words += f" {KINDS[told.kind]}"
    what = line(
        (f"{moment(told.made_ms)}  ", theme.FAINT),
        (f"{words:<20} ", theme.DIM if still else theme.PLAIN),
    )
    what = line(what, (_other(told, names), theme.DIM))
    change = plain(told.amount_micros) if still else signed(told.micros)
    style: Style = theme.FAINT if still else profit_style(told.micros)
    right = line((f"{change:>12}", style), (f"{plain(told.balance_micros):>14}", theme.DIM))
    return spread(what, right, width)


def _other(told: Line, names: OwnAgents) -> str:
    """Where from, or where to; or what it is about."""
    _, _, whom = told.other.partition(":")
    kind, _, name = whom.partition(":")
    if kind == "agent":
        agent = names.get(name)
        return clean(agent.name if agent is not None else name, NAME_LIMIT)
    if kind == "owner":
        return "you"
    if kind == "queue":
        return space_title(name)
    return clean(told.about or whom.replace(":", " "), 40)


class PursesPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_purses(state, width, height)


class CrossingsPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_crossings(state, width, height)


class StatementPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_statement(state, width, height)
