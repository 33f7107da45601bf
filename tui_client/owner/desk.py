"""The owner's desk: who is signed in, the pages on it, what was read, the order under way. Pure."""

from __future__ import annotations

from typing import assert_never

import msgspec

from tui_client.owner import calls
from tui_client.owner.agents import AgentsPage
from tui_client.owner.calls import (
    TOO_MANY,
    UNAUTHORIZED,
    Answered,
    Call,
    Order,
    Problem,
    Refused,
    Shelf,
)
from tui_client.owner.logins import SignedIn, SignedOut
from tui_client.owner.page import Copy, Keys, Known, Page, Step, Wish
from tui_client.text import clean

replace = msgspec.structs.replace

MAX_TRIES = 5
"""Of an order that nobody answers."""
GONE = -1
NOTICE_MS = 12_000
COPY_KEYS = tuple("123456789")


class Pressed(msgspec.Struct, frozen=True):
    """A key, as Textual names it, and the character that it types."""

    key: str
    character: str | None = None


class Pasted(msgspec.Struct, frozen=True):
    text: str


class Resized(msgspec.Struct, frozen=True):
    columns: int


class OpenDesk(msgspec.Struct, frozen=True):
    """The owner's agents."""


DeskInput = Pressed | Pasted | Resized | OpenDesk | Answered | Refused | SignedIn | SignedOut


class Notice(msgspec.Struct, frozen=True):
    words: str
    alarm: bool
    at_ms: int


class Desk(msgspec.Struct, frozen=True):
    who: SignedIn | SignedOut | None = None
    """None: nobody has looked yet."""
    account: str = ""
    """Whose pages these are."""
    pages: tuple[Page, ...] = ()
    """The last one is shown; none: the desk is closed."""
    shelf: Shelf = {}
    order: Order | None = None
    wish: Wish | None = None
    """What the order was made of."""
    wished_by: int = GONE
    """The place of the page whose order it is, while that is there."""
    ordered: int = 0
    notice: Notice | None = None
    columns: int = 80

    @property
    def page(self) -> Page | None:
        return self.pages[-1] if self.pages else None

    @property
    def open(self) -> bool:
        return bool(self.pages)

    @property
    def typing(self) -> bool:
        return self.page is not None and isinstance(self.who, SignedIn) and self.page.typing

    def known(self, now_ms: int) -> Known:
        return Known(self.shelf, now_ms, self.columns, self.order is not None)


def wanted(desk: Desk, now_ms: int) -> list[Call]:
    """The calls that are to be made now, in flight or not. What was ordered is seen to its end although the
    desk is closed: it must not go out an hour later, when somebody opens that again."""
    if not isinstance(desk.who, SignedIn):
        return []
    ordered = calls.call_of(desk.order, now_ms) if desk.order is not None else []
    reads = desk.page.reads(desk.known(now_ms)) if desk.page is not None else []
    return [*ordered, *calls.due(desk.shelf, reads, now_ms)]


def busy(desk: Desk, now_ms: int) -> bool:
    """Whether something moves on the page: an order, or a first answer that is waited for."""
    if desk.order is not None:
        return True
    return any(call.path not in desk.shelf for call in wanted(desk, now_ms))


def in_hand(desk: Desk, now_ms: int) -> str:
    """The session that the cursor is on; empty where there is none, and where `v` is a letter."""
    if desk.page is None or desk.typing or not isinstance(desk.who, SignedIn):
        return ""
    return desk.page.in_hand(desk.known(now_ms))


def copied(desk: Desk, key: str, now_ms: int) -> Copy | None:
    """What a digit copies here, if anything."""
    if desk.page is None or desk.typing or not isinstance(desk.who, SignedIn):
        return None
    found = desk.page.copies(desk.known(now_ms))
    at = int(key) - 1 if key in COPY_KEYS else -1
    return found[at] if 0 <= at < len(found) else None


def keys(desk: Desk, now_ms: int) -> Keys:
    """For the footer."""
    if desk.page is None:
        return ()
    back = "back" if len(desk.pages) > 1 else "lobby"
    if not isinstance(desk.who, SignedIn):
        return (("esc", back),)
    return (("esc", desk.page.leaves or back), *desk.page.keys(desk.known(now_ms)))


def reduce(desk: Desk, happened: DeskInput, now_ms: int) -> tuple[Desk, str]:
    """The desk after something happened, and a session to watch, or none."""
    match happened:
        case OpenDesk():
            return (desk if desk.open else replace(desk, pages=(AgentsPage(),))), ""
        case Resized():
            return replace(desk, columns=happened.columns), ""
        case SignedIn():
            return _signed_in(desk, happened), ""
        case SignedOut():
            return _signed_out(desk, happened, now_ms), ""
        case Answered():
            return _answered(desk, happened, now_ms), ""
        case Refused():
            return _refused(desk, happened, now_ms), ""
        case Pressed():
            return _pressed(desk, happened, now_ms)
        case Pasted():
            page = desk.page
            if page is None or not isinstance(desk.who, SignedIn):
                return desk, ""
            return _stepped(desk, page.pasted(desk.known(now_ms), happened.text), now_ms), ""
        case _:
            assert_never(happened)


def _signed_in(desk: Desk, who: SignedIn) -> Desk:
    """Pages stay for who has only signed in again; another account sees nothing of this one's."""
    if desk.account in ("", who.account):
        return replace(desk, who=who, account=who.account, shelf=calls.stale(desk.shelf, ""))
    pages = (AgentsPage(),) if desk.open else ()
    return Desk(who, who.account, pages, columns=desk.columns)


