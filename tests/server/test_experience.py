from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.experience import begins_at, level_of, xp_of


def test_the_curve_is_the_published_one() -> None:
    assert [begins_at(level) for level in range(1, 7)] == [0, 100, 300, 600, 1_000, 1_500]
    assert (level_of(0).level, level_of(99).level, level_of(100).level) == (1, 1, 2)
    found = level_of(450)
    assert (found.level, found.into, found.span) == (3, 150, 300)
    assert xp_of(wins=3, draws=2, losses=5) == 3 * 20 + 2 * 15 + 5 * 10


@given(st.integers(0, 10**15))
def test_a_level_begins_at_its_xp_and_not_before(xp: int) -> None:
    found = level_of(xp)
    assert begins_at(found.level) <= xp < begins_at(found.level + 1)
    assert 0 <= found.into < found.span


@given(st.integers(0, 10**9), st.integers(0, 10**6))
def test_more_is_never_less(xp: int, more: int) -> None:
    assert level_of(xp).level <= level_of(xp + more).level
