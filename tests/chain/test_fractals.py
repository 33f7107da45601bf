"""Fractals on the chain: bound to their account, only ever more, and never more than a season's total."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boa
import pytest
from eth_utils.crypto import keccak

from chain.artifacts import load
from chain.points_tree import PointsTree
from tests.chain.contracts import deploy, reverts
from tests.chain.roles import give_role
from tests.chain.wallets import wallet

ADMIN, PUBLISHER, ANN, BOB, EVE = (wallet(n).address for n in range(1, 6))


@pytest.fixture
def fractals() -> Iterator[Any]:
    with boa.env.anchor():
        contract = deploy("fractals", sender=ADMIN)
        give_role(contract, "publisher", PUBLISHER, ADMIN)
        yield contract


def post(fractals: Any, season: int, number: int, points: dict[str, int], **more: int) -> Any:
    tree = PointsTree(season, points)
    total = more.get("total", tree.total)
    fractals.post(season, number, tree.root, total, sender=PUBLISHER)
    return tree


def claim(fractals: Any, number: int, tree: Any, account: str) -> int:
    earned: int = fractals.claim(
        tree.season, number, account, tree.points(account), tree.proof(account), sender=EVE
    )
    return earned


def test_points_are_brought_by_anybody_and_only_grow(fractals: Any) -> None:
    first = post(fractals, 1, 1, {ANN: 50, BOB: 20})
    second = post(fractals, 1, 2, {ANN: 80, BOB: 20})
    assert claim(fractals, 1, first, ANN) == 50
    assert claim(fractals, 2, second, ANN) == 30
    assert claim(fractals, 1, first, ANN) == 0  # an older root takes nothing back
    third = post(fractals, 2, 1, {ANN: 7})
    assert claim(fractals, 1, third, ANN) == 7
    assert fractals.balanceOf(ANN) == fractals.totalSupply() == 87
    assert (fractals.points(1, ANN), fractals.points(2, ANN)) == (80, 7)


def test_points_of_a_closed_season_can_be_claimed_but_not_posted(fractals: Any) -> None:
    old = post(fractals, 1, 1, {ANN: 5})
    post(fractals, 2, 1, {ANN: 1})
    with reverts("fractals: the season is neither this one nor the next"):
        post(fractals, 1, 2, {ANN: 500})
    assert claim(fractals, 1, old, ANN) == 5


def test_a_root_stays_and_totals_do_not_fall(fractals: Any) -> None:
    post(fractals, 1, 1, {ANN: 5})
    with reverts("fractals: that is not the season's next root"):
        post(fractals, 1, 1, {ANN: 6})
    with reverts("fractals: the total is less than before"):
        post(fractals, 1, 2, {ANN: 4})
    with reverts("fractals: the season is neither this one nor the next"):
        post(fractals, 3, 1, {ANN: 4})
    with reverts("fractals: caller is not the publisher"):
        fractals.post(1, 2, b"\1" * 32, 9, sender=ADMIN)


def test_a_proof_is_of_one_season_account_and_number(fractals: Any) -> None:
    tree = post(fractals, 1, 1, {ANN: 5, BOB: 5})
    post(fractals, 2, 1, {ANN: 5, EVE: 1})
    for season, account, points in ((2, ANN, 5), (1, EVE, 5), (1, ANN, 6)):
        with reverts("fractals: the proof does not lead to the root"):
            fractals.claim(season, 1, account, points, tree.proof(ANN))
    with reverts("fractals: there is no such root"):
        fractals.claim(1, 2, ANN, 5, tree.proof(ANN))


def test_a_season_never_gives_more_than_its_total(fractals: Any) -> None:
    tree = post(fractals, 1, 1, {ANN: 5, BOB: 6}, total=10)
    claim(fractals, 1, tree, ANN)
    with reverts("fractals: more than the season's total"):
        claim(fractals, 1, tree, BOB)


def test_points_cannot_be_moved() -> None:
    names = {entry.get("name") for entry in load("fractals").abi}
    assert not names & {"transfer", "transferFrom", "approve", "permit", "burn", "mint"}


def test_they_are_locked_and_say_so_once(fractals: Any) -> None:
    locked = keccak(text="Locked(address)")
    said = []
    for number, points in ((1, 5), (2, 9)):
        tree = post(fractals, 1, number, {ANN: points})
        claim(fractals, number, tree, ANN)
        logs = fractals._computation.get_raw_log_entries()
        said += [topics for _, _, topics, _ in logs if topics[0] == int.from_bytes(locked, "big")]
    assert said == [(int.from_bytes(locked, "big"), int(ANN, 16))]
    assert fractals.locked(ANN)
