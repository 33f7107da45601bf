"""The one action of Trade Wars and how it is read from an agent's text.

An order is a line of its own (`order: LONG 40`, `order: SHORT 15`, `order: FLAT`) or a flat JSON object
(`{"side": "LONG", "size": 40}`, other keys are ignored). The size is a whole per cent of the seat's
money, 0 to 100, and may carry a % sign; FLAT needs none. The last well-formed order counts, so a model
may think aloud before it answers. A side that is only mentioned in a sentence is no order.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from spaces.space import InvalidAction
from spaces.trade_wars.state import Order, Side

Size = Annotated[int, Meta(ge=0, le=100)]


class _OrderObject(msgspec.Struct):
    side: str
    size: Size | None = None


# An object without inner braces, or a line `order: side size` that may be dressed in Markdown.
_ANSWER = re.compile(
    r"(?P<object>\{[^{}]*\})"
    r"|^[ \t>*`_-]*order[ \t*`_]*[:=][ \t*`_]*(?P<side>long|short|flat)"
    r"(?:[ \t*`_,]+(?P<size>[0-9]{1,3})[ \t]*%?)?[ \t*`_.]*$",
    re.IGNORECASE | re.MULTILINE | re.ASCII,
)
WANTED = 'answer with one line `order: LONG 40`, or with {"side": "LONG", "size": 40}'
_SIDES: dict[str, Side] = {"LONG": "LONG", "SHORT": "SHORT", "FLAT": "FLAT"}


def parse(kind: str, text: str) -> Order:
    """The last well-formed order in `text`. Raises InvalidAction."""
    if kind != "order":
        raise InvalidAction(f"trade-wars asks for an order, not for {kind!r}")
    found: Order | None = None
    for match in _ANSWER.finditer(text.replace("\r", "\n")):
        found = _read(match) or found
    if found is None:
        raise InvalidAction(f"no order found; {WANTED}: LONG, SHORT or FLAT, 0 to 100 per cent")
    return found


def _read(match: re.Match[str]) -> Order | None:
    if match["object"] is not None:
        return _read_object(match["object"])
    return _order(match["side"], None if match["size"] is None else int(match["size"]))


def _read_object(text: str) -> Order | None:
    try:
        told = msgspec.json.decode(text.encode(), type=_OrderObject)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None
    return _order(told.side, told.size)


def _order(side: str, size: int | None) -> Order | None:
    """None for an unknown side, a size out of range, and LONG or SHORT without a size."""
    known = _SIDES.get(side.upper())
    if known == "FLAT":
        return Order("FLAT")
    if known is None or size is None or size > 100:
        return None
    return Order(known, size)


def schema() -> dict[str, Any]:
    """The JSON schema of the legal answers."""
    return {
        "type": "object",
        "properties": {
            "side": {"type": "string", "enum": list(_SIDES)},
            "size": {"type": "integer", "minimum": 0, "maximum": 100},
        },
        "required": ["side", "size"],
        "additionalProperties": False,
    }
