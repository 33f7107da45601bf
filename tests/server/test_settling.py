"""What an entry goes through until its session is settled, by the arithmetic of money alone."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.ledger import Account, Book, Result, Transfer, apply, entry, names, tiers
from server.ledger.names import opening
from server.store.holds import HoldRow
from server.store.settling import Ending, Facts, Seat, claims, ended, reckon, transfers

SESSION, SPACE = "s", "logic"


def facts(seats: int, tier_micros: int) -> Facts:
    made = [Seat(n, f"a{n}", f"a{n}@v1", f"o{n}", f"t{n}") for n in range(seats)]
    return Facts(SESSION, SPACE, tier_micros, void=False, seats=made, by_forfeit=False)


def held(of: Facts) -> list[HoldRow]:
    """Their entries, in another order than the seats'."""
    micros = tiers.entry_micros(of.tier_micros)
    return [
        HoldRow(
            f"t{n}", f"a{n}", SPACE, of.tier_micros, of.asset, micros, "spent", SESSION, None, 0
        )
        for n in reversed(range(len(of.seats)))
    ]


def formed(of: Facts) -> Book:
    """A book in which all of it has happened up to the pot."""
    asset, rows = of.asset, held(of)
    mint = names.MINT if asset == tiers.PLAY else names.CHAIN
    funds = [
        Transfer(
            id=f"in:{row.agent}",
            debit=mint,
            credit=names.agent(asset, row.agent),
            asset=asset,
            micros=row.micros,
            code="deposit",
        )
        for row in rows
    ]
    batch = [*funds, *(row.transfer for row in rows)]
    batch += entry.spend(SESSION, [row.transfer for row in rows])
    book = Book(opened(batch))
    assert set(apply(book, batch)) == {Result.OK}
    return book


def opened(batch: list[Transfer]) -> list[Account]:
    return [
        opening(name) for name in sorted({n for each in batch for n in (each.debit, each.credit)})
    ]


tables = st.integers(2, 6).flatmap(
    lambda seats: st.tuples(
        st.sampled_from(tiers.FEE_TIERS),
        st.lists(st.integers(0, 3), min_size=seats, max_size=seats),
        st.booleans(),
    )
)


@given(tables)
def test_whatever_the_ranks_the_pot_is_emptied_once_and_the_result_says_how(
    table: tuple[int, list[int], bool],
) -> None:
    tier_micros, scores, void = table
    of = facts(len(scores), tier_micros)
    ranks = tuple(1 + sum(other > score for other in scores) for score in scores)
    ending = Ending(session=SESSION, reason="x") if void else Ending(session=SESSION, ranks=ranks)
    settling, book = reckon(of, held(of), ending, 1), formed(of)
    paying = transfers(settling)
    for account in opened(paying):
        book.accounts.setdefault(account.id, account)
    assert set(apply(book, paying)) == {Result.OK}
    assert set(apply(book, paying)) == {Result.EXISTS}
    assert book.accounts[names.pot(of.asset, SESSION)].balance_micros == 0
    assert book.accounts[names.queue(of.asset, SPACE)].balance_micros == 0
    row = settling.row
    assert row.pot_micros == len(scores) * tiers.entry_micros(tier_micros)
    for payout in row.payouts:
        assert book.accounts[payout.to].balance_micros == payout.amount


def test_a_void_session_gives_back_whole_counts_for_nobody_and_earns_nothing() -> None:
    of = facts(3, 1_000_000)
    settling = reckon(of, held(of), Ending(session=SESSION, reason="host lost"), 1)
    assert (settling.row.status, settling.row.ranks) == ("void", None)
    assert [payout.amount for payout in settling.row.payouts] == [1_000_000] * 3
    assert [each.id for each in transfers(settling)] == [f"refund:s:{n}" for n in range(3)]
    assert claims(settling) == []
    assert [(seat.paid_micros, seat.won_micros) for seat in ended(settling).seats] == [
        (1_000_000, 1_000_000)
    ] * 3


def test_an_entry_that_is_released_is_the_agents_again() -> None:
    [row] = held(facts(1, 0))
    grant = entry.grant(row.ticket, row.agent)
    batch = [grant, row.transfer, entry.release(row.transfer)]
    book = Book(opened(batch))
    assert set(apply(book, batch)) == {Result.OK}
    purse = book.accounts[names.agent(tiers.PLAY, row.agent)]
    assert purse.available_micros == entry.PLAY_GRANT_MICROS
