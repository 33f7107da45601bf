"""Chance from a seed: the documented construction, word by word, and no modulo bias."""

from __future__ import annotations

import hashlib
import hmac
from collections import Counter
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.seed import Streams, commitment

SEED = bytes(range(32))


def test_words_are_hmac_blocks_read_in_order() -> None:
    blocks = b"".join(hmac.digest(SEED, b"coin:3:%d" % k, hashlib.sha256) for k in range(2))
    words = [int.from_bytes(blocks[i : i + 8], "big") for i in range(0, 64, 8)]
    assert list(islice(Streams(SEED).words("coin:3"), 8)) == words


def test_words_past_the_last_multiple_are_rejected() -> None:
    n = 3 * 2**62 + 1  # floor(2^64 / n) * n = n, so a quarter of all words is rejected
    words = list(islice(Streams(SEED).words("x"), 40))
    assert any(word >= n for word in words)
    expected = [word for word in words if word < n]
    assert list(islice(Streams(SEED).draws("x", n), len(expected))) == expected


@given(st.binary(min_size=32, max_size=32), st.integers(1, 1_000))
def test_a_draw_is_below_its_bound(seed: bytes, n: int) -> None:
    assert 0 <= Streams(seed).below("topic", n) < n


def test_labels_are_independent_and_repeat() -> None:
    streams = Streams(SEED)
    coins = [streams.coin(f"coin:{ply}") for ply in range(400)]
    assert coins == [streams.coin(f"coin:{ply}") for ply in range(400)]
    assert 150 < Counter(coins)[1] < 250


def test_the_commitment_binds_session_and_seed() -> None:
    assert commitment("S", SEED) == hashlib.sha256(b"agon-seed/1S" + SEED).hexdigest()


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_seed_has_32_bytes(size: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Streams(bytes(size))


def test_no_draw_below_zero() -> None:
    with pytest.raises(ValueError, match="n >= 1"):
        Streams(SEED).below("x", 0)


def test_the_seed_stays_out_of_reprs() -> None:
    assert SEED.hex() not in repr(Streams(SEED))
    assert repr(SEED) not in repr(Streams(SEED))
