"""What is known of judges: from the chain how they stand, from the court's rows what they have judged."""

from __future__ import annotations

from typing import Literal

import msgspec

from judges.court.hearing import SeatState
from judges.court.terms import WINDOW
from server.court.onchain.standing import Standing
from server.protocol import JudgeHearing, JudgeView
from server.store import Store
from server.store.court import Count, Drawn

Word = Literal["standing", "unaccepted", "short", "jailed", "leaving"]
HISTORY = 50
"""Hearings that a judge's page tells of."""


async def judge_view(store: Store, judge: str, now_ms: int) -> JudgeView | None:
    """By its EIP-55 address; None where nobody has heard of it."""
    stands = (await store.court_logs.standings([judge])).get(judge)
    count = (await store.court.counts([judge])).get(judge)
    if stands is None and count is None:
        return None
    drawn = await store.court.drawn(judge, HISTORY)
    view = _view(judge, stands, count or Count(), now_ms)
    skills = [each.skill for each in drawn if each.over and each.bound and each.skill is not None][
        :WINDOW
    ]
    return msgspec.structs.replace(
        view,
        mean_skill_ppm=sum(skills) // len(skills) if skills else None,
        history=[_heard(each) for each in drawn],
    )


async def judge_page(store: Store, now_ms: int) -> list[JudgeView]:
    """All, by address, without their histories."""
    stands, counts = await store.court_logs.standings(), await store.court.counts()
    return [
        _view(judge, stands.get(judge), counts.get(judge, Count()), now_ms)
        for judge in sorted({*stands, *counts})
    ]


async def standing(store: Store, now_ms: int) -> int:
    """How many can be drawn, as far as rows tell."""
    stands = await store.court_logs.standings()
    return sum(word_of(each, now_ms) == "standing" for each in stands.values())


def word_of(stands: Standing, now_ms: int) -> Word:
    """How a judge stands, in the wire's words; the gravest that is so."""
    if stands.jailed_until * 1_000 > now_ms:
        return "jailed"
    if not stands.accepted:
        return "unaccepted"
    if not stands.bonded and stands.unbonding:
        return "leaving"
    return "standing" if stands.place and stands.bonded else "short"


def _view(judge: str, stands: Standing | None, count: Count, now_ms: int) -> JudgeView:
    """Without history."""
    known = stands or Standing()
    return JudgeView(
        judge=judge,
        operator=known.operator,
        family=known.family,
        endpoint=known.endpoint,
        standing="unknown" if stands is None else word_of(stands, now_ms),
        bonded_frac=str(known.bonded),
        hearings=count.hearings,
        revealed=count.revealed,
        absent=count.absent,
        earned_micros=count.earned,
        slashed_frac=str(count.slashed),
        next_ordinal=count.next_ordinal,
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
