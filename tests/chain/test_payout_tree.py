"""The pay-out tree: the same root as OpenZeppelin's, and proofs that hold for what is in it alone."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.payout_tree import PayoutTree, leaf_hash, verify
from chain.standard_tree import pair_hash

ACCOUNTS = st.dictionaries(
    st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
    st.integers(0, 2**53),
    min_size=1,
    max_size=40,
)


def test_the_root_is_the_one_of_openzeppelins_example() -> None:
    # README of @openzeppelin/merkle-tree 1.0: these two leaves, and the root that it prints.
    tree = PayoutTree(
        {
            "0x1111111111111111111111111111111111111111": 5_000_000_000_000_000_000,
            "0x2222222222222222222222222222222222222222": 2_500_000_000_000_000_000,
        }
    )
    assert tree.root.hex() == "d4dee0beab2d53f2cc83e567171bd2820e49898130a22622b10ead383e90bd77"


@given(ACCOUNTS)
@settings(max_examples=60)
def test_every_account_can_prove_its_own_and_nothing_else(cumulative: dict[str, int]) -> None:
    tree = PayoutTree(cumulative)
    assert tree.total == sum(cumulative.values())
    for account, micros in cumulative.items():
        proof = tree.proof(account)
        assert verify(account, micros, proof, tree.root)
        assert not verify(account, micros + 1, proof, tree.root)
        assert tree.proof(account.upper().replace("0X", "0x")) == proof
    assert PayoutTree(dict(reversed(cumulative.items()))).root == tree.root


@given(ACCOUNTS, st.integers(0, 2**53))
@settings(max_examples=30)
def test_another_amount_is_another_root(cumulative: dict[str, int], micros: int) -> None:
    account = next(iter(cumulative))
    changed = cumulative | {account: micros}
    same = cumulative[account] == micros
    assert (PayoutTree(changed).root == PayoutTree(cumulative).root) is same


def test_what_is_no_leaf_is_refused() -> None:
    with pytest.raises(ValueError, match="no leaf"):
        leaf_hash("0x12", 1)
    with pytest.raises(ValueError, match="no leaf"):
        leaf_hash("0x" + "11" * 20, -1)
    with pytest.raises(ValueError, match="1 to"):
        PayoutTree({})
    with pytest.raises(ValueError, match="twice"):
        PayoutTree({"0x" + "aa" * 20: 1, "0x" + "AA" * 20: 1})


@given(st.data(), st.integers(1, 60))
def test_a_multi_proof_leads_to_the_root(data: Any, count: int) -> None:
    cumulative = {f"0x{number:040x}": number for number in range(1, count + 1)}
    tree = PayoutTree(cumulative)
    chosen = data.draw(st.sets(st.sampled_from(tree.accounts), min_size=1))
    many = tree.claims(chosen)
    assert {account for account, _ in many.allotments} == chosen
    # As OpenZeppelin's MerkleProof.processMultiProof does it.
    known = [leaf_hash(account, micros) for account, micros in many.allotments]
    proof = list(many.proof)
    for flag in many.flags:
        known.append(pair_hash(known.pop(0), known.pop(0) if flag else proof.pop(0)))
    assert (known, proof) == ([tree.root], [])


def test_a_multi_proof_names_each_account_once() -> None:
    tree = PayoutTree({"0x" + "aa" * 20: 1, "0x" + "bb" * 20: 1})
    with pytest.raises(ValueError, match="different leaves"):
        tree.claims(["0x" + "aa" * 20, "0x" + "AA" * 20])
    with pytest.raises(ValueError, match="at least one"):
        tree.claims([])
