"""Numbers in documents without floats: decimal strings in one form, read exactly.

`12.50`, `+12.5` and `1.25e1` are the one number `12.5`. A number has at most 15 digits before the point
and 9 after it; digits beyond the ninth are rounded, half to even, since models and floats write many.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Annotated

from msgspec import Meta

WHOLE_DIGITS = 15
PLACES = 9
LIMIT = 10**WHOLE_DIGITS
"""Every number is less than this, either way."""

Number = Annotated[
    str,
    Meta(pattern=r"^(?!-0\Z)-?(0|[1-9][0-9]{0,14})(\.[0-9]{0,8}[1-9])?\Z"),
]
"""A number in its one form: no plus, no exponent, no zeros that say nothing, no minus zero."""

_WRITTEN = re.compile(
    r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?"
)
_EXACT = Context(prec=200)
_LAST_PLACE = Decimal(1).scaleb(-PLACES)


def number(text: str) -> str | None:
    """The one form of a number that a person, a model or a program wrote; None where it is none, is not
    finite, or is too large."""
    if not _WRITTEN.fullmatch(text):
        return None
    value = Decimal(text)
    if value and value.adjusted() >= WHOLE_DIGITS:
        return None
    value = value.quantize(_LAST_PLACE, rounding=ROUND_HALF_EVEN, context=_EXACT)
    return _told(value) if abs(value) < LIMIT else None


def of_fraction(value: Fraction) -> str:
    """The nearest number; half to even. Raises ValueError beyond the limit."""
    return _of_units(round(value * 10**PLACES))


def at_least(value: Fraction) -> str:
    """The least number that is not below `value`, or the greatest number there is."""
    units = -(-value.numerator * 10**PLACES // value.denominator)
    return _of_units(max(min(units, _MAX_UNITS), -_MAX_UNITS))


def at_most(value: Fraction) -> str:
    """The greatest number that is not above `value`, or the least number there is."""
    units = value.numerator * 10**PLACES // value.denominator
    return _of_units(max(min(units, _MAX_UNITS), -_MAX_UNITS))


_MAX_UNITS = LIMIT * 10**PLACES - 1


def _of_units(units: int) -> str:
    """Of so many billionths."""
    if abs(units) > _MAX_UNITS:
        raise ValueError(f"a number has at most {WHOLE_DIGITS} digits before the point")
    return _told(Decimal(units).scaleb(-PLACES, context=_EXACT))


def _told(value: Decimal) -> str:
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
