"""One line of a verifier's report."""

from __future__ import annotations

import enum
from collections.abc import Sequence

import msgspec


class Standing(enum.StrEnum):
    TRUE = "true"
    FALSE = "false"
    """A lie, or what is as good as one: who says so could have known."""
    UNCHECKED = "unchecked"
    """Nothing to check it by; the words say what would be needed."""


class Finding(msgspec.Struct, frozen=True):
    what: str
    """Which fact, in one or two words; these names are stable."""
    standing: Standing
    words: str
    """For people: what was found, or what is wrong, or why it was not checked."""


def true(what: str, words: str) -> Finding:
    return Finding(what, Standing.TRUE, words)


def false(what: str, words: str) -> Finding:
    return Finding(what, Standing.FALSE, words)


def unchecked(what: str, words: str) -> Finding:
    return Finding(what, Standing.UNCHECKED, words)


def line(what: str, wrong: str, words: str) -> Finding:
    """False where anything is wrong, else true in these words."""
    return false(what, wrong) if wrong else true(what, words)


def lies(findings: Sequence[Finding]) -> list[Finding]:
    return [each for each in findings if each.standing is Standing.FALSE]


def merged(findings: Sequence[Finding], later: Sequence[Finding]) -> list[Finding]:
    """With what was found out afterwards: it takes the place of an unchecked line of its name, or comes last."""
    known = {each.what: each for each in later}
    kept = [
        known.pop(each.what) if each.standing is Standing.UNCHECKED and each.what in known else each
        for each in findings
    ]
    return [*kept, *known.values()]
