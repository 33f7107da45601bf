"""The words around the fan: what is asked, how far it is, how it came out, and where to look it up."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from server.protocol import SessionView
from tui_client import theme
from tui_client.state import State
from tui_client.text import clean
from tui_client.widgets.canvas import line
from tui_client.widgets.prediction.observed import Asked, Prediction
from tui_client.widgets.prediction.shown import happened, inner_at, median_at
from tui_client.words import clock


def title(seen: Prediction, one: Asked, at: int) -> Text:
    unit = clean(one.unit or "", 24)
    step = clean(one.step or "", 16)
    ahead = (
        f"{seen.horizon} {step}{'s' if seen.horizon != 1 else ''} ahead"
        if step
        else f"{seen.horizon} ahead"
    )
    name = line(
        (f"QUESTION {at + 1}", theme.TITLE), (f"  {unit}{', ' if unit else ''}{ahead}", theme.PLAIN)
    )
    if one.threshold is not None:
        name = line(name, (f", above {one.threshold}?", theme.BRIGHT))
    return name


def legend(state: State, view: SessionView, one: Asked) -> Text:
    """What stands at the right of the upper edge: how far the question is, and how it came out."""
    if one.resolution is not None:
        yes = happened(one)
        word = "" if yes is None else "yes: " if yes else "no: "
        value = (f"{word}{one.resolution.value}", theme.BRIGHT + Style(bold=True))
        return line(("◆ ", theme.BRIGHT), value)
    if view.status == "void":
        return line(("never came out", theme.ALARM))
    if one.forecasts is None:
        count = sum(one.forecasts_in)
        return line((f"sealed {count}/{len(one.forecasts_in)}", theme.PLAIN))
    return line(("resolving …", theme.PLAIN), (_wait(state, view), theme.DIM))


def _wait(state: State, view: SessionView) -> str:
    """Until the oracle is asked: a live market takes its time."""
    left = view.inquiry.opens_ms - state.arena_ms if view.inquiry else 0
    return f" {clock(left)}" if left > 0 else ""


def source(seen: Prediction, one: Asked) -> tuple[Text, Text]:
    """Where it comes from, short; how to read the columns."""
    told, commit = one.resolution, clean(one.commit or "", 64)[:8]
    if told is not None:
        name = f"{clean(told.series, 40)}, {clean(told.at, 24)}"
        row = (
            f", row {told.row} of {clean(told.file, 64)[:8]}…"
            if told.file and told.row is not None
            else ""
        )
        opened = f"  opens {commit}…" if commit else ""
        left = line((name, theme.PLAIN), (row + opened, theme.DIM))
    elif commit:
        left = line((f"which series and when: committed to as {commit}…", theme.DIM))
    else:
        left = line((clean(one.source, 60), theme.DIM))
    return left, _key(seen)


def _key(seen: Prediction) -> Text:
    levels = seen.levels
    if seen.kind != "quantiles" or not levels:
        return Text(end="")
    low, high = inner_at(len(levels))
    outer, inner = f"│ {levels[0]}-{levels[-1]}", f"┃ {levels[low]}-{levels[high]}"
    return line((f"{outer}  {inner}  ◆ {levels[median_at(seen)]} %", theme.FAINT))
