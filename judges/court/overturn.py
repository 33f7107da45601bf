"""What the seats of a hearing lose when the case's last hearing has clearly found another winner. Pure, integers alone.

Whoever holds most seats of a panel *is* its median: no rule that looks at that panel alone can charge them. A bigger panel of
others can. Distance is not the measure: to turn a close session it is enough to be a little wrong everywhere, no farther
from the truth than honest noise. But the errors of honest judges largely cancel over the lines, and those of whoever wants one winner
add up; so it is the seat's own margin that counts.
"""

from __future__ import annotations

from collections.abc import Sequence

from judges.court.reckoning import Question, Sheet, totals_of
from judges.court.terms import BPS, TERMS, Terms


def overturned(was: Sequence[int], last: Sequence[int], margin: int) -> tuple[int, int] | None:
    """(the hearing's winner, the last hearing's), from the totals of both, where each was clear: ahead of all others by
    `margin` (of the filing, at least 1). None where they agree or one was not clear: such a hearing was escalated, and
    nobody is to blame for it."""
    found, final = _clear(was, margin), _clear(last, margin)
    if found is None or final is None or found == final:
        return None
    return found, final


def overturn_slash(
    question: Question,
    sheet: Sheet,
    was: Sequence[int],
    last: Sequence[int],
    margin: int,
    terms: Terms = TERMS,
) -> int:
    """FRAC of the lock that a seat of the overturned hearing loses: if its own sheet puts the winner that fell before the one
    that stands by `margin` or more. In place of what it would lose as an outlier, where that is less."""
    fell = overturned(was, last, margin)
    if fell is None:
        return 0
    own = totals_of(question, sheet)
    return (
        question.lock * terms.overturned_bps // BPS if own[fell[0]] - own[fell[1]] >= margin else 0
    )


def _clear(totals: Sequence[int], margin: int) -> int | None:
    best, second = sorted(totals, reverse=True)[:2] if len(totals) > 1 else (totals[0], 0)
    return totals.index(best) if best - second >= max(1, margin) else None
