"""What is known of judges: from the chain how they stand, from the court's rows what they have judged."""

from __future__ import annotations

from collections.abc import Sequence

from judges.court.hearing import SeatState
from judges.court.terms import WINDOW
from server.protocol import JudgeHearing, JudgeView
from server.store import Store
from server.store.court import Count, Drawn

HISTORY = 50
"""Hearings that a judge's page tells of."""


async def judge_view(store: Store, judge: str, now_ms: int) -> JudgeView | None:
    """By its EIP-55 address; None where nobody has heard of it."""
    count = (await store.court.counts([judge])).get(judge)
    drawn = await store.court.drawn(judge, HISTORY)
    if count is None or not drawn:
        return None
    return _view(judge, count, drawn, with_history=True)


async def judge_page(store: Store, now_ms: int) -> list[JudgeView]:
    """All, by address, without their histories."""
    counts = await store.court.counts()
    return [_view(judge, counts[judge], (), with_history=False) for judge in sorted(counts)]


def _view(judge: str, count: Count, drawn: Sequence[Drawn], *, with_history: bool) -> JudgeView:
    skills = [each.skill for each in drawn if each.over and each.bound and each.skill is not None][
        :WINDOW
    ]
    return JudgeView(
        judge=judge,
        operator="",
        family="",
        hearings=count.hearings,
        revealed=count.revealed,
        absent=count.absent,
        mean_skill_ppm=sum(skills) // len(skills) if skills else None,
        earned_micros=count.earned,
        slashed_frac=str(count.slashed),
        next_ordinal=count.next_ordinal,
        history=[_heard(each) for each in drawn] if with_history else [],
    )


def _heard(drawn: Drawn) -> JudgeHearing:
    """What a hearing brought the judge is told when it is over."""
    revealed = drawn.over and drawn.state is SeatState.REVEALED
    return JudgeHearing(
        session=drawn.session,
        space=drawn.space,
        hearing=drawn.hearing,
        state=drawn.state.value,
        drawn_ms=drawn.drawn_ms,
        reserve=drawn.reserve,
        ordinal=drawn.ordinal,
        skill_ppm=drawn.skill if revealed else None,
        pay_micros=drawn.pay if drawn.over else 0,
        slash_frac=drawn.slash if drawn.over else "0",
    )
