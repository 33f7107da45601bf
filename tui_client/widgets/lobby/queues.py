"""Who waits for a match: each queue with its length and its longest wait."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from server.protocol import QueueCard
from tui_client import theme
from tui_client.state import State
from tui_client.widgets.canvas import frame, line, spread
from tui_client.widgets.pane import Pane
from tui_client.words import age, fee, space_title

ROOMY = 36
"""Cells from which on an entry is told with its unit."""


def _row(queue: QueueCard, width: int) -> Text:
    """The Space, what an entry costs, how many wait and for how long, always with a blank between."""
    count_style = theme.LIVE if queue.waiting else theme.FAINT
    left = line((space_title(queue.space), theme.PLAIN if queue.waiting else theme.DIM))
    wait = age(queue.longest_wait_s) if queue.waiting else "-"
    cost = fee(queue.tier_micros)
    right = line(
        (
            f" {cost if width >= ROOMY else cost.removesuffix(' USDC')}",
            theme.MONEY if queue.tier_micros else theme.FAINT,
        ),
        (f" {queue.waiting:>3}", count_style),
        (f" {wait:>4}", theme.DIM),
    )
    return spread(left, right, width)


def _rows(queue: QueueCard, width: int) -> list[Text]:
    """A second one where matches are made and wait for the chain to take their entries."""
    rows = [_row(queue, width)]
    if queue.opening:
        words = "the chain takes the entries" if width >= ROOMY else "on the chain"
        count, wait = f" {queue.opening:>3}", f" {age(queue.opening_s):>4}"
        right = line((count, theme.LIVE), (wait, theme.DIM))
        rows.append(spread(line((f" {words}", theme.DIM)), right, width))
    return rows


def paint_queues(state: State, width: int, height: int) -> list[Text]:
    """The ones where somebody waits first: there may be more than there is room for."""
    queues = sorted(
        state.lobby.queues if state.lobby else [],
        key=lambda queue: not (queue.waiting or queue.opening),
    )
    rows: list[Text] = []
    shown = 0
    for queue in queues:
        more = _rows(queue, width - 4)
        if len(rows) + len(more) > height - 2:
            break
        rows, shown = [*rows, *more], shown + 1
    if not queues:
        rows = [line(("nobody waits", theme.FAINT))]
    hidden = len(queues) - shown
    note = line((f"+{hidden} more", theme.DIM)) if hidden > 0 else None
    return frame(line(("QUEUES", theme.TITLE)), rows, width, height, note)


class QueuesPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_queues(state, width, height)
