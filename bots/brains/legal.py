"""What a seat may do, read off the observation alone: for baselines, and for checking a model's answer.

The arena's rules decide; this only spares a bot the faults it can foresee.
"""

from __future__ import annotations

from typing import Any

from spaces.plain_text import plain_lines
from spaces.registry import UnknownSpace, get
from spaces.space import ActionError, IllegalAction

View = dict[str, Any]


def bid_limit(view: View, seat: int) -> int:
    """The highest bid one can pay."""
    return int(view["chips"][seat])


def free_cells(view: View) -> list[int]:
    return [cell for cell, mark in enumerate(view["board"]) if mark == "."]


def check(space: str, kind: str, text: str, view: View, seat: int) -> None:
    """Raise ActionError (InvalidAction, IllegalAction) where the arena would refuse `text`.

    A Space that this version does not know passes: the arena will say.
    """
    try:
        action = get(space).parse(kind, text)
    except UnknownSpace:
        return
    match space, kind:
        case "bid-tac-toe", "bid":
            limit = bid_limit(view, seat)
            if not 0 <= action.bid <= limit:
                raise IllegalAction(f"a bid is 0 to {limit}, your chips, got {action.bid}")
        case "bid-tac-toe", "mark":
            free = free_cells(view)
            if action.cell not in free:
                raise IllegalAction(f"cell {action.cell} cannot be marked; free cells: {free}")
        case "rap-battle", "verse":
            check_verse(text, view)


def check_verse(text: str, view: View) -> None:
    """Raise IllegalAction for a verse of too many lines or characters."""
    lines = plain_lines(text)
    if len(lines) > view["bars"]:
        raise IllegalAction(f"a verse has at most {view['bars']} lines, got {len(lines)}")
    if (size := len("\n".join(lines))) > view["char_limit"]:
        raise IllegalAction(f"a verse has at most {view['char_limit']} characters, got {size}")


def schema(space: str, kind: str, view: View, seat: int) -> dict[str, Any] | None:
    """The JSON schema of the legal answers, or None where an answer is no JSON."""
    match space, kind:
        case "bid-tac-toe", "bid":
            limit = bid_limit(view, seat)
            return _object("bid", {"type": "integer", "minimum": 0, "maximum": limit})
        case "bid-tac-toe", "mark":
            return _object("cell", {"type": "integer", "enum": free_cells(view)})
        case _:
            return None


def _object(key: str, value: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {key: value},
        "required": [key],
        "additionalProperties": False,
    }


__all__ = ["ActionError", "bid_limit", "check", "check_verse", "free_cells", "schema"]
