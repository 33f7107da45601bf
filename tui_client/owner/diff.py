"""What a rewritten text changes, line by line. Pure."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import NamedTuple

_SENTENCE_END = re.compile(r"(?<=[.!?;:])[ ]+(?=\S)")
MAX_LINES = 400


class Change(NamedTuple):
    """A line of a diff: `-` goes, `+` comes, blank stays."""

    sign: str
    text: str


def diff(before: str, after: str) -> list[Change]:
    """Sentences and lines that go, come and stay, in the order of reading."""
    old, new = _lines(before), _lines(after)
    found: list[Change] = []
    for what, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if what == "equal":
            found += [Change(" ", each) for each in old[i1:i2]]
        else:
            found += [Change("-", each) for each in old[i1:i2]]
            found += [Change("+", each) for each in new[j1:j2]]
    return found


def _lines(text: str) -> list[str]:
    """Sentences, since prompts are often one long line."""
    return [each for line in text.splitlines() for each in _SENTENCE_END.split(line)][:MAX_LINES]
