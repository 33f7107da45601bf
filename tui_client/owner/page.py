"""What the pages of the desk have in common: what they see, and what a key or an answer leads to. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, NamedTuple, TypeVar

import msgspec

from tui_client.owner.calls import Kept, Problem, Read, Shelf

T = TypeVar("T")
Keys = Sequence[tuple[str, str]]
"""A key and what it does now."""


class Known(msgspec.Struct, frozen=True):
    """What a page may look at."""

    shelf: Shelf = {}
    now_ms: int = 0
    columns: int = 80
    """Cells of a row of the screen."""
    busy: bool = False
    """An order is under way; another one has to wait."""

    def kept(self, path: str) -> Kept:
        return self.shelf.get(path, Kept())

    def value(self, path: str, type_: type[T]) -> T | None:
        """The last answer of a path, if it came and is of that type."""
        value = self.kept(path).value
        return value if isinstance(value, type_) else None


class Wish(msgspec.Struct, frozen=True):
    """An order as a page gives it."""

    words: str
    """What is being done, e.g. `saving`; safe to paint."""
    method: str
    path: str
    body: Any = None
    answer: Any = None
    slow: bool = False
    renews: tuple[str, ...] = ()
    """Beginnings of the paths that are old once it is done."""


class Step(msgspec.Struct, frozen=True):
    """What comes of a key, or of an answer."""

    page: Page
    """The page as it is now."""
    push: Page | None = None
    """A page that is opened over it."""
    pop: bool = False
    """The page is left."""
    chosen: str = ""
    """An agent that the page below is to have in hand, where this one is left."""
    wish: Wish | None = None
    watch: str = ""
    """A session to watch."""
    notice: str = ""
    """A line for the owner; safe to paint."""
    alarm: bool = False
    """The notice is of something that went wrong."""
    renews: tuple[str, ...] = ()


class Copy(NamedTuple):
    """Something that can be copied with a key."""

    what: str
    text: str
    """Safe for a terminal, where it will be pasted."""


class Page(msgspec.Struct, frozen=True):
    """One screen of the desk; each has its painters in `widgets/desk/`."""

    view: ClassVar[str] = ""
    """The id of its container in `app.tcss`."""

    @property
    def name(self) -> str:
        """Above the page."""
        return ""

    def subject(self, known: Known) -> str:
        """Whom or what it is about; safe to paint."""
        return ""

    @property
    def typing(self) -> bool:
        """Whether letters are text now, not keys."""
        return False

    @property
    def leaves(self) -> str:
        """What `esc` does, where that is not to go back."""
        return ""

    def reads(self, known: Known) -> list[Read]:
        """What it shows."""
        return []

    def pressed(self, known: Known, key: str, character: str | None) -> Step:
        return Step(self)

    def pasted(self, known: Known, words: str) -> Step:
        return Step(self)

    def answered(self, known: Known, value: Any) -> Step:
        """Its order was done."""
        return Step(self)

    def refused(self, known: Known, problem: Problem) -> Step:
        """Its order was not done, and will not be."""
        return Step(self)

    def in_hand(self, known: Known) -> str:
        """The session that the cursor is on, whose proof can be looked at; empty: none."""
        return ""

    def copies(self, known: Known) -> Sequence[Copy]:
        """What the keys 1 to 9 copy, in this order."""
        return ()

    def learnt(self, known: Known) -> Page:
        """After an answer to one of its reads, e.g. to fill in a form that waited for it."""
        return self

    def with_chosen(self, agent: str) -> Page:
        """With an agent in hand, where the page has one."""
        return self

    def keys(self, known: Known) -> Keys:
        """For the footer, the most useful ones first."""
        return ()


def moved(values: Sequence[str], chosen: str, by: int) -> str:
    """The value `by` places on from the chosen one; the first where that is none of them."""
    if not values:
        return ""
    if chosen not in values:
        return values[0]
    return values[min(len(values) - 1, max(0, values.index(chosen) + by))]


STEPS = {"up": -1, "k": -1, "down": 1, "j": 1, "pageup": -10, "pagedown": 10}
"""Keys that move a cursor, and how far."""
