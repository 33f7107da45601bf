"""The actions of Bid Tac Toe and how they are read from an agent's text.

An answer is a flat JSON object (`{"bid": 18}`, other keys are ignored) or a line of its own
(`bid: 18`). The last well-formed answer counts, so a model may think aloud before it answers. A
number that is only mentioned in a sentence is no answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from spaces.bid_tac_toe.views import free_cells
from spaces.space import IllegalAction, InvalidAction

_SAFE = 2**53 - 1
Whole = Annotated[int, Meta(ge=-_SAFE, le=_SAFE)]
"""Any integer of canonical JSON (RFC 8785); whether it is legal, the rules say."""


class Bid(msgspec.Struct, frozen=True, tag="bid", tag_field="kind", forbid_unknown_fields=True):
    bid: Whole


class Mark(msgspec.Struct, frozen=True, tag="mark", tag_field="kind", forbid_unknown_fields=True):
    cell: Whole
    """0 .. 8, row-major."""


Action = Bid | Mark


class _BidAnswer(msgspec.Struct):
    bid: Whole


class _MarkAnswer(msgspec.Struct):
    cell: Whole


# An object without inner braces, or a line `key: number` that may be dressed in Markdown.
_ANSWER = re.compile(
    r"(?P<object>\{[^{}]*\})"
    r"|^[ \t>*`_-]*(?P<key>bid|cell)[ \t*`_]*[:=][ \t*`_]*(?P<number>-?[0-9]{1,15})[ \t*`_.]*$",
    re.IGNORECASE | re.MULTILINE,
)
_WANTED = {
    "bid": 'answer with one line `bid: NUMBER`, a whole number, or with {"bid": NUMBER}',
    "mark": 'answer with one line `cell: NUMBER`, 0 to 8, or with {"cell": NUMBER}',
}


def parse(kind: str, text: str) -> Action:
    """The last well-formed answer in `text`. Raises InvalidAction."""
    if kind not in _WANTED:
        raise InvalidAction(f"bid-tac-toe asks for a bid or a mark, not for {kind!r}")
    found: Action | None = None
    for match in _ANSWER.finditer(text.replace("\r", "\n")):
        found = _read(kind, match) or found
    if found is None:
        raise InvalidAction(f"no {kind} found; {_WANTED[kind]}")
    return found


def _read(kind: str, match: re.Match[str]) -> Action | None:
    if match["object"] is not None:
        return _read_object(kind, match["object"])
    key, number = match["key"].lower(), int(match["number"])
    if kind == "bid":
        return Bid(number) if key == "bid" else None
    return Mark(number) if key == "cell" else None


def _read_object(kind: str, text: str) -> Action | None:
    try:
        raw = text.encode()
        if kind == "bid":
            return Bid(msgspec.json.decode(raw, type=_BidAnswer).bid)
        return Mark(msgspec.json.decode(raw, type=_MarkAnswer).cell)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None


def check(action: Action, view: Mapping[str, Any], seat: int) -> None:
    """Raise IllegalAction for what the seat's observation shows to be forbidden."""
    match action:
        case Bid(bid):
            chips = view["chips"][seat]
            if not 0 <= bid <= chips:
                raise IllegalAction(f"a bid is 0 to {chips}, your chips, got {bid}")
        case Mark(cell):
            free = free_cells(view)
            if cell not in free:
                listed = ", ".join(map(str, free))
                raise IllegalAction(f"cell {cell} cannot be marked; free cells: {listed}")


def schema(kind: str, view: Mapping[str, Any], seat: int) -> dict[str, Any]:
    """The JSON schema of the legal answers."""
    if kind == "bid":
        return _object("bid", {"type": "integer", "minimum": 0, "maximum": view["chips"][seat]})
    return _object("cell", {"type": "integer", "enum": free_cells(view)})


def _object(key: str, value: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {key: value},
        "required": [key],
        "additionalProperties": False,
    }
