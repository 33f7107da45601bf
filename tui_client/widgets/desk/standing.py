"""How an agent does in words and small bars: league, record, return, level. Pure; returns safe text."""

from __future__ import annotations

from rich.text import Text

from tui_client import theme
from tui_client.owner.amounts import ASSETS, signed
from tui_client.owner.careers import Earnings, Level, Rating, Record, Stats
from tui_client.text import clean
from tui_client.widgets.canvas import Part, line, rail
from tui_client.widgets.desk.automating import profit_style
from tui_client.words import points

UNRATED = "unrated"


def league(rating: Rating | None) -> Text:
    """`◆ Gold II`; greyed with a question mark while it is provisional."""
    if rating is None or not rating.league:
        return line((UNRATED, theme.FAINT))
    if rating.provisional:
        return line((f"? {clean(rating.league, 16)}", theme.DIM))
    return line((f"◆ {clean(rating.league, 16)}", theme.BRIGHT))


def rating(told: Rating | None) -> Text:
    """`27.3 ±0.9`"""
    if told is None:
        return line(("-", theme.FAINT))
    style = theme.DIM if told.provisional else theme.BRIGHT
    return line((points(told.mu_milli), style), (f" ±{points(told.sigma_milli)}", theme.FAINT))


def record(told: Record) -> Text:
    """`31-2-18`: won, drawn, lost."""
    if not told.sessions:
        return line(("no sessions yet", theme.FAINT))
    return line(
        (f"{told.wins}", theme.BRIGHT), ("-", theme.FAINT), (f"{told.draws}", theme.PLAIN),
        ("-", theme.FAINT), (f"{told.losses}", theme.PLAIN),
    )  # fmt: skip


def win_rate(told: Record) -> Text:
    """`61% (47-73)`"""
    rate = told.win_rate
    if rate is None:
        return line(("-", theme.FAINT))
    low, high = percent(rate.low_milli), percent(rate.high_milli)
    return line((f"{percent(rate.milli)}%", theme.BRIGHT), (f" ({low}-{high})", theme.FAINT))


def percent(milli: int) -> int:
    """Thousandths to whole percents, halves up."""
    return (milli + 5) // 10


def roi(told: Earnings) -> Text:
    """`+12.5% play`"""
    asset = ASSETS.get(told.asset, "")
    if told.roi_milli is None:
        return line(("-", theme.FAINT), (f" {asset}", theme.DIM))
    style = profit_style(told.roi_milli)
    return line((_share(told.roi_milli), style), (f" {asset}", theme.DIM))


def earned(told: Earnings) -> Text:
    """`+2.65 play  +12.5%`"""
    style = profit_style(told.profit_micros)
    asset = f" {ASSETS.get(told.asset, '')}"
    share = "" if told.roi_milli is None else f"  {_share(told.roi_milli)}"
    return line((signed(told.profit_micros), style), (asset, theme.DIM), (share, style))


def _share(milli: int) -> str:
    return f"{'+' if milli > 0 else ''}{milli / 10:.1f}%"


def level(told: Level, width: int) -> Text:
    """`7 ━━━━━──── 320/700`"""
    bar = max(2, min(16, width - 16))
    return line(
        (f"{told.level} ", theme.BRIGHT),
        rail(told.into, told.span, bar, theme.PLAIN),
        (f" {told.into}/{told.span}", theme.DIM),
    )


def headline(stats: Stats | None, space: str) -> Text:
    """`◆ Gold II  31-2-18`: of an agent in a list."""
    if stats is None:
        return line(("…", theme.FAINT))
    results = stats.of(space or stats.home)
    parts: list[Part] = [record(stats.record)]
    if results is not None:
        parts = [league(results.rating), ("  ", theme.DIM), *parts]
    return line(*parts)
