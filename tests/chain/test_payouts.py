"""Who gets how much of a pot."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain import payouts
from chain.payouts import Fees, split
from server.ledger import tiers
from server.ratings import ranks_of

ENTRY = 100_000


@st.composite
def pots(draw: st.DrawFn) -> tuple[list[int], tuple[int, ...]]:
    seats = draw(st.integers(2, 8))
    entry = draw(st.sampled_from(tiers.FEE_TIERS[1:]) | st.integers(0, 10**9))
    returns = draw(st.lists(st.integers(-3, 3), min_size=seats, max_size=seats))
    return [entry] * seats, ranks_of(returns)


@given(pots())
def test_pay_outs_and_fees_add_up_to_the_pot(pot: tuple[list[int], tuple[int, ...]]) -> None:
    entries, ranks = pot
    found = split(entries, ranks)
    assert sum(found.payouts) + found.fees.total == sum(entries)
    assert min(found.payouts) >= 0


@given(pots())
def test_a_better_place_never_gets_less(pot: tuple[list[int], tuple[int, ...]]) -> None:
    entries, ranks = pot
    found = split(entries, ranks)
    for one in range(len(ranks)):
        for other in range(len(ranks)):
            if ranks[one] < ranks[other]:
                assert found.payouts[one] >= found.payouts[other]
            elif ranks[one] == ranks[other]:
                assert abs(found.payouts[one] - found.payouts[other]) <= 1


def test_of_two_the_winner_takes_the_pot_less_the_fee() -> None:
    found = split([ENTRY, ENTRY], (2, 1))
    assert found.payouts == (0, 190_000)
    assert found.fees == Fees(protocol=4_000, judges=4_000, operators=2_000)


def test_a_draw_takes_nothing_from_anybody() -> None:
    found = split([ENTRY] * 2, (1, 1))
    assert (found.payouts, found.fees.total, found.refunded) == ((ENTRY, ENTRY), 0, True)


def test_of_five_the_first_three_are_paid() -> None:
    found = split([1_000_000] * 5, (3, 1, 2, 5, 4))
    assert found.payouts == (950_000, 2_375_000, 1_425_000, 0, 0)


def test_tied_seats_share_the_places_that_they_span() -> None:
    assert split([1_000_000] * 5, (1, 1, 3, 4, 5)).payouts == (1_900_000, 1_900_000, 950_000, 0, 0)
    assert split([1_000_000] * 5, (1, 2, 3, 3, 3)).payouts == (
        2_375_000,
        1_425_000,
        316_667,
        316_667,
        316_666,
    )


@pytest.mark.parametrize("ranks", [(1, 3), (2, 2), (0, 1), (1,), (1, 1, 2)])
def test_what_are_no_ranks_pays_nobody(ranks: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="ranks"):
        split([ENTRY] * 2 if len(ranks) < 3 else [ENTRY] * 3, ranks)


def test_a_void_session_gives_every_entry_back() -> None:
    assert payouts.refund([5, 7]).payouts == (5, 7)


@pytest.mark.parametrize(
    ("micros", "asset", "words"),
    [
        (500_000, "usdc", "0.50 USDC"),
        (-1_000_000, "play", "-1.00 play dollars"),
        (1, "usdc", "0.000001 USDC"),
        (0, "usdc", "0.00 USDC"),
        (2_375_000, "usdc", "2.375 USDC"),
    ],
)
def test_money_for_people(micros: int, asset: str, words: str) -> None:
    assert tiers.money(micros, asset) == words
