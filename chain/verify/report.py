"""A verifier's findings for people."""

from __future__ import annotations

from collections.abc import Sequence

from chain.verify.finding import Finding, Standing, lies
from spaces.plain_text import plain_lines

_MARK = {Standing.TRUE: "ok  ", Standing.FALSE: "LIE ", Standing.UNCHECKED: "?   "}


def report(findings: Sequence[Finding]) -> str:
    """A line each, and what they come to."""
    width = max((len(each.what) for each in findings), default=0)
    lines = [line_of(each, width) for each in findings]
    return "\n".join([*lines, "", summary(findings)])


def line_of(finding: Finding, width: int = 13) -> str:
    """One line; `width` of the column that says which fact it is of."""
    return f"{_MARK[finding.standing]}{finding.what:<{width}}  {_plain(finding.words)}"


def summary(findings: Sequence[Finding]) -> str:
    wrong = lies(findings)
    checked = sum(each.standing is Standing.TRUE for each in findings)
    left = len(findings) - checked - len(wrong)
    if wrong:
        return f"FALSE: {', '.join(each.what for each in wrong)}"
    if not checked:
        return "nothing could be checked"
    return f"{checked} checked and true, {left} not checked (marked ?)"


def _plain(words: str) -> str:
    return " ".join(plain_lines(words))
