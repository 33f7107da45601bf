"""Which lines of a work speak to the judge and not to the rival. Pure.

It looks for the forms that such lines take (`judges.instruments.address_forms`), in English. It withholds
what it finds and cannot find everything, least of all in another language; what it overlooks still stands
quoted and before a reminder (`judges.prompt`). Bars that boast of a score, adverts that say "choose us" and stories in which somebody
ignores a warning must pass: the tests have all of them.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Sequence

from judges.instruments.address_forms import BATTLE, Dialect, Forms, forms_of

WINDOW = 3
"""Lines over which an address may be broken."""

_LOOK_ALIKES = str.maketrans("аеорсухіѕјԁһкмтвαεορυικντ", "aeopcyxisjdhkmtbaeopuiknt")
"""Cyrillic and Greek letters that pass for Latin ones."""
_LEET = str.maketrans("013457@$", "oieastas")
_WORD = re.compile(r"\S+")
_LETTER, _LEET_SIGN = re.compile(r"[a-z]"), re.compile(r"[013457@$]")
_NOT_SPOKEN = re.compile(r"[^a-z0-9/]+")
_SPACED = re.compile(r"(?<!\w)\w(?:[ ._*\u00b7-]\w)+(?!\w)")
"""A word with one sign between its letters; two blanks stand between such words."""
_ROW = 6
"""Single letters in a row that are taken for words."""


def addressed(line: str, dialect: Dialect = BATTLE) -> bool:
    """Whether one line, or some lines joined by spaces, speaks to the judge in a hard form."""
    forms = forms_of(dialect)
    folded = _folded(line)
    if forms.markup.search(folded):
        return True
    said = _readings(folded, dialect)
    if any(forms.spoken.search(each) or forms.lettered.search(each) for each in said):
        return True
    tokens = said[0].split()
    if dialect.careful and any(map(forms.joined.search, _rows(tokens))):
        return True
    return _answers(tokens, _NOT_SPOKEN.sub("", folded), dialect, forms)


def hinting(line: str, dialect: Dialect) -> bool:
    """Whether it has a soft form: it may speak to the judge, or to whom the text is for."""
    soft = forms_of(dialect).soft
    return any(soft.search(each) for each in _readings(_folded(line), dialect))


def withheld(lines: Sequence[str], dialect: Dialect = BATTLE) -> tuple[bool, ...]:
    """For each line, whether it speaks to the judge in a hard form, alone or together with its neighbours."""
    found = [addressed(line, dialect) for line in lines]
    for size in range(2, WINDOW + 1):
        for first in range(len(lines) - size + 1):
            window = range(first, first + size)
            if not any(found[at] for at in window) and addressed(
                " ".join(lines[first : first + size]), dialect
            ):
                for at in window:
                    found[at] = True
    return tuple(found)


def _folded(line: str) -> str:
    """Lower case without marks; look-alikes as the Latin letters they pass for."""
    split = unicodedata.normalize("NFKD", line.replace("\u2019", "'")).lower()
    return "".join(char for char in split if not unicodedata.combining(char)).translate(
        _LOOK_ALIKES
    )


def _readings(folded: str, dialect: Dialect) -> tuple[str, ...]:
    """A line as words with one space between: as it stands, with digits read as the letters they pass
    for, and, of prose, with its spaced-out words closed."""
    spoken = _words(folded.replace("'", " "))
    unleet = _words(_WORD.sub(_unleet, folded))
    if not dialect.careful:
        return (spoken, unleet)
    closed = _SPACED.sub(lambda word: re.sub(r"[\W_]", "", word[0]), folded)
    return (spoken, unleet, _words(closed.replace("'", " ")))


def _unleet(word: re.Match[str]) -> str:
    """A number alone stays one. One expression for both signs would try them at each letter of a long word."""
    mixed = _LETTER.search(word[0]) and _LEET_SIGN.search(word[0])
    return word[0].translate(_LEET) if mixed else word[0]


def _words(text: str) -> str:
    return _NOT_SPOKEN.sub(" ", text).strip()


def _rows(tokens: Sequence[str]) -> list[str]:
    """What is spelled by single letters in a row, without spaces."""
    rows = [
        "".join(row)
        for alone, row in itertools.groupby(tokens, lambda each: len(each) == 1)
        if alone
    ]
    return [row for row in rows if len(row) >= _ROW]


def _answers(tokens: Sequence[str], compact: str, dialect: Dialect, forms: Forms) -> bool:
    """Nothing but answers (`A A B A`), many of them in a row, or an order spelled out."""
    if not tokens:
        return False
    answers = [token in tuple(dialect.letters) for token in tokens]
    if all(answers) or "1111" in "".join("01"[each] for each in answers):
        return True
    singles = sum(len(token) == 1 for token in tokens)
    return 2 * singles > len(tokens) and forms.compact.search(compact) is not None
