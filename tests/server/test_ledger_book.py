"""The arithmetic of money, by itself."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from server.ledger import Account, Book, Bound, Kind, Result, Transfer, apply
from server.ledger.names import opening
from server.ledger.transfer import MAX_MICROS, resolution

ANN, BEN, POT, CHAIN = "usdc:agent:ann", "usdc:agent:ben", "usdc:pot:s", "usdc:chain"


def book(*, ann: int = 100, ben: int = 0) -> Book:
    """Two agents with money that has come from the chain."""
    made = Book([opening(name) for name in (ANN, BEN, POT, CHAIN)])
    funds = [move("in:a", CHAIN, ANN, ann), move("in:b", CHAIN, BEN, ben)]
    assert all(result.done for result in apply(made, [each for each in funds if each.micros]))
    return made


def move(id_: str, debit: str, credit: str, micros: int, **more: object) -> Transfer:
    made = Transfer(id=id_, debit=debit, credit=credit, asset="usdc", micros=micros, code="fund")
    return msgspec.structs.replace(made, **more)


def held(id_: str = "hold", micros: int = 60) -> Transfer:
    return move(id_, ANN, POT, micros, kind=Kind.PENDING)


def one(on: Book, transfer: Transfer) -> Result:
    [result] = apply(on, [transfer])
    return result


def test_a_transfer_moves_its_amount_at_once() -> None:
    on = book()
    assert one(on, move("t", ANN, BEN, 40)) is Result.OK
    assert (on.accounts[ANN].balance_micros, on.accounts[BEN].balance_micros) == (60, 40)


def test_what_is_held_can_be_spent_by_nothing_else() -> None:
    on = book()
    assert one(on, held(micros=60)) is Result.OK
    assert on.accounts[ANN].balance_micros == 100
    assert on.accounts[ANN].available_micros == 40
    assert one(on, move("t", ANN, BEN, 41)) is Result.EXCEEDS_CREDITS
    assert one(on, move("u", ANN, BEN, 40)) is Result.OK


def test_what_is_pending_for_an_account_is_not_its_own_yet() -> None:
    on = book()
    apply(on, [held()])
    assert one(on, move("t", POT, BEN, 1)) is Result.EXCEEDS_CREDITS


@pytest.mark.parametrize(("kind", "ann", "pot"), [(Kind.POST, 40, 60), (Kind.VOID, 100, 0)])
def test_a_pending_transfer_is_posted_or_voided_once(kind: Kind, ann: int, pot: int) -> None:
    on = book()
    apply(on, [held()])
    assert one(on, resolution(held(), kind, "end")) is Result.OK
    assert (on.accounts[ANN].available_micros, on.accounts[POT].available_micros) == (ann, pot)
    for again in (Kind.POST, Kind.VOID):
        assert one(on, resolution(held(), again, f"again-{again}")) is Result.RESOLVED


def test_doing_it_again_is_harmless_and_doing_another_thing_by_that_name_is_refused() -> None:
    on = book()
    assert one(on, move("t", ANN, BEN, 40)) is Result.OK
    assert one(on, move("t", ANN, BEN, 40)) is Result.EXISTS
    assert one(on, move("t", ANN, BEN, 41)) is Result.EXISTS_DIFFERENT
    assert on.accounts[BEN].balance_micros == 40


def test_linked_transfers_stand_or_fall_together() -> None:
    on = book(ann=100, ben=10)
    before = dict(on.accounts)
    chain = [
        move("a", ANN, POT, 10, linked=True),
        move("b", BEN, POT, 11, linked=True),
        move("c", POT, ANN, 21),
    ]
    results = apply(on, chain)
    assert results == [Result.LINKED_FAILED, Result.EXCEEDS_CREDITS, Result.LINKED_FAILED]
    assert on.accounts == before
    assert not {"a", "b", "c"} & on.transfers.keys()
    whole = [*chain[:1], move("b", BEN, POT, 10, linked=True), move("c", POT, ANN, 20)]
    assert apply(on, whole) == [Result.OK] * 3
    assert apply(on, whole) == [Result.EXISTS] * 3


def test_a_failed_chain_lets_what_it_resolved_be_resolved_later() -> None:
    on = book()
    apply(on, [held()])
    post = resolution(held(), Kind.POST, "post", linked=True)
    assert apply(on, [post, move("x", BEN, POT, 1)])[0] is Result.LINKED_FAILED
    assert one(on, resolution(held(), Kind.VOID, "void")) is Result.OK


def test_half_a_chain_cannot_be_completed_afterwards() -> None:
    on = book()
    apply(on, [move("a", ANN, BEN, 1)])
    chain = [move("a", ANN, BEN, 1, linked=True), move("b", ANN, BEN, 1)]
    assert apply(on, chain) == [Result.CHAIN_TORN, Result.CHAIN_TORN]


def test_a_batch_that_ends_within_a_chain_does_not_begin_it() -> None:
    on = book()
    assert one(on, move("a", ANN, BEN, 1, linked=True)) is Result.CHAIN_OPEN
    assert "a" not in on.transfers


@pytest.mark.parametrize(
    ("transfer", "result"),
    [
        (move("t", ANN, BEN, 0), Result.BAD_AMOUNT),
        (move("t", ANN, BEN, -5), Result.BAD_AMOUNT),
        (move("t", ANN, BEN, MAX_MICROS + 1), Result.BAD_AMOUNT),
        (move("t", ANN, ANN, 1), Result.SAME_ACCOUNT),
        (move("t", ANN, "usdc:agent:nobody", 1), Result.UNKNOWN_ACCOUNT),
        (move("t", ANN, BEN, 1, asset="play"), Result.OTHER_ASSET),
        (move("t", ANN, BEN, 1, pending="in:a"), Result.UNKNOWN_PENDING),
        (move("t", ANN, BEN, 1, kind=Kind.POST, pending="nothing"), Result.UNKNOWN_PENDING),
        (move("t", CHAIN, ANN, 100, kind=Kind.POST, pending="in:a"), Result.UNKNOWN_PENDING),
        (move("t", ANN, CHAIN, 101), Result.EXCEEDS_CREDITS),
    ],
)
def test_what_cannot_be(transfer: Transfer, result: Result) -> None:
    on = book()
    before = dict(on.accounts)
    assert one(on, transfer) is result
    assert on.accounts == before


def test_more_than_was_pending_cannot_be_posted() -> None:
    on = book()
    apply(on, [held()])
    more = msgspec.structs.replace(resolution(held(), Kind.POST, "post"), micros=61)
    assert one(on, more) is Result.DIFFERS_FROM_PENDING


def test_the_world_outside_gets_back_no_more_than_it_gave() -> None:
    on = Book([opening(CHAIN), Account("usdc:mint", "usdc", Bound.NONE)])
    assert one(on, move("t", "usdc:mint", CHAIN, 1)) is Result.EXCEEDS_DEBITS


NAMES = (ANN, BEN, POT, CHAIN)


class AnyBook(RuleBasedStateMachine):
    """Whatever is submitted in whatever order: nothing is made, nothing is lost, nobody owes."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book([opening(name) for name in NAMES])
        self.seen: list[Transfer] = []
        self.count = 0

    def _submit(self, batch: Sequence[Transfer]) -> None:
        before = dict(self.book.accounts)
        results = apply(self.book, batch)
        assert len(results) == len(batch)
        if not any(result is Result.OK for result in results):
            assert self.book.accounts == before
        self.seen += batch

    def _name(self) -> str:
        self.count += 1
        return f"t{self.count}"

    @rule(
        debit=st.sampled_from(NAMES),
        credit=st.sampled_from(NAMES),
        micros=st.integers(0, 50),
        kind=st.sampled_from((Kind.POSTED, Kind.PENDING)),
    )
    def transfer(self, debit: str, credit: str, micros: int, kind: Kind) -> None:
        self._submit([move(self._name(), debit, credit, micros, kind=kind)])

    @rule(
        legs=st.lists(
            st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(1, 50)),
            min_size=2,
            max_size=4,
        )
    )
    def chain(self, legs: list[tuple[str, str, int]]) -> None:
        self._submit(
            [
                move(self._name(), debit, credit, micros, linked=number < len(legs) - 1)
                for number, (debit, credit, micros) in enumerate(legs)
            ]
        )

    @precondition(lambda self: self.seen)
    @rule(data=st.data(), kind=st.sampled_from((Kind.POST, Kind.VOID)))
    def resolve(self, data: st.DataObject, kind: Kind) -> None:
        pending = data.draw(st.sampled_from(self.seen))
        self._submit([resolution(pending, kind, self._name())])

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def again(self, data: st.DataObject) -> None:
        transfer = data.draw(st.sampled_from(self.seen))
        alone = msgspec.structs.replace(transfer, linked=False)
        known = alone.id in self.book.transfers
        before = dict(self.book.accounts)
        result = one(self.book, alone)
        if known:
            assert result is Result.EXISTS
            assert self.book.accounts == before

    @invariant()
    def conserved(self) -> None:
        accounts = self.book.accounts.values()
        assert sum(each.balance_micros for each in accounts) == 0
        assert sum(each.debits_pending - each.credits_pending for each in accounts) == 0

    @invariant()
    def sound(self) -> None:
        assert all(account.sound() for account in self.book.accounts.values())

    @invariant()
    def counted(self) -> None:
        """Counters are the sums over what has happened."""
        posted = [t for t in self.book.transfers.values() if t.kind in (Kind.POSTED, Kind.POST)]
        for name, account in self.book.accounts.items():
            assert account.debits_posted == sum(t.micros for t in posted if t.debit == name)
            assert account.credits_posted == sum(t.micros for t in posted if t.credit == name)


TestAnyBook = AnyBook.TestCase


@given(st.text(max_size=40))
def test_only_names_of_ours_open_accounts(name: str) -> None:
    try:
        account = opening(name)
    except ValueError:
        return
    assert account.asset in ("usdc", "play")
    assert account.sound()
