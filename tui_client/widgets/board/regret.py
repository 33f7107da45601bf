"""What each seat gave away, ply by ply, from the annotation that follows the end."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from rich.style import Style
from rich.text import Text

from server.protocol import SessionView
from tui_client import theme
from tui_client.text import clean
from tui_client.widgets.canvas import line
from tui_client.words import MARKS

NOTHING_MILLI = 5
"""Less than this is nothing in two places."""

Milli = Annotated[int, Meta(ge=-1_000_000, le=1_000_000)]


class Ply(msgspec.Struct, frozen=True):
    """One pair of bids and the mark after it, or a forfeit, in thousandths of the stake."""

    ply: int
    bid_regret_milli: tuple[Milli, Milli]
    mark_regret_milli: Milli | None = None
    forfeit: tuple[Annotated[int, Meta(ge=0, le=1)], ...] = ()
    """The seats that failed this decision, and lost what the position was worth to them."""

    def of(self, seat: int, winner: int | None) -> int:
        """Bid and mark together."""
        marked = self.mark_regret_milli or 0
        return self.bid_regret_milli[seat] + (marked if seat == winner else 0)


class Regret(msgspec.Struct, frozen=True):
    """An annotation of kind `regret`."""

    plies: tuple[Ply, ...] = ()
    """In the order of the log."""
    mean_regret_milli: tuple[Milli, Milli] | None = None
    unavailable: str | None = None


def regret(view: SessionView) -> Regret | None:
    """None where there is none, or none that can be read."""
    found: dict[str, Any] | None = next(
        (each for each in view.annotations if each.get("kind") == "regret"), None
    )
    try:
        return None if found is None else msgspec.convert(found, Regret)
    except msgspec.ValidationError:
        return None


def ply_of(told: Regret | None, at: int, ply: int) -> Ply | None:
    """What stands beside row `at` of the log, if it is about the same ply."""
    if told is None or at >= len(told.plies) or told.plies[at].ply != ply:
        return None
    return told.plies[at]


def forfeited(told: Regret | None, at: int) -> Ply | None:
    """The forfeit that ended the session, after `at` rows of the log."""
    if told is None or len(told.plies) != at + 1 or not told.plies[at].forfeit:
        return None
    return told.plies[at]


def share(milli: int, places: int = 2) -> str:
    """Of the stake: `.14`, `1.00`."""
    text = f"{milli / 1_000:.{places}f}"
    return text[1:] if text.startswith("0.") else text


def beside(one: Ply, winner: int | None, *, wide: bool) -> Text:
    """`regret X .01 O .14`; where it is narrow the numbers alone, under the edge that names them."""
    parts = [("regret", theme.FAINT)] if wide else []
    for seat, mark in enumerate(MARKS):
        milli = one.of(seat, winner)
        lost = milli >= NOTHING_MILLI
        style = theme.seat_style(seat) + Style(bold=True) if lost else theme.FAINT
        if wide:
            parts.append((f" {mark} ", theme.seat_style(seat) if lost else theme.FAINT))
        parts.append((share(milli) if wide else f"{share(milli):>5}", style))
    return line(*parts)


def mean(told: Regret | None, seat: int) -> Text:
    """`regret .031 a ply`"""
    if told is None or told.mean_regret_milli is None:
        return Text(end="")
    number = share(told.mean_regret_milli[seat], 3)
    return line(("regret ", theme.DIM), (number, theme.BRIGHT), (" a ply", theme.DIM))


def missing(told: Regret | None) -> Text | None:
    """Why there is none, where the arena says so."""
    if told is None or not told.unavailable:
        return None
    return line((f"no regret: {clean(told.unavailable, 120)}", theme.DIM))
