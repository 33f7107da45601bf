"""Merkle trees against the known answers of certificate transparency, and forged proofs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces import merkle

# The leaves and roots that implementations of RFC 6962 test with (certificate-transparency's
# merkle_tree_test): root i is over the first i + 1 leaves.
LEAVES = [
    bytes.fromhex(leaf)
    for leaf in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert merkle.root([]).hex() == EMPTY


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_the_known_answers(size: int) -> None:
    assert merkle.root(LEAVES[:size]).hex() == ROOTS[size - 1]


@given(st.integers(1, 70), st.data())
def test_every_leaf_has_a_proof_that_fits_nothing_else(size: int, data: st.DataObject) -> None:
    leaves = [bytes([n]) * 3 for n in range(size)]
    index = data.draw(st.integers(0, size - 1))
    root, proof = merkle.root(leaves), merkle.inclusion_proof(leaves, index)
    assert merkle.verify(leaves[index], index, size, proof, root)
    assert not merkle.verify(b"other", index, size, proof, root)
    assert not merkle.verify(leaves[index], index, size, proof, bytes(32))
    assert not merkle.verify(leaves[index], index, size, [*proof, bytes(32)], root)
    assert not merkle.verify(leaves[index], size, size, proof, root)
    assert not merkle.verify(leaves[index], -1, size, proof, root)
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index)) if size > 1 else None
    if other is not None:
        assert not merkle.verify(leaves[index], other, size, proof, root)
        assert not merkle.verify(leaves[index], index, size, proof[:-1], root)


def test_a_node_is_no_leaf() -> None:
    """The prefixes 0x00 and 0x01 keep an inner node from being passed off as an entry."""
    node = merkle.leaf_hash(b"a") + merkle.leaf_hash(b"b")
    assert merkle.root([node]) != merkle.root([b"a", b"b"])


def test_there_is_no_proof_of_a_leaf_that_is_not_there() -> None:
    with pytest.raises(IndexError, match="no leaf 2 in a tree of 2"):
        merkle.inclusion_proof([b"a", b"b"], 2)
