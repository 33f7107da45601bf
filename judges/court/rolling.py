"""What a judge loses for having been worse than the prior for long. Pure, integers alone.

One hearing is a noisy measure of a judge: an honest one has a negative skill in about every fourth. The mean of WINDOW of them
in a row is not. Which rows: any that the judge was told to keep in order (`ordinal`, signed in each of its commitments), but each
hearing counts toward one slash at the most, so that whoever looks for the worst row cannot charge it twice.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from judges.court.terms import BPS, TERMS, WINDOW, Terms


class Heard(msgspec.Struct, frozen=True):
    """One hearing of a judge, as its leaf in an epoch's anchor has it. Where it committed and did not reveal, its skill is
    the least there is: else a judge could break every row by hiding."""

    ordinal: int
    """Of the judge's hearings, from 0."""
    skill: int
    """Millionths."""


class NotARow(ValueError):
    """The hearings are not WINDOW in a row, or some have been counted before."""


def rolling_slash(row: Sequence[Heard], stake: int, first: int = 0, terms: Terms = TERMS) -> int:
    """FRAC of `stake`, the judge's whole one at the moment of the slash, that it loses for this row: 0 if the mean skill is
    the floor or better. `first`: the least ordinal that has not been counted; after a slash it is the row's last + 1.
    Raises NotARow."""
    if len(row) != WINDOW:
        raise NotARow(f"{len(row)} hearings: a row is {WINDOW}")
    if row[0].ordinal < first:
        raise NotARow(f"hearing {row[0].ordinal} has been counted: rows begin at {first} or later")
    for at, heard in enumerate(row):
        if heard.ordinal != row[0].ordinal + at:
            raise NotARow(f"hearing {heard.ordinal} stands where {row[0].ordinal + at} would")
    if sum(heard.skill for heard in row) >= terms.rolling_floor * WINDOW:
        return 0
    return stake * terms.rolling_bps // BPS


def rows_below(
    history: Sequence[Heard], first: int = 0, terms: Terms = TERMS
) -> list[Sequence[Heard]]:
    """The rows of a history (in order) that can be charged, none of whose hearings is in two: from the earliest on. Hearings
    that are missing break a row. What the clerk's keeper sends to the contract."""
    found: list[Sequence[Heard]] = []
    at = 0
    while at + WINDOW <= len(history):
        row = history[at : at + WINDOW]
        whole = row[-1].ordinal - row[0].ordinal == WINDOW - 1 and row[0].ordinal >= first
        if whole and sum(each.skill for each in row) < terms.rolling_floor * WINDOW:
            found.append(row)
            at += WINDOW
        else:
            at += 1
    return found
