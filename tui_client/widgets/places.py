"""Who stands where among many seats: the head of a row in a table of seats."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from server.protocol import SeatCard, SessionView
from tui_client import theme
from tui_client.widgets.canvas import fit, line
from tui_client.words import name_of, seat_mark

LEAD_WIDTH = 5
"""Cells before the name."""


def ranks(scores: Sequence[int]) -> list[int]:
    """1 is best, more is better, equal ones share a rank."""
    return [1 + sum(other > mine for other in scores) for mine in scores]


def standing(view: SessionView, ranking: Sequence[int]) -> list[int]:
    """The ranking; of a void session one place for all, since nobody is scored."""
    return [1] * len(ranking) if view.status == "void" else list(ranking)


def place(card: SeatCard, ranking: Sequence[int], width: int) -> Text:
    """`1  A Nova` in `width` cells; nobody has a rank while all share one."""
    seat = card.seat
    told = len(set(ranking)) > 1 and 0 <= seat < len(ranking)
    rank = f"{ranking[seat]:<3}" if told else "·  "
    style = theme.place_style(seat, ranking)
    first = Style(bold=told and ranking[seat] == 1)
    name = theme.BRIGHT if style == theme.PLAIN else style
    return fit(
        line(
            (rank, style + first), (f"{seat_mark(seat)} ", theme.DIM), (name_of(card), name + first)
        ),
        width,
    )
