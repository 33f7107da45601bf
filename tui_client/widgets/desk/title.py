"""The two lines above every page of the desk: what it is, what is under way, and what there is to say."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tui_client import theme
from tui_client.owner.calls import Order
from tui_client.owner.desk import NOTICE_MS, Desk
from tui_client.owner.logins import SignedIn
from tui_client.owner.page import Known, Page
from tui_client.state import State
from tui_client.text import clean
from tui_client.widgets.canvas import Part, fit, line, spread
from tui_client.widgets.pane import Pane
from tui_client.words import waiting_dots


def paint_title(state: State, width: int) -> list[Text]:
    desk = state.desk
    left = line((f" {_name(desk)}", theme.TITLE), *_subject(desk, state.now_ms))
    return [spread(left, line(*_progress(state), " "), width), fit(_notice(state), width)]


def _name(desk: Desk) -> str:
    return desk.page.name if desk.page is not None else ""


def _subject(desk: Desk, now_ms: int) -> list[Part]:
    if desk.page is None or not isinstance(desk.who, SignedIn):
        return []
    told = desk.page.subject(desk.known(now_ms))
    return [("   ", theme.DIM), (told, theme.BRIGHT)] if told else []


def _progress(state: State) -> list[Part]:
    """What is being done, what has to wait, what fails to come."""
    desk, now = state.desk, state.now_ms
    if desk.order is not None and desk.wish is not None:
        return _ordering(desk.order, desk.wish.words, now)
    if desk.page is None or not isinstance(desk.who, SignedIn):
        return []
    return _reading(desk.page, desk.known(now), now)


def _ordering(order: Order, words: str, now_ms: int) -> list[Part]:
    wait_s = -(-(order.not_before_ms - now_ms) // 1_000)
    if order.problem is None or wait_s <= 0:
        again = f" (try {order.tries + 1})" if order.tries else ""
        return [(f"{words}{again} {waiting_dots(now_ms)}", theme.BRIGHT)]
    told = "too many requests" if order.problem.status == 429 else clean(order.problem.detail, 40)
    return [(f"{words}: {told}, again in {wait_s}s", theme.ALARM)]


def _reading(page: Page, known: Known, now_ms: int) -> list[Part]:
    """The worst of what is read for the page."""
    kept = [known.kept(read.path) for read in page.reads(known)]
    failed = [each for each in kept if each.problem is not None and each.problem.passes]
    if failed:
        worst = max(failed, key=lambda each: each.not_before_ms)
        assert worst.problem is not None
        wait_s = max(0, -(-(worst.not_before_ms - now_ms) // 1_000))
        told = (
            "too many requests" if worst.problem.status == 429 else clean(worst.problem.detail, 40)
        )
        again = f"again in {wait_s}s" if wait_s else f"asking again {waiting_dots(now_ms)}"
        return [(f"{told}, {again}", theme.ALARM)]
    if any(each.asked == 0 for each in kept):
        return [(f"asking {waiting_dots(now_ms)}", theme.DIM)]
    return []


def _notice(state: State) -> Text:
    notice = state.desk.notice
    if notice is None or (not notice.alarm and state.now_ms - notice.at_ms > NOTICE_MS):
        return Text()
    return line((f" {notice.words}", theme.ALARM if notice.alarm else theme.BRIGHT))


class DeskTitlePane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_title(state, width)
