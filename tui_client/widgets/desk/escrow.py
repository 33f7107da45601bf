"""What an escrow on a chain has of the owner: to play for, on its way in or out, what it may be taken by, what is in the way."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.owner import arena
from tui_client.owner.amounts import plain, signed
from tui_client.owner.answers import Escrow, EscrowLimits
from tui_client.owner.page import Known
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import frame, line, spread

PASSING = frozenset({"awaiting-claim", "limit-day"})
"""Refusals that pass by themselves."""
HOUR_S, DAY_S = 3_600, 86_400


def paint_escrow(known: Known, width: int, height: int) -> list[Text]:
    told = known.value(arena.escrow().path, Escrow)
    title = line(("ESCROW", theme.TITLE), ("  on the chain", theme.DIM))
    if told is None:
        problem = known.kept(arena.escrow().path).problem
        words = "…" if problem is None else clean(problem.detail, 120)
        return frame(title, [line((words, theme.FAINT))], width, height)
    inner = max(8, width - 4)
    rows = [*_amounts(told, inner), *_limits(told, known.now_ms, inner)]
    room = max(0, height - 2 - len(rows))
    return frame(title, [*rows, *_refusal(told, inner, room)], width, height)


def _amounts(told: Escrow, width: int) -> list[Text]:
    """The balance always; of the rest what is not zero."""
    rows = [_row("to play for", f"{plain(told.balance_micros)} USDC", theme.MONEY, width)]
    if told.entries_micros:
        rows.append(_row(" of it waits in queues", plain(told.entries_micros), theme.DIM, width))
    if told.awaiting_micros:
        rows.append(_row(_epoch(told), signed(told.awaiting_micros), theme.MONEY, width))
    if told.leaving_micros:
        rows.append(_row("asked back", plain(told.leaving_micros), theme.PLAIN, width))
    if told.debt_micros:
        rows.append(_row("owed to the chain", plain(told.debt_micros), theme.ALARM, width))
    return rows


def _epoch(told: Escrow) -> str:
    """What is won comes with the next epoch; how often there is one, where that is known."""
    minutes = told.epoch_every_s // 60
    return f"won, within ~{minutes} min" if 0 < minutes < 100 else "won, next epoch"


def _limits(told: Escrow, now_ms: int, width: int) -> list[Text]:
    limits = told.limits
    if limits is None:
        return [_row("limits", "none: l", theme.ALARM, width)]
    day = f"{plain(told.today_micros)} of {plain(limits.daily_cap_micros)}"
    return [
        _row("most for a session", plain(limits.max_entry_micros), theme.PLAIN, width),
        _row("today", day, theme.PLAIN, width),
        _row("limits end", *_ends(limits, now_ms), width),
    ]


def _ends(limits: EscrowLimits, now_ms: int) -> tuple[str, Style]:
    left_s = limits.expires_s - now_ms // 1_000
    if left_s <= 0:
        return "they have", theme.ALARM
    if left_s < 2 * DAY_S:
        return f"in {max(1, left_s // HOUR_S)} h", theme.ALARM
    days = left_s // DAY_S
    return (f"in {days} days" if days < 3_650 else "in years"), theme.PLAIN


def _row(name: str, value: str, style: Style, width: int) -> Text:
    return spread(line((name, theme.DIM)), line(" ", (value, style)), width)


def _refusal(told: Escrow, width: int, room: int) -> list[Text]:
    """Why nothing can be entered now, and what to do; cut where there is no room, since the keys say the commands, too."""
    if told.refused is None or room < 1:
        return []
    style = theme.DIM if told.refused in PASSING else theme.ALARM
    reason = told.reason or told.refused
    if told.wallet:
        reason = reason.replace(told.wallet, "your wallet")
    pieces = wrap(clean(reason, 400), width)
    if len(pieces) > room:
        pieces = [*pieces[: room - 1], f"{pieces[room - 1][: max(0, width - 1)]}…"]
    return [line((piece, style)) for piece in pieces]
