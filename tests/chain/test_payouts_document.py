"""`agon-payouts/1`: what is built is what is read, and whatever was changed on the way is found."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain.documents import form, payouts
from chain.documents.form import DocumentError
from chain.documents.payouts import PayoutsDocument
from chain.payout_tree import PayoutTree
from spaces import canonical

ESCROW = "0x" + "E5" * 20
ALLOTTED = st.dictionaries(
    st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()),
    st.integers(1, canonical.MAX_INTEGER),
    min_size=1,
    max_size=30,
)


def alike(**changes: object) -> bytes:
    """A good document with some of its fields changed, in canonical form."""
    document, _ = payouts.build(3, 8453, ESCROW, {"0x" + "11" * 20: 5, "0x" + "22" * 20: 7})
    return canonical.encode(msgspec.to_builtins(document) | changes)


@given(ALLOTTED)
@settings(max_examples=40)
def test_what_is_built_is_read_and_proves_each_account(cumulative: dict[str, int]) -> None:
    document, tree = payouts.build(3, 8453, ESCROW, cumulative)
    read, again = payouts.read(payouts.encode(document))
    assert read == document
    assert again.root == tree.root == PayoutTree(cumulative).root
    for account, micros in cumulative.items():
        proof = payouts.proof_of(read, again, account)
        assert (proof.epoch, proof.cumulative_micros) == (3, micros)
        assert proof.leads_to(tree.root)
        more = msgspec.structs.replace(proof, cumulative_micros=micros + 1)
        assert not more.leads_to(tree.root)
        assert payouts.read_proof(msgspec.json.encode(proof)) == proof


def test_the_same_allotments_are_the_same_bytes() -> None:
    one, _ = payouts.build(1, 1, ESCROW, {"0x" + "aB" * 20: 5, "0x" + "11" * 20: 7})
    other, _ = payouts.build(1, 1, ESCROW, {"0x" + "11" * 20: 7, "0x" + "Ab" * 20: 5})
    assert payouts.encode(one) == payouts.encode(other)


def test_who_was_allotted_nothing_is_no_leaf() -> None:
    document, tree = payouts.build(1, 1, ESCROW, {"0x" + "11" * 20: 7, "0x" + "22" * 20: 0})
    assert [account for account, _ in document.accounts] == ["0x" + "11" * 20]
    with pytest.raises(KeyError):
        payouts.proof_of(document, tree, "0x" + "22" * 20)
    with pytest.raises(ValueError, match="1 to"):
        payouts.build(1, 1, ESCROW, {"0x" + "22" * 20: 0})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"root": "11" * 32}, "root is"),
        ({"accounts": [["0x" + "11" * 20, 5], ["0x" + "22" * 20, 8]]}, "root is"),
        ({"accounts": [["0x" + "22" * 20, 7], ["0x" + "11" * 20, 5]]}, "not in order"),
        ({"accounts": [["0x" + "11" * 20, 5], ["0x" + "11" * 20, 5]]}, "not in order"),
        ({"accounts": []}, "length >= 1"),
        ({"accounts": [["0x" + "AA" * 20, 5]]}, "regex"),
        ({"accounts": [["0x" + "11" * 20, 0]]}, ">= 1"),
        ({"accounts": [["0x" + "11" * 20, "5"]]}, "int"),
        ({"epoch": 0}, ">= 1"),
        ({"v": "agon-payouts/2"}, "agon-payouts/2"),
        ({"note": "hello"}, "unknown field"),
    ],
)
def test_what_was_changed_is_refused(changes: dict[str, object], why: str) -> None:
    with pytest.raises(DocumentError, match=why):
        payouts.read(alike(**changes))


def test_bytes_that_are_no_document_are_refused() -> None:
    for document in (b"", b"[]", b"{}", alike() + b"\n", b"\xff"):
        with pytest.raises(DocumentError):
            payouts.read(document)
    with pytest.raises(DocumentError, match="at most"):
        payouts.read(b" " * (payouts.MAX_BYTES + 1))


def test_the_bounds_agree() -> None:
    account = ("0x" + "ff" * 20, 10**15)
    full = PayoutsDocument(epoch=1, chain_id=1, escrow=ESCROW, root="00" * 32, accounts=[account])
    header = len(form.encode(full))
    one_more = len(form.encode(msgspec.structs.replace(full, accounts=[account, account])))
    assert header + (payouts.MAX_ACCOUNTS - 1) * (one_more - header) <= payouts.MAX_BYTES
    assert payouts.MAX_ACCOUNTS <= 1 << payouts.MAX_PROOF


def test_an_answer_that_is_no_proof_is_refused() -> None:
    good = {
        "epoch": 1,
        "account": "0x" + "11" * 20,
        "cumulative_micros": 5,
        "proof": ["0x" + "22" * 32],
    }
    for changes in (
        {"epoch": -1},
        {"proof": ["22" * 32]},
        {"proof": ["0x" + "22" * 32] * 25},
        {"cumulative_micros": 1.5},
        {"more": 1},
    ):
        with pytest.raises(DocumentError, match="not a proof"):
            payouts.read_proof(msgspec.json.encode(good | changes))
    with pytest.raises(DocumentError, match="not a proof"):
        payouts.read_proof(b"\xff\xfe")
