"""Amounts in and out: exact to the last part, and whatever is no amount is refused with what would be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.wallet import amounts
from chain.wallet.amounts import BadAmount
from chain.wallet.words import due, instant, span


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("5", 5_000_000),
        ("0.50", 500_000),
        ("0.000001", 1),
        (" 20 USDC ", 20_000_000),
        ("007.10", 7_100_000),
        ("0.10000000", 100_000),
    ],
)
def test_what_people_write_is_micros(text: str, micros: int) -> None:
    assert amounts.usdc(text) == micros


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", "1e6", "1,000", ".5", "5.", "0x10", "\u0665", "nan", "inf", "1_000", "1 000", "5 EUR"],
)  # fmt: skip
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(BadAmount, match="no amount of USDC; write 5 or"):
        amounts.usdc(text)


def test_amounts_have_bounds() -> None:
    with pytest.raises(BadAmount, match="6 decimals at most"):
        amounts.usdc("0.0000001")
    with pytest.raises(BadAmount, match="above 0"):
        amounts.usdc("0")
    assert amounts.usdc("0", zero=True) == 0
    with pytest.raises(BadAmount, match="more USDC than there is"):
        amounts.usdc("9" * 30)
    with pytest.raises(BadAmount, match="no amount"):
        amounts.usdc("9" * 41)


@given(st.integers(1, amounts.MAX_MICROS))
def test_what_is_shown_can_be_written(micros: int) -> None:
    shown = amounts.shown_usdc(micros)
    assert amounts.usdc(shown.replace(",", "")) == micros


@given(st.integers(1, amounts.MAX_TOKENS))
def test_tokens_are_exact_and_shown_no_larger_than_they_are(parts: int) -> None:
    exact = amounts.decimal(parts, 18).replace(",", "")
    assert amounts.tokens(exact, "EMBR") == parts
    shown = amounts.shown_tokens(parts, "EMBR")
    if not shown.startswith("<"):
        assert 0 <= parts - amounts.tokens(shown.replace(",", ""), "EMBR") < 10**12


@given(st.integers(1, 10**30), st.integers(0, amounts.MAX_SLIPPAGE_BPS))
def test_the_least_that_is_taken_is_never_less_than_was_asked_for(amount: int, bps: int) -> None:
    least = amounts.less(amount, bps)
    assert amount * (10_000 - bps) <= least * 10_000
    assert least <= amount
    assert amounts.less(amount, 0) == amount


def test_slippage_is_a_percentage() -> None:
    assert [amounts.slippage_bps(each) for each in ("1", "0.5%", "0.05", "50", "0")] == [
        100,
        50,
        5,
        5_000,
        0,
    ]
    for text in ("", "1.005", "-1", "x", "1e1"):
        with pytest.raises(BadAmount, match="is no slippage"):
            amounts.slippage_bps(text)
    with pytest.raises(BadAmount, match="gives the trade away"):
        amounts.slippage_bps("50.01")


def test_spans_and_times() -> None:
    assert [amounts.span_s(each) for each in ("90s", "10m", "12 h", "30d", "4w")] == [
        90,
        600,
        43_200,
        2_592_000,
        2_419_200,
    ]
    for text in ("", "30", "0d", "1y", "-1d", "1.5h"):
        with pytest.raises(BadAmount, match="no span of time"):
            amounts.span_s(text)
    assert (span(0), span(59), span(86_399), span(90_000)) == (
        "0 s",
        "59 s",
        "23 h 59 m",
        "1 d 1 h",
    )
    assert due(10, 10) == "now"
    assert due(86_400, 0) == "1970-01-02 00:00:00 UTC (in 1 d)"
    assert instant(2**64 - 1) == "never"
