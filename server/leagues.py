"""Leagues: Bronze to Master, three divisions each, from what a rating is sure of. Pure.

A division is a number, 0 (Bronze III) to 17 (Master I). What counts is the *ordinal*, mu - 3 sigma, so a
league is earned by being good and by having shown it. The floors are fixed points of the scale and not
shares of the field: nobody falls because others came.

Ratings tremble, so up and down are not the same rule. Up: at once, to the highest division whose floor
the ordinal reaches. Down: by one division, after DEMOTE_AFTER results in a row that each left the ordinal
more than MARGIN_MILLI below the floor. Between a fall and a return to the same division the ordinal has
therefore risen by more than the margin, and between two falls there are DEMOTE_AFTER results. Falling by
one division at a time also keeps the rule monotone: who has been at least as good all the time is never
in a lower division.
"""

from __future__ import annotations

import msgspec

LEAGUES = ("Bronze", "Silver", "Gold", "Platinum", "Diamond", "Master")
_NUMERALS = ("III", "II", "I")
DIVISIONS = len(LEAGUES) * len(_NUMERALS)

STEP_MILLI = 2_000
"""Between two floors; where two play, a third of the odds e : 1 (openskill's beta makes that 5.9 of mu)."""
_BASE_MILLI = 4_000
"""So that an average agent (mu 25) that has played some hundred sessions (sigma 2) stands in Gold II, one in
twenty in Diamond (docs/ratings.md has the simulation)."""
MARGIN_MILLI = 500
DEMOTE_AFTER = 5

SURE_SESSIONS = 10
SURE_SIGMA_MILLI = 7_000
"""Fewer sessions or a larger sigma: the place is provisional, shown greyed and never hidden."""


class Standing(msgspec.Struct, frozen=True):
    """Where a version stands in a Space."""

    division: int = 0
    below: int = 0
    """Results in a row that left the ordinal under the floor by more than the margin."""
    best: int = 0
    """The highest division since the season began."""


def floor_milli(division: int) -> int | None:
    """The ordinal that a division asks for; None of the lowest, which asks for nothing."""
    return None if division <= 0 else _BASE_MILLI + STEP_MILLI * division


def division_of(ordinal_milli: int) -> int:
    """The highest division whose floor the ordinal reaches."""
    return max(0, min(DIVISIONS - 1, (ordinal_milli - _BASE_MILLI) // STEP_MILLI))


def placed(ordinal_milli: int) -> Standing:
    """Who has no history here, or whose season has just begun."""
    return standing(division_of(ordinal_milli))


def standing(division: int) -> Standing:
    """Just come to a division, and never been higher."""
    return Standing(division, 0, division)


def after(before: Standing, ordinal_milli: int) -> Standing:
    """The standing after a result that left this ordinal."""
    reached = division_of(ordinal_milli)
    if reached > before.division:
        return Standing(reached, 0, max(before.best, reached))
    floor = floor_milli(before.division)
    if floor is None or ordinal_milli >= floor - MARGIN_MILLI:
        return msgspec.structs.replace(before, below=0)
    if before.below + 1 < DEMOTE_AFTER:
        return msgspec.structs.replace(before, below=before.below + 1)
    return Standing(before.division - 1, 0, before.best)


def provisional(sessions: int, sigma_milli: int) -> bool:
    """Too little is known yet for the place to mean much."""
    return sessions < SURE_SESSIONS or sigma_milli > SURE_SIGMA_MILLI


def name(division: int) -> str:
    """For people, e.g. `Silver I`. Raises ValueError for what is no division."""
    if not 0 <= division < DIVISIONS:
        raise ValueError(f"no division {division}; there are 0 to {DIVISIONS - 1}")
    league, numeral = divmod(division, len(_NUMERALS))
    return f"{LEAGUES[league]} {_NUMERALS[numeral]}"
