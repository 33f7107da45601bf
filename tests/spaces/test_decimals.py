"""Decimal strings: one form for each number, and no digit lost that is kept."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.decimals import LIMIT, PLACES, Number, at_least, at_most, number, of_fraction

FORM = re.compile(Number.__metadata__[0].pattern)  # type: ignore[attr-defined]
FRACTIONS = st.fractions(min_value=-LIMIT + 1, max_value=LIMIT - 1, max_denominator=10**12)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("12.50", "12.5"),
        ("+12.5", "12.5"),
        ("1.25e1", "12.5"),
        ("-0.0", "0"),
        (".5", "0.5"),
        ("5.", "5"),
        ("007", "7"),
        ("1e-12", "0"),
        ("0.0000000005", "0"),
        ("0.0000000015", "0.000000002"),
        ("103.33333333333333", "103.333333333"),
        ("999999999999999", "999999999999999"),
    ],
)
def test_a_number_has_one_form(written: str, told: str) -> None:
    assert number(written) == told


@pytest.mark.parametrize(
    "written",
    [
        "",
        ".",
        "-",
        "1,5",
        "1 000",
        "nan",
        "inf",
        "0x1",
        "1e999",
        "1e99",
        "1" * 16,
        "٤",
        "1\n",
        "--1",
        "1_0",
    ],
)
def test_what_is_no_number_or_too_large_is_none(written: str) -> None:
    assert number(written) is None


@given(FRACTIONS)
def test_rounding_is_to_the_nearest_and_outward(value: Fraction) -> None:
    told, low, high = of_fraction(value), at_most(value), at_least(value)
    assert Fraction(low) <= value <= Fraction(high)
    assert Fraction(high) - Fraction(low) in (0, Fraction(1, 10**PLACES))
    assert abs(Fraction(told) - value) <= Fraction(1, 2 * 10**PLACES)
    for text in (told, low, high):
        assert FORM.search(text)
        assert number(text) == text


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e14, max_value=1e14))
def test_floats_of_programs_are_read(value: float) -> None:
    told = number(repr(value))
    assert told is not None
    assert (
        abs(Fraction(told) - Fraction(value))
        <= Fraction(1, 10**PLACES) + abs(Fraction(value)) / 10**15
    )


def test_beyond_the_limit() -> None:
    with pytest.raises(ValueError, match="15 digits"):
        of_fraction(Fraction(LIMIT))
    assert at_least(Fraction(LIMIT * 2)) == "999999999999999.999999999"
    assert at_most(Fraction(-LIMIT * 2)) == "-999999999999999.999999999"
