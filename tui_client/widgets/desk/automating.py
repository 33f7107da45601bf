"""An automation in words: on, off, or stopped and why; what its run has come to; what it can lose."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.owner.amounts import money, plain, signed
from tui_client.owner.answers import Automation
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import bar, line

REASON_CHARS = 280


def state_mark(automation: Automation | None) -> Text:
    """`● on`, `○ off`, `✗ stopped`."""
    if automation is None:
        return line(("·", theme.FAINT))
    match automation.state:
        case "on":
            return line(("● ", theme.MONEY), ("on", theme.BRIGHT))
        case "stopped":
            return line(("✗ stopped", theme.ALARM))
        case _:
            return line(("○ off", theme.DIM))


def reason(automation: Automation | None) -> str:
    """Why it is stopped, safe to paint."""
    if automation is None or automation.state != "stopped":
        return ""
    return clean(automation.reason or "", REASON_CHARS)


def reason_rows(automation: Automation | None, width: int) -> list[Text]:
    """Why it is stopped, in the alarm's colour; or why it makes no entry just now."""
    if told := reason(automation):
        return [line((each, theme.ALARM)) for each in wrap(told, max(8, width))]
    if automation is None or not automation.on or not automation.waits:
        return []
    return [
        line((each, theme.DIM))
        for each in wrap(clean(automation.waits, REASON_CHARS), max(8, width))
    ]


def profit_style(micros: int) -> Style:
    return theme.MONEY if micros > 0 else theme.BRIGHT if micros < 0 else theme.PLAIN


def profit(micros: int, asset: str) -> Text:
    """A change, with its asset in a quiet tone; what is lost is told by its sign."""
    name = money(0, asset).partition(" ")[2]
    return line((signed(micros), profit_style(micros)), (f" {name}", theme.DIM))


def run_rows(automation: Automation, width: int) -> list[tuple[str, Text]]:
    """What the run that is on, or was last, has come to."""
    run, limits = automation.run, automation.limits
    if not run.number:
        return [("run", line(("none yet", theme.FAINT)))]
    could_lose = max(0, run.at_risk_micros - run.profit_micros)
    gauge = max(4, min(16, width - 24))
    return [
        ("run", line((f"#{run.number}", theme.PLAIN))),
        ("begun", line((f"{run.begun}", theme.BRIGHT), (f" of {limits.max_sessions}", theme.DIM))),
        ("open", line((f"{run.open}", theme.BRIGHT), (f" of {limits.max_parallel}", theme.DIM))),
        ("at risk", line((plain(run.at_risk_micros), theme.PLAIN))),
        ("so far", profit(run.profit_micros, run.asset)),
        (
            "stop-loss",
            line(bar(could_lose, limits.stop_loss_micros, gauge, theme.DIM),
                 (f" {plain(limits.stop_loss_micros)}", theme.DIM)),
        ),
    ]  # fmt: skip
