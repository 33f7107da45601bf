"""What the oracle tells of a question and its resolution, and the commitment that ties the two.

A recorded series could be looked up, so a question names neither series nor dates: it carries a
commitment to them, made before anybody forecasts, which the resolution opens. The salt is the
question's draw from the seed, secret until the resolution. So nobody can choose the window after he
has seen the forecasts, and whoever has the file can look the value up.
"""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from spaces import canonical
from spaces.decimals import Number
from spaces.plain_text import plain_lines
from spaces.space import InvalidObservation, Observation

Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Words = Annotated[str, Meta(min_length=1, max_length=100)]
Count = Annotated[int, Meta(ge=0, le=canonical.MAX_INTEGER)]


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The oracle's answer to a `question`."""

    history: Annotated[tuple[Number, ...], Meta(max_length=200)]
    """Oldest first."""
    horizon: Count
    unit: Words | None = None
    step: Words | None = None
    """What lies between two values, e.g. `month`."""
    commit: Hex32 | None = None
    """Of a recorded series, see `commitment`."""
    after_ms: Count | None = None
    """Of a live feed: when the first step after the last value begins, in unix milliseconds."""


class Resolved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The oracle's answer to a `resolution`."""

    value: Number
    at: Words
    """When, as the source writes it."""
    series: Words
    file: Hex32 | None = None
    """SHA-256 of the recording."""
    row: Count | None = None
    """The row of `file` that holds the last value shown; the commitment is to this one."""


def commitment(draw: str, file: str, series: str, row: int) -> str:
    """SHA-256 of the canonical JSON {"draw", "file", "row", "series", "v": "agon-question/1"}."""
    opened = {"v": "agon-question/1", "draw": draw, "file": file, "series": series, "row": row}
    return canonical.sha256(opened)


T = TypeVar("T", Asked, Resolved)


def read(observation: Observation, shape: type[T]) -> T:
    """Raises InvalidObservation for another form, and for words that are not plain."""
    try:
        told = msgspec.convert(observation.value, shape)
    except msgspec.ValidationError as error:
        raise InvalidObservation(f"prediction: {error}") from None
    words: list[Any] = [told.unit, told.step] if isinstance(told, Asked) else [told.at, told.series]
    for text in [observation.source, *words]:
        if text is not None and plain_lines(text) != [text]:
            raise InvalidObservation(f"prediction: not one line of plain text: {text!r}")
    return told
