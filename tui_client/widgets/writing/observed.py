"""`observe(state, None)` of `writing`, read from a SessionView."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from server.protocol import SessionView
from tui_client.observed import WRITING

MAX_SEATS = 9


class Point(msgspec.Struct, frozen=True):
    """A constraint that is checked; `says` completes "the text …"."""

    says: str


class Text(msgspec.Struct, frozen=True):
    seat: int
    state: Literal["writing", "in", "forfeited"]
    text: str | None = None
    """None before the reveal, and for a forfeit."""
    met: tuple[bool, ...] | None = None
    """For each point, whether the text does what it says."""


class Written(msgspec.Struct, frozen=True):
    form: str
    subject: str
    task: str
    phase: str
    constraints: tuple[Point, ...]
    texts: Annotated[tuple[Text, ...], Meta(min_length=1, max_length=MAX_SEATS)]
    char_limit: Annotated[int, Meta(ge=0, le=10**6)] = 0

    @property
    def revealed(self) -> bool:
        return any(text.met is not None for text in self.texts)


def written(view: SessionView | None) -> Written | None:
    """The session, or None when the view holds no readable one."""
    if view is None or view.space != WRITING:
        return None
    try:
        seen = msgspec.convert(view.state, Written)
    except msgspec.ValidationError:
        return None
    seats = [card.seat for card in view.seats]
    in_order = seats == [text.seat for text in seen.texts] == list(range(len(seats)))
    points = len(seen.constraints)
    checked = all(text.met is None or len(text.met) == points for text in seen.texts)
    return seen if in_order and checked else None
