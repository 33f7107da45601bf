"""The simulator's thousands at once are the court's one at a time, number for number."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from judges.court.reckoning import Question, reckon
from judges.court.terms import BPS, TOP_MILLI
from judges.simulate.many import reckon_many

score = st.one_of(st.integers(0, TOP_MILLI), st.sampled_from([0, 5_000, TOP_MILLI]))


@st.composite
def hearings(draw: st.DrawFn) -> tuple[Question, list[list[int]], list[int] | None]:
    lines, contestants = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    size = lines * contestants
    sheet = st.lists(score, min_size=size, max_size=size)
    seats = draw(st.sampled_from([5, 7, 15]))
    question = Question(
        weights=tuple(draw(st.lists(st.integers(1, 255), min_size=lines, max_size=lines))),
        contestants=contestants,
        prior=tuple(draw(st.lists(score, min_size=lines, max_size=lines))),
        scale=draw(st.integers(1, 10**8)),
        seats=seats,
        fee=draw(st.integers(0, 10**8)),
        lock=BPS,
    )
    sheets = draw(st.lists(sheet, min_size=2, max_size=seats))
    return question, sheets, draw(st.none() | sheet)


@given(hearings())
def test_they_agree_on_everything(
    hearing: tuple[Question, list[list[int]], list[int] | None],
) -> None:
    question, sheets, reference = hearing
    one = reckon(question, sheets, reference)
    many = reckon_many(
        question,
        np.asarray([sheets, sheets[::-1]], np.int64),
        None if reference is None else np.asarray([reference] * 2, np.int64),
    )
    for row, order in ((0, 1), (1, -1)):
        assert tuple(many.medians[row].tolist()) == one.medians
        assert tuple(many.totals[row].tolist()) == one.totals
        assert int(many.margins[row]) == one.margin
        seats = one.seats[::order]
        assert many.skills[row].tolist() == [seat.skill for seat in seats]
        assert many.pays[row].tolist() == [seat.pay for seat in seats]
        assert many.slashes_bps[row].tolist() == [seat.slash for seat in seats]
