"""How far the proof of a session is: `proof: sealed ✓  judged …  settled ·`, as much of it as there is room for."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from server.protocol import Step
from tui_client import theme
from tui_client.proof.proof import epoch_of
from tui_client.text import clean
from tui_client.widgets.canvas import Part, line

MAX_STEPS = 8
_MARKS = {"waiting": "·", "running": "…", "done": "✓", "failed": "✗"}


def paint_steps(steps: Sequence[Step], room: int) -> Text:
    """At most `room` cells. Where not all steps have a place, those that are done are counted, and what is left to be done, or
    went wrong, keeps its name."""
    steps = steps[:MAX_STEPS]
    if not steps:
        return Text(end="")
    done = [step for step in steps if step.state == "done"]
    rest = [step for step in steps if step.state != "done"]
    ways = (
        _row([_step(step, note=_note(step)) for step in steps], "  "),
        _row([_step(step, note=_epoch(step)) for step in steps], "  "),
        _row([_step(step, note=_epoch(step)) for step in steps], " "),
        _row([_counted(done, steps), *(_step(step) for step in rest)], "  "),
        _row([_counted(done, steps), *_wrong(rest)], "  "),
    )
    return next((way for way in ways if way.cell_len <= room), Text(end=""))


def _row(parts: Sequence[Text], between: str) -> Text:
    joined = Text(between, end="").join(parts)
    return line(("proof: ", theme.FAINT), joined, " ")


def _step(step: Step, *, note: str = "") -> Text:
    parts: list[Part] = [(f"{clean(step.name, 16)} ", theme.DIM), _mark(step.state)]
    return line(*parts, (f" {note}" if note else "", theme.DIM))


def _mark(state: str) -> tuple[str, Style]:
    style = theme.ALARM if state == "failed" else theme.BRIGHT
    return _MARKS.get(state, "·"), theme.FAINT if state == "waiting" else style


def _note(step: Step) -> str:
    if step.name == "opened" and step.state == "done":
        return "(entries in escrow)"
    return _epoch(step)


def _epoch(step: Step) -> str:
    """What the chain has made of it."""
    if step.name != "anchored" or step.state != "done":
        return ""
    if step.detail.startswith("refunded"):
        return "refunded"
    epoch = epoch_of(step.detail)
    return f"epoch {epoch}" if epoch else ""


def _counted(done: Sequence[Step], steps: Sequence[Step]) -> Text:
    """`5 of 7 ✓`, and the epoch where there is one."""
    epoch = next((note for step in done if (note := _epoch(step))), "")
    counted = f"{len(done)} of {len(steps)} "
    return line((counted, theme.DIM), _mark("done"), (f" {epoch}" if epoch else "", theme.DIM))


def _wrong(rest: Sequence[Step]) -> list[Text]:
    return [_step(step) for step in rest if step.state == "failed"]
