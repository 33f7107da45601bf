"""From an opinion to a sheet."""

from __future__ import annotations

import pytest

from chain.documents import case
from judges.node.sheet import MAX_REASON, MAX_REASONS_BYTES, scored
from judges.panel import FORFEITED
from judges.verdict import Opinion

OPINION = Opinion(
    "small",
    ((7_000, 4_000), (5_500, 5_000)),
    (("good\x1b[2J rhymes\nthroughout", "x" * 900), ("", "weak")),
)


def test_a_sheet_is_row_major_and_its_reasons_are_plain_lines() -> None:
    found = scored(OPINION)
    assert found.flat == (7_000, 4_000, 5_500, 5_000)
    assert found.reasons == (("good[2J rhymes throughout", "x" * MAX_REASON), ("", "weak"))


def test_a_seat_that_has_forfeited_has_nothing_whatever_the_judge_found() -> None:
    found = scored(OPINION, forfeited=(1,))
    assert found.flat == (7_000, 0, 5_500, 0)
    assert found.reasons[1] == ("", FORFEITED)


def test_reasons_fit_the_document_of_a_case_whatever_a_model_writes() -> None:
    assert MAX_REASONS_BYTES == case.MAX_REASONS_BYTES
    assert MAX_REASON <= case.MAX_REASON
    words = tuple(("\u20ac" * 5_000,) * 8 for _ in range(8))
    found = scored(Opinion("small", ((0,) * 8,) * 8, words))
    case.check_reasons(found.reasons, 8, 8)
    assert all(len(text) > 20 for line in found.reasons for text in line)


def test_points_that_there_are_not_are_refused() -> None:
    with pytest.raises(ValueError, match="0 to 10000"):
        scored(Opinion("small", ((10_001, 0),), (("", ""),)))
