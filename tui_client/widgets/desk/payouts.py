"""What an entry of a tier costs and what a place is worth: to be seen before anybody joins."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tui_client import theme
from tui_client.owner.amounts import money, plain
from tui_client.owner.answers import Fees, Table
from tui_client.widgets.canvas import Part, line

PLACES = ("1st", "2nd", "3rd")
COLUMN = 10
LABEL = 7


def payout_rows(fees: Fees | None, tier_micros: int) -> list[Text]:
    """A column for each number of seats; a line of a quiet word where the table has not come."""
    tier = fees.of(tier_micros) if fees is not None else None
    if tier is None:
        return [line(("…", theme.DIM))]
    tables = tier.tables[:2]
    rows = [
        line(
            (f"{'entry':<{LABEL}}", theme.DIM), (money(tier.entry_micros, tier.asset), theme.MONEY)
        ),
        _row("seats", [str(table.seats) for table in tables]),
        _row("pot", [plain(table.pot_micros) for table in tables]),
    ]
    for at, name in enumerate(PLACES):
        won = [_place(table, at) for table in tables]
        if any(won):
            rows.append(_row(name, won, bright=True))
    rows.append(_row("fees", [plain(_taken(table)) for table in tables]))
    rows.append(line(("ties share, a void refunds", theme.FAINT)))
    if not tier.open:
        rows.append(line(("this arena has not opened it", theme.ALARM)))
    return rows


def _row(word: str, values: Sequence[str], *, bright: bool = False) -> Text:
    style = theme.MONEY if bright else theme.PLAIN
    parts: list[Part] = [(f"{word:<{LABEL}}", theme.DIM)]
    told = "".join(f"{value:<{COLUMN}}" for value in values).rstrip()
    return line(*parts, (told, style))


def _place(table: Table, at: int) -> str:
    won = table.places_micros[at] if at < len(table.places_micros) else 0
    return plain(won) if won else ""


def _taken(table: Table) -> int:
    return table.fees.protocol + table.fees.judges + table.fees.operators
