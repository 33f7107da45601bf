"""From a case to the question that a model is asked. Pure; hostile text comes in here and stays quoted.

What defends the judge: lines that speak to it are withheld (`judges.screen`); contestants are letters, not
names; they are asked about in orders in which a liking for the first one cancels; their text is reduced to plain lines without any character
of a delimiter or of a chat template (`<|im_end|>` in a message is a control token for many servers),
bounded in length, and stands between delimiters with a nonce; a reminder follows it. What the rules have
checked by code stands after all the works, in lines that begin with the nonce: no text can write one.
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


def orders(seats: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """The orders in which all of some seats are judged together: each stands once in every place
    (rotations). For two seats these are both orders; for five they are 5 of 120."""
    count = len(seats)
    return tuple(tuple(seats[(start + i) % count] for i in range(count)) for start in range(count))


def pairs(seats: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """The ordered pairs in which some seats are compared: each seat meets every other equally often and
    stands first as often as second.

    An odd number of seats can do that with every pair once (10 questions for five seats): each stands
    before the next half of the circle. An even number takes both orders of every pair.
    """
    count = len(seats)
    reach = (count - 1) // 2 if count % 2 else count - 1
    return tuple(
        (seats[at], seats[(at + step) % count])
        for step in range(1, reach + 1)
        for at in range(count)
    )


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
    """The question for one order of the seats, or of some of them: `order[0]` is A, `order[1]` is B, …

    `nonce` must be unknown to the contestants. The same arguments give the same bytes.
    """
    names = [f"{rubric.contestant} {letter(place)}" for place in range(len(order))]
    limit = max_work // max(1, sum(piece.seat in order for piece in case.pieces))
    case = screen(case).case
    work = [
        _quoted(name, rubric, case.of(seat), nonce, limit)
        for name, seat in zip(names, order, strict=True)
    ]
    if case.checks:
        checked = (_checked(name, case, seat) for name, seat in zip(names, order, strict=True))
        work.append("\n".join(f"{nonce} {each}" for each in checked))
    filled = Template(template).substitute(
        rubric="\n".join(f"- {line.name}: {line.asks}" for line in rubric.lines),
        open=_open(nonce),
        close=_close(nonce),
        task=neutralise(case.task, limit),
        work="\n\n".join(work),
        contestants=_listed(names, "and"),
        names=", ".join(line.name for line in rubric.lines),
        first=names[0],
        letters=_listed([letter(place) for place in range(len(order))], "or"),
        nonce=nonce,
        better="; ".join(f"{line.name}: who has {line.better}" for line in rubric.lines),
        form=_form(rubric, len(order)),
    )
    system, user = filled.rstrip("\n").split(_SPLIT, 1)
    return (Message("system", system), Message("user", user))


def _listed(names: Sequence[str], last: str) -> str:
    """`A`, `A or B`, `A, B or C`."""
    *most, end = names
    return f"{', '.join(most)} {last} {end}" if most else end


def _checked(name: str, case: Case, seat: int) -> str:
    """What the rules have found by code, in words of ours; they have checked what the seat wrote, all of it."""
    if all(check.met[seat] is None for check in case.checks):
        return f"{name}: no text, nothing checked"
    missed = case.missed(seat)
    met = f"{name}: {len(case.checks) - len(missed)} of {len(case.checks)} checked points met"
    return f"{met}{'; not true: ' + '; '.join(missed) if missed else ''}"


def _quoted(name: str, rubric: Rubric, pieces: Sequence[Piece], nonce: str, limit: int) -> str:
    """A contestant's pieces in one quotation, a blank line between them."""
    work = [
        rubric.nothing if each.text is None else neutralise(each.text, limit) for each in pieces
    ]
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
