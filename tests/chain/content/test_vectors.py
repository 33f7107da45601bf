"""The ids that other implementations gave: a real Kubo, the JavaScript importer of the IPFS project, and Kubo's own tests.

`ask_kubo.py` and `ask_helia.mjs` made the files. Kubo's tests (test/cli/cid_profiles_test.go at 867cdc5d8, of July 2026)
hold both profiles' ids at the borders of chunks and nodes; their bytes are ChaCha20 under SHA-256 of a seed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chain.content import cid, unixfs
from chain.content.dag_pb import Link, total
from chain.content.unixfs import MIB, V0_2015, V1_2025, Profile
from tests.chain.content.random_strings import COUNT, SEED, strings

HERE = Path(__file__).parent
WORDS = 16
BATCH = 16_384
"""ChaCha20's blocks made at once: a mebibyte."""


def of(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / name).read_text())
    assert (found["seed"], found["count"]) == (SEED, COUNT)
    return found


def lines(ids: list[str]) -> str:
    return hashlib.sha256("".join(f"{each}\n" for each in ids).encode()).hexdigest()


@pytest.fixture(scope="module")
def of_2015() -> list[Link]:
    """The roots of the random strings as files, and the sizes of their trees."""
    found = []
    for number, data in enumerate(strings()):
        *_, root = made = list(unixfs.blocks([data], V0_2015))
        found.append(Link(root.cid, sum(len(block.data) for block in made), f"{number:05}"))
    return found


def test_ten_thousand_random_strings_have_the_ids_that_kubo_gave(of_2015: list[Link]) -> None:
    check([str(link.cid) for link in of_2015], of("kubo_vectors.json"))


def test_ten_thousand_random_strings_have_the_ids_that_the_javascript_importer_gave() -> None:
    check([str(unixfs.cid_of(data)) for data in strings()], of("helia_vectors.json"))


def check(ids: list[str], vectors: dict[str, Any]) -> None:
    spelled = vectors["first"]
    assert len(spelled) >= 300
    assert ids[: len(spelled)] == spelled
    assert lines(ids) == vectors["sha256_of_lines"]
    assert [str(cid.parse(each)) for each in spelled] == spelled


def test_a_folder_of_folders_has_the_id_that_kubo_gave(of_2015: list[Link]) -> None:
    folders = []
    for first in range(0, COUNT, 100):
        entries = of_2015[first : first + 100]
        block = unixfs.directory(entries, 0)
        folders.append(Link(block.cid, total(entries, block.data), f"{first // 100:03}"))
    root = unixfs.directory(folders, 0)
    assert str(root.cid) == of("kubo_vectors.json")["folders_of_100"]


def test_a_tree_of_two_levels_has_the_id_that_kubo_gave() -> None:
    pieces = (bytes(range(256)) * 1024 for _ in range(200))
    *_, root = unixfs.blocks(pieces, V0_2015)
    assert str(root.cid) == of("kubo_vectors.json")["50_mib_of_0_to_255"]


@pytest.mark.parametrize("chunk", [64, 20])
def test_trees_of_a_thousand_links_have_the_ids_that_others_gave(chunk: int) -> None:
    wide = bytes(n % 256 for n in range(200_000))
    profile = Profile(chunk, V1_2025.links, True, 1)
    assert str(unixfs.cid_of(wide, profile)) == of("helia_vectors.json")["wide"][str(chunk)]


@pytest.mark.parametrize(
    ("profile", "seed", "size", "expected"),
    [
        (
            V0_2015,
            "chunk-v0-seed",
            MIB // 4,
            "QmWmRj3dFDZdb6ABvbmKhEL6TmPbAfBZ1t5BxsEyJrcZhE",
        ),
        (
            V0_2015,
            "chunk-v0-seed",
            MIB // 4 + 1,
            "QmYyLxtzZyW22zpoVAtKANLRHpDjZtNeDjQdJrcQNWoRkJ",
        ),
        (V0_2015, "v0-seed", 174 * MIB // 4, "QmUbBALi174SnogsUzLpYbD4xPiBSFANF4iztWCsHbMKh2"),
        (V0_2015, "v0-seed", 174 * MIB // 4 + 1, "QmV81WL765sC8DXsRhE5fJv2rwhS4icHRaf3J9Zk5FdRnW"),
        (
            V1_2025,
            "chunk-v1-seed",
            MIB,
            "bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta",
        ),
        (
            V1_2025,
            "chunk-v1-seed",
            MIB + 1,
            "bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64",
        ),
        pytest.param(
            V1_2025,
            "v1-2025-seed",
            1024 * MIB,
            "bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            V1_2025,
            "v1-2025-seed",
            1024 * MIB + 1,
            "bafybeibdsi225ugbkmpbdohnxioyab6jsqrmkts3twhpvfnzp77xtzpyhe",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_kubos_own_expectations_at_the_borders(
    profile: Profile, seed: str, size: int, expected: str
) -> None:
    *_, root = unixfs.blocks(chacha20(seed, size), profile)
    assert str(root.cid) == expected


@pytest.mark.parametrize(
    ("profile", "seed", "lengths", "expected"),
    [
        (
            V0_2015,
            "hamt-unixfs-v0-2015",
            [30] * 4_096,
            "QmX5GtRk3TSSEHtdrykgqm4eqMEn3n2XhfkFAis5fjyZmN",
        ),
        (
            V1_2025,
            "hamt-unixfs-v1-2025",
            [11] * 4_765 + [21],
            "bafybeic3h7rwruealwxkacabdy45jivq2crwz6bufb5ljwupn36gicplx4",
        ),
    ],
)
def test_kubos_own_expectations_of_directories(
    profile: Profile, seed: str, lengths: list[int], expected: str
) -> None:
    letters = "abcdefghijklmnopqrstuvwxyz01234567890-_"
    stream = iter(b"".join(chacha20(seed, MIB)))
    *_, file = unixfs.blocks([b"x"], profile)
    names = ["".join(letters[next(stream) % len(letters)] for _ in range(n)) for n in lengths]
    entries = [Link(file.cid, len(file.data), name) for name in names]
    assert str(unixfs.directory(entries, profile.version).cid) == expected


def chacha20(seed: str, size: int) -> Iterator[bytes]:
    """RFC 8439's key stream under SHA-256 of the seed, with a nonce of zeros, from block 0 on."""
    key = np.frombuffer(hashlib.sha256(seed.encode()).digest(), "<u4")
    constants = np.frombuffer(b"expand 32-byte k", "<u4")
    for first in range(0, -(-size // 64), BATCH):
        state = np.zeros((WORDS, BATCH), np.uint32)
        state[:4], state[4:12] = constants[:, None], key[:, None]
        state[12] = np.arange(first, first + BATCH, dtype=np.uint32)
        made = state.copy()
        for _ in range(10):
            for a in range(4):
                _quarter(made, a, 4 + a, 8 + a, 12 + a)
            for a in range(4):
                _quarter(made, a, 4 + (a + 1) % 4, 8 + (a + 2) % 4, 12 + (a + 3) % 4)
        piece = (made + state).T.astype("<u4").tobytes()
        yield piece[: size - first * 64]


def _quarter(s: np.ndarray[Any, np.dtype[np.uint32]], a: int, b: int, c: int, d: int) -> None:
    for to, by, mixed, turn in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        s[to] += s[by]
        s[mixed] ^= s[to]
        s[mixed] = s[mixed] << np.uint32(turn) | s[mixed] >> np.uint32(32 - turn)
