"""From a case to the question that a model is asked. Pure; hostile text comes in here and stays quoted.

What defends the judge: lines that speak to it are withheld (`judges.screen`); contestants are letters, not names; each order of the contestants is asked, so
that a liking for the first one cancels; their text is reduced to plain lines without any character
of a delimiter or of a chat template (`<|im_end|>` in a message is a control token for many servers),
bounded in length, and stands between delimiters with a nonce; a reminder follows it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from string import Template
from typing import Any

import msgspec

from judges.case import Case, Piece
from judges.rubric import TOP, Rubric
from judges.screen import screen
from spaces.plain_text import plain_lines

MAX_REASON = 100
"""Characters of one reason; a grammar holds the model to it."""
MAX_WORK = 4_800
"""Characters of all contestants' text in one prompt: half of a 2,048 token context at the worst."""
NO_WORK = "(no verse)"
_CUT = " (cut)"
_MAX_MARKS = 2
"""Combining marks kept after one letter."""
_SPLIT = "\n-----\n"

_BROKEN = str.maketrans(
    {"<": "(", ">": ")", "[": "(", "]": ")", "{": "(", "}": ")", "|": "/", "`": "'"}
)


class Message(msgspec.Struct, frozen=True):
    role: str
    content: str


def orders(seats: int) -> tuple[tuple[int, ...], ...]:
    """The orders in which a case is judged: every seat stands once in every place (rotations).

    For two seats these are both orders.
    """
    return tuple(tuple((start + i) % seats for i in range(seats)) for start in range(seats))


def letter(place: int) -> str:
    return chr(ord("A") + place)


def neutralise(text: str, limit: int) -> str:
    """Contestants' text as plain lines of at most `limit` characters that can close no quotation.

    Compatibility forms are folded first (NFKC), so that look-alikes of a delimiter are that delimiter
    when delimiters are broken.
    """
    folded = unicodedata.normalize("NFKC", "\n".join(plain_lines(text)))
    plain = "\n".join(plain_lines(_few_marks(folded))).translate(_BROKEN)
    if len(plain) <= limit:
        return plain
    return (plain[: max(0, limit - len(_CUT))].rstrip() + _CUT).lstrip()


def _few_marks(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char).startswith("M") else 0
        if marks <= _MAX_MARKS:
            kept.append(char)
    return "".join(kept)


def build(
    template: str,
    rubric: Rubric,
    case: Case,
    order: tuple[int, ...],
    nonce: str,
    max_work: int = MAX_WORK,
) -> tuple[Message, ...]:
    """The question for one order of the seats: `order[0]` is A, `order[1]` is B, …

    `nonce` must be unknown to the contestants. The same arguments give the same bytes.
    """
    names = [f"{rubric.contestant} {letter(place)}" for place in range(len(order))]
    limit = max_work // max(1, len(case.pieces))
    case = screen(case).case
    work = [_quoted(names[place], case.of(seat), nonce, limit) for place, seat in enumerate(order)]
    filled = Template(template).substitute(
        rubric="\n".join(f"- {line.name}: {line.asks}" for line in rubric.lines),
        open=_open(nonce),
        close=_close(nonce),
        task=neutralise(case.task, limit),
        work="\n\n".join(work),
        contestants=" and ".join(names),
        names=", ".join(line.name for line in rubric.lines),
        first=names[0],
        letters=" or ".join(letter(place) for place in range(len(order))),
        better="; ".join(f"{line.name}: who has {line.better}" for line in rubric.lines),
        form=_form(rubric, len(order)),
    )
    system, user = filled.rstrip("\n").split(_SPLIT, 1)
    return (Message("system", system), Message("user", user))


def _quoted(name: str, pieces: Sequence[Piece], nonce: str, limit: int) -> str:
    """A contestant's pieces in one quotation, a blank line between them."""
    work = [NO_WORK if each.text is None else neutralise(each.text, limit) for each in pieces]
    return "\n".join((f"{name}:", _open(nonce), "\n\n".join(work), _close(nonce)))


def _open(nonce: str) -> str:
    return f"<{nonce}>"


def _close(nonce: str) -> str:
    return f"</{nonce}>"


def _form(rubric: Rubric, seats: int) -> str:
    scores = ", ".join(f'"{letter(place)}": score' for place in range(seats))
    lines = ", ".join(f'"{line.name}": {{"reason": "...", {scores}}}' for line in rubric.lines)
    return f"{{{lines}}}"


def scores_schema(rubric: Rubric, seats: int) -> dict[str, Any]:
    """The JSON Schema of an answer with scores, for servers that constrain what the model may write.

    The reason comes before the scores, so that a model that reasons at all does so in time.
    """
    score = {"type": "integer", "minimum": 0, "maximum": TOP}
    reason = {"type": "string", "minLength": 1, "maxLength": MAX_REASON}
    letters = {letter(place): score for place in range(seats)}
    line = _object({"reason": reason, **letters})
    return _object({each.name: line for each in rubric.lines})


def choices_schema(rubric: Rubric, seats: int) -> dict[str, Any]:
    """The JSON Schema of an answer that names the better seat on each line."""
    choice = {"type": "string", "enum": [letter(place) for place in range(seats)]}
    return _object({each.name: choice for each in rubric.lines})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
