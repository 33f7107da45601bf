"""Everybody finds the same keepers, evenly; whoever comes or goes moves nothing but its own share."""

from __future__ import annotations

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.operator import assign

ADDRESSES = [f"0x{number:040x}" for number in range(1, 10)]
addresses = st.lists(
    st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex()), min_size=1, unique=True
)
digests = st.binary(min_size=32, max_size=32)


def _digest(number: int) -> bytes:
    return hashlib.sha256(str(number).encode()).digest()


VECTOR = [ADDRESSES[7], ADDRESSES[0], ADDRESSES[5]]
"""Of the digest of "0", among nine."""


def test_the_keepers_of_a_block_are_these() -> None:
    """A fixed vector: another implementation must find it, too."""
    assert assign.keepers(ADDRESSES, _digest(0), 3) == VECTOR


@given(addresses, digests, st.integers(1, 8))
def test_there_are_k_of_them_or_all_in_any_order_given(
    operators: list[str], digest: bytes, k: int
) -> None:
    found = assign.keepers(operators, digest, k)
    assert len(found) == min(k, len(operators))
    assert set(found) <= set(operators)
    assert found == assign.keepers([*reversed(operators), *operators], digest, k)
    assert found[:1] == assign.keepers(operators, digest, 1)


@given(addresses, digests, st.integers(1, 4), st.data())
def test_one_that_goes_is_followed_by_the_next_and_nothing_else_moves(
    operators: list[str], digest: bytes, k: int, data: st.DataObject
) -> None:
    gone = data.draw(st.sampled_from(operators))
    left = [each for each in operators if each != gone]
    before, after = assign.keepers(operators, digest, k), assign.keepers(left, digest, k)
    stay = [each for each in before if each != gone]
    assert after[: len(stay)] == stay
    assert len(after) - len(stay) == (1 if gone in before and len(left) >= k else 0)


def test_each_keeps_its_share() -> None:
    kept = Counter(
        keeper for n in range(3_000) for keeper in assign.keepers(ADDRESSES, _digest(n), 3)
    )
    assert all(abs(kept[each] - 1_000) < 120 for each in ADDRESSES)  # four sigmas and a half


def test_how_an_address_is_written_makes_no_difference() -> None:
    address = "0xAbCdEf0123456789aBcDeF0123456789ABCDEF01"
    assert assign.score(address, _digest(1)) == assign.score(address.lower()[2:], _digest(1))
    assert assign.keeps(address, [address], _digest(1), 3)


@pytest.mark.parametrize(
    ("operator", "digest", "k"),
    [("0x12", bytes(32), 1), (ADDRESSES[0], b"", 1), (ADDRESSES[0], bytes(32), 0)],
)
def test_nonsense_is_refused(operator: str, digest: bytes, k: int) -> None:
    with pytest.raises(ValueError, match=r"address|digest|keeper"):
        assign.keepers([operator], digest, k)
