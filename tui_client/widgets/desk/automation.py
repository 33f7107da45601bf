"""Setting an automation: the limits as a form; beside it its state, what it can lose, and the pay-outs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tui_client import theme
from tui_client.owner import arena
from tui_client.owner.amounts import money
from tui_client.owner.answers import Fees
from tui_client.owner.automation import AutomationPage, risk, tier_name
from tui_client.state import State
from tui_client.text import wrap
from tui_client.widgets.canvas import fit, frame, line
from tui_client.widgets.desk.automating import reason_rows, run_rows, state_mark
from tui_client.widgets.desk.fields import facts, form_rows
from tui_client.widgets.desk.payouts import payout_rows
from tui_client.widgets.pane import Pane


def paint_limits(state: State, width: int, height: int) -> list[Text]:
    page = state.desk.page
    if not isinstance(page, AutomationPage):
        return []
    title = line(("LIMITS", theme.TITLE))
    if not page.form.fields:
        return frame(title, [line(("…", theme.DIM))], width, height)
    inner = max(1, width - 4)
    told = _risk(page, inner)
    room = max(1, height - 2 - len(told) - 1)
    rows = form_rows(page.form, inner, room, inner)
    rows += [Text()] * (room - len(rows) + 1)
    note = line(("not saved", theme.BRIGHT)) if page.changed else None
    return frame(title, [*rows, *told], width, height, note)


def _risk(page: AutomationPage, width: int) -> list[Text]:
    """What it will risk at most, in a sentence."""
    found = risk(page.form)
    if found is None:
        return [line(("", theme.DIM))]
    once, in_all = money(found.at_once_micros, found.asset), money(found.in_all_micros, found.asset)
    words = f"It can lose at most {in_all} in a run, and has at most {once} in play at once."
    return [fit(line((each, theme.MONEY)), width) for each in wrap(words, width)]


def paint_run(state: State, width: int, height: int) -> list[Text]:
    page = state.desk.page
    if not isinstance(page, AutomationPage):
        return []
    known = state.desk.known(state.now_ms)
    automation = arena.automation_of(known, page.agent)
    inner = max(8, width - 4)
    rows = [state_mark(automation)]
    rows += reason_rows(automation, inner)
    if automation is not None:
        rows += facts(run_rows(automation, inner), inner)
    return frame(line(("RUN", theme.TITLE)), rows, width, height)


def paint_payouts(state: State, width: int, height: int) -> list[Text]:
    """Of the tier that stands in the form, so before anybody joins it."""
    page = state.desk.page
    if not isinstance(page, AutomationPage):
        return []
    known = state.desk.known(state.now_ms)
    fees = known.value(arena.fees().path, Fees)
    tier = int(page.form["tier_micros"].value or 0) if page.form.fields else 0
    title = line(("PAY-OUTS ", theme.TITLE), (tier_name(tier), theme.DIM))
    note = None
    if tier and fees is not None and fees.settlement == "simulated":
        note = line(("simulated", theme.DIM))
    return frame(title, payout_rows(fees, tier), width, height, note)


class LimitsPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_limits(state, width, height)


class PayoutsPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_payouts(state, width, height)


class RunPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_run(state, width, height)
