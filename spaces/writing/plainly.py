"""The plainest text that meets a set of constraints: the proof that a brief can be met. Pure.

It is built of `vocabulary.PLAIN` row by row and then checked against every constraint, so what it returns
is a witness whatever the constraints are. It finds one for every brief that is drawn; of those that
parameters may name it gives up on some strange ones that a person could meet.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from spaces.writing import counting
from spaces.writing.constraints import (
    Acrostic,
    Avoid,
    Bullets,
    Constraint,
    Ends,
    Hashtags,
    Lines,
    Mention,
    Number,
    Sentences,
    Speech,
    Starts,
    Title,
    Words,
)
from spaces.writing.vocabulary import PLAIN

Pick = Callable[[Sequence[str]], str]
"""Chooses one of some words."""

C = TypeVar("C", bound=Constraint)


def longest(words: Sequence[str]) -> str:
    """With it a text is as long as any other choice could make it."""
    return max(words, key=len)


def satisfiable(constraints: Sequence[Constraint], char_limit: int) -> bool:
    return plainly(constraints, char_limit, longest) is not None


def plainly(constraints: Sequence[Constraint], char_limit: int, pick: Pick) -> str | None:
    """A text of at most `char_limit` characters that meets all of them, or None where none was found."""
    forbidden = [word for avoid in _all(constraints, Avoid) for word in avoid.words]
    plain = [word for word in PLAIN if not any(counting.says([word], each) for each in forbidden)]
    if not plain:
        return None
    rows = _rows(constraints, plain, pick)
    rows[-1] += _wanted(constraints, plain, pick)
    first_padded = 1 if _all(constraints, Title) and len(rows) > 1 else 0
    lacking = max((each.low for each in _all(constraints, Words)), default=0)
    lacking -= len(counting.words(_joined(rows, constraints)))
    for extra in range(lacking):
        at = first_padded + extra % (len(rows) - first_padded)
        rows[at].append(pick(plain))
    text = _joined(rows, constraints)
    if len(text) > char_limit or not all(each.met(text) for each in constraints):
        return None
    return text


def _all(constraints: Sequence[Constraint], kind: type[C]) -> list[C]:
    return [each for each in constraints if isinstance(each, kind)]


def _rows(constraints: Sequence[Constraint], plain: Sequence[str], pick: Pick) -> list[list[str]]:
    """One word for each line or sentence that must be there."""
    letters = [letter for each in _all(constraints, Acrostic) for letter in each.word]
    rows = [[_beginning(letter, plain, pick)] for letter in letters]
    counts = [each.count for each in constraints if isinstance(each, Lines | Sentences | Bullets)]
    least = max([*counts, 2 if _all(constraints, Title) else 1])
    while len(rows) < least:
        rows.append([pick(plain)])
    for each in _all(constraints, Starts):
        rows[0].insert(0, each.word)
    return rows


def _beginning(letter: str, plain: Sequence[str], pick: Pick) -> str:
    fitting = [word for word in plain if word.startswith(letter)]
    return pick(fitting) if fitting else letter


def _wanted(constraints: Sequence[Constraint], plain: Sequence[str], pick: Pick) -> list[str]:
    """The words and tokens that must stand somewhere."""
    wanted = [each.word for each in _all(constraints, Mention)]
    wanted += [f"#{pick(plain)}" for each in _all(constraints, Hashtags) for _ in range(each.count)]
    wanted += ["7" for _ in _all(constraints, Number)]
    wanted += [f'"{pick(plain)}"' for _ in _all(constraints, Speech)]
    return wanted


def _joined(rows: Sequence[Sequence[str]], constraints: Sequence[Constraint]) -> str:
    """As lines; as sentences of one line where only sentences are counted."""
    bullets = bool(_all(constraints, Bullets))
    lines = [("- " if bullets else "") + _sentence(row) for row in rows]
    mark = next((each.mark for each in _all(constraints, Ends)), ".")
    lines[-1] += mark
    if len(rows) == 1 or any(_all(constraints, kind) for kind in (Lines, Bullets, Acrostic, Title)):
        return "\n".join(lines)
    return ". ".join(lines)


def _sentence(row: Sequence[str]) -> str:
    text = " ".join(row)
    return text[:1].upper() + text[1:]