def _signed_out(desk: Desk, who: SignedOut, now_ms: int) -> Desk:
    """Nothing more is ordered; the page whose order it was has to know, or it would wait for ever."""
    page = None if desk.order is None else _wisher(desk)
    desk = replace(desk, who=who, order=None, wish=None)
    if page is None:
        return desk
    refused = page.refused(desk.known(now_ms), Problem(UNAUTHORIZED, "signed-out"))
    return _stepped(desk, refused, now_ms, desk.wished_by)


def _pressed(desk: Desk, key: Pressed, now_ms: int) -> tuple[Desk, str]:
    page = desk.page
    if page is None:
        return desk, ""
    if not isinstance(desk.who, SignedIn):
        return (_left(desk) if key.key == "escape" else desk), ""
    step = page.pressed(desk.known(now_ms), key.key, key.character)
    if key.key == "escape" and step == Step(page):
        return _left(desk), ""
    return _stepped(desk, step, now_ms), step.watch


def _left(desk: Desk) -> Desk:
    return _with_pages(replace(desk, notice=None), desk.pages[:-1])


def _with_pages(desk: Desk, pages: tuple[Page, ...]) -> Desk:
    """An order outlives its page; the next page in that place knows nothing of it."""
    wished_by = desk.wished_by if desk.wished_by < len(pages) else GONE
    return replace(desk, pages=pages, wished_by=wished_by)


def _stepped(desk: Desk, step: Step, now_ms: int, at: int | None = None) -> Desk:
    """After a step of the page at place `at`, the shown one if None."""
    at = len(desk.pages) - 1 if at is None else at
    pages = (*desk.pages[:at], step.page, *desk.pages[at + 1 :])
    if desk.notice is not None and desk.notice.alarm and pages != desk.pages:
        desk = replace(desk, notice=None)  # what it was about has been changed
    if step.pop:
        pages = pages[:at]
        if pages and step.chosen:
            pages = (*pages[:-1], pages[-1].with_chosen(step.chosen))
    desk = _with_pages(desk, pages)
    if step.push is not None:
        desk = replace(desk, pages=(*desk.pages, step.push))
    if step.renews:
        desk = replace(desk, shelf=calls.stale(desk.shelf, *step.renews))
    if step.notice:
        desk = replace(desk, notice=Notice(step.notice, step.alarm, now_ms))
    if step.wish is not None and desk.order is None:
        desk = _ordered(desk, step.wish, at)
    return _learnt(desk, now_ms)


def _ordered(desk: Desk, wish: Wish, at: int) -> Desk:
    number = desk.ordered + 1
    order = Order(number, wish.method, wish.path, wish.answer, wish.body, wish.slow)
    return replace(desk, order=order, wish=wish, wished_by=at, ordered=number, notice=None)


def _learnt(desk: Desk, now_ms: int) -> Desk:
    """The shown page may take up what is known."""
    if desk.page is None:
        return desk
    learnt = desk.page.learnt(desk.known(now_ms))
    return desk if learnt == desk.page else replace(desk, pages=(*desk.pages[:-1], learnt))


def _answered(desk: Desk, answer: Answered, now_ms: int) -> Desk:
    order, wish = desk.order, desk.wish
    if order is not None and wish is not None and answer.call == order.id:
        desk = replace(
            desk, order=None, wish=None, shelf=calls.stale(desk.shelf, *wish.renews), notice=None
        )
        page = _wisher(desk)
        if page is None:
            return replace(desk, notice=Notice(f"{wish.words}: done", False, now_ms))
        return _stepped(
            desk, page.answered(desk.known(now_ms), answer.value), now_ms, desk.wished_by
        )
    path = calls.of_read(desk.shelf, answer.call)
    if path is None:
        return desk
    return _learnt(
        replace(desk, shelf=calls.answered(desk.shelf, path, answer.value, now_ms)), now_ms
    )


def _refused(desk: Desk, refusal: Refused, now_ms: int) -> Desk:
    order, wish = desk.order, desk.wish
    problem = refusal.problem
    if order is not None and wish is not None and refusal.call == order.id:
        if _once_more(order, problem):
            return replace(desk, order=calls.again(order, problem, now_ms))
        desk = replace(desk, order=None, wish=None)
        desk = replace(desk, notice=Notice(_why(wish, problem), True, now_ms))
        page = _wisher(desk)
        if page is None:
            return desk
        return _stepped(desk, page.refused(desk.known(now_ms), problem), now_ms, desk.wished_by)
    path = calls.of_read(desk.shelf, refusal.call)
    if path is None:
        return desk
    return replace(desk, shelf=calls.refused(desk.shelf, path, problem, now_ms))


def _once_more(order: Order, problem: Problem) -> bool:
    """What costs a model's time is only asked again where nobody has begun it."""
    begun = order.slow and problem.status != TOO_MANY
    return problem.again and not begun and order.tries + 1 < MAX_TRIES


def _why(wish: Wish, problem: Problem) -> str:
    told = clean(problem.detail, 160) or problem.code
    if problem.again and not wish.slow:
        told += ": it may have been done, so look before you try again"
    return f"{wish.words}: {told}"


def _wisher(desk: Desk) -> Page | None:
    """The page whose order it was, while it is there."""
    return None if desk.wished_by == GONE else desk.pages[desk.wished_by]
