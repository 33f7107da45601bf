"""The action of every game of OpenSpiel and how it is read from an agent's text.

An answer is a line `action: 3` or an object `{"action": 3}` with the number of a legal action, or
its name in the number's place (`action: Bet`, `{"action": "Bet"}`). The last well-formed answer
counts. A name is looked up in the position, so whether there is such an action only the rules say.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from spaces.space import IllegalAction, InvalidAction

KIND = "move"
NAME_MAX = 80
_SAFE = 2**53 - 1
_TOLD = 12
"""Legal actions that a refusal lists."""
_TOLD_CHARS = 100

Number = Annotated[int, Meta(ge=-_SAFE, le=_SAFE)]
Name = Annotated[str, Meta(min_length=1, max_length=NAME_MAX)]
Legal = Sequence[tuple[int, str]]
"""Number and name of each legal action."""


class Move(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    action: Number | Name


class _Answer(msgspec.Struct):
    action: Number | Name


# An object without inner braces, or a line `action: value` that may be dressed in Markdown.
_ANSWER = re.compile(
    r"(?P<object>\{[^{}]*\})|^[ \t>*`_-]*action[ \t*`_]*[:=][ \t*`_]*(?P<value>[^\n]{1,120})$",
    re.IGNORECASE | re.MULTILINE,
)
_NUMBER = re.compile(r"-?[0-9]{1,15}")


def parse(kind: str, text: str) -> Move:
    """The last well-formed answer in `text`. Raises InvalidAction."""
    if kind != KIND:
        raise InvalidAction(f"a game of OpenSpiel asks for a move, not for {kind[:20]!a}")
    found: Move | None = None
    for match in _ANSWER.finditer(text.replace("\r", "\n")):
        found = (_object(match["object"]) if match["object"] else _line(match["value"])) or found
    if found is None:
        raise InvalidAction(
            'no action found; answer with one line `action: NUMBER`, or with {"action": NUMBER}'
        )
    return found


def _object(text: str) -> Move | None:
    try:
        return Move(msgspec.json.decode(text.encode(), type=_Answer).action)
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return None


def _line(value: str) -> Move | None:
    value = value.strip(" \t*`_")
    if _NUMBER.fullmatch(value.rstrip(".")):
        return Move(int(value.rstrip(".")))
    return Move(value) if 0 < len(value) <= NAME_MAX and _writable(value) else None


def _writable(text: str) -> bool:
    """Whether a transcript can hold it: no half of a surrogate pair alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def number_of(move: Move, legal: Legal) -> int:
    """The number of the legal action that is meant. Raises IllegalAction."""
    for number, name in legal:
        if move.action in (number, name):
            return number
    wanted = ascii(move.action)[:40]
    raise IllegalAction(f"action {wanted} is not legal; legal: {_listed(legal)}")


def _listed(legal: Legal) -> str:
    """Printable ASCII within the bound of a reason on the wire."""
    told = ", ".join(f"{number} {name}" for number, name in legal[:_TOLD])
    told = told.encode("ascii", "replace").decode()
    if len(told) > _TOLD_CHARS or len(legal) > _TOLD:
        return told[:_TOLD_CHARS] + ", ..."
    return told
