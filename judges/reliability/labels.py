"""What is compared: for each hearing, line and pair of contestants, whom each judge's sheet puts first. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

FIRST, SECOND, TIE = 0, 1, 2
LABELS = ("first", "second", "tie")


class Heard(msgspec.Struct, frozen=True):
    """One hearing that was decided, as far as it matters here."""

    hearing: str
    """Any name that no other hearing has."""
    contestants: int
    sheets: Mapping[str, Sequence[int]]
    """By judge: thousandths of a point, by line and then by contestant, as in the court."""


class Answer(msgspec.Struct, frozen=True):
    task: str
    judge: str
    label: int


class BadHearing(ValueError):
    """A hearing whose sheets do not fit it."""


def answers(hearings: Iterable[Heard], tie_milli: int = 1) -> Iterator[Answer]:
    """`tie_milli`: scores that are less apart are a tie. Raises BadHearing."""
    for heard in hearings:
        for judge, sheet in heard.sheets.items():
            if heard.contestants < 1 or not sheet or len(sheet) % heard.contestants:
                raise BadHearing(
                    f"hearing {heard.hearing!r}: {judge}'s sheet has {len(sheet)} scores, not so many for each of {heard.contestants} contestants"
                )
            for line in range(len(sheet) // heard.contestants):
                for one, two in itertools.combinations(range(heard.contestants), 2):
                    apart = (
                        sheet[line * heard.contestants + one]
                        - sheet[line * heard.contestants + two]
                    )
                    label = TIE if abs(apart) < tie_milli else FIRST if apart > 0 else SECOND
                    yield Answer(f"{heard.hearing}/{line}/{one}-{two}", judge, label)
