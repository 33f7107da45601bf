"""What a seat is at while decisions are open: it has sealed its answer, or its clock runs."""

from __future__ import annotations

from rich.text import Text

from tui_client import theme
from tui_client.observed import open_decision
from tui_client.state import State
from tui_client.widgets.canvas import line
from tui_client.words import clock

SEALED = "▮"
HURRY_MS = 5_000


def deciding(state: State, seat: int, verb: str) -> Text:
    """`sealed ▮`, or `verb 0:21`; nothing for a seat that owes nothing."""
    view = state.spectated.view if state.spectated else None
    decision = open_decision(view, seat)
    if view is None or view.status != "live" or decision is None:
        return Text(end="")
    if decision.done:
        return line((f"sealed {SEALED}", theme.BRIGHT))
    left = decision.deadline_ms - state.arena_ms
    again = " again" if decision.attempt > 1 else ""
    hurry = theme.ALARM if left < HURRY_MS else theme.DIM
    return line((f"{verb}{again} ", theme.DIM), (clock(left), hurry))
