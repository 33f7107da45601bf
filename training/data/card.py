"""The digest of a data set: what a trainer was fed, to the token. Pure.

SHA-256 over the examples in order. An example is its kind's letter, then each of its token sequences as a
big-endian uint32 length and as many uint32, then its labels as signed 64-bit integers; its origin is left
out, so that two sets which teach the same have the same digest.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence

from training.data.example import Example, Labelled, Pair, Sample

AnyExample = Example | Pair | Labelled | Sample


def digest(examples: Iterable[AnyExample]) -> str:
    """In hex."""
    sha = hashlib.sha256(b"agon-data/1")
    for example in examples:
        kind, sequences, labels = _parts(example)
        sha.update(kind)
        for ids in sequences:
            sha.update(struct.pack(f">I{len(ids)}I", len(ids), *ids))
        sha.update(struct.pack(f">{len(labels)}q", *labels))
    return sha.hexdigest()


def token_counts(examples: Iterable[AnyExample]) -> tuple[int, int]:
    """All tokens, and those that have a loss: the answers'."""
    total = loss = 0
    for example in examples:
        _, (prompt, *answers), _ = _parts(example)
        said = sum(map(len, answers))
        total += len(prompt) * len(answers) + said
        loss += said
    return total, loss


def _parts(example: AnyExample) -> tuple[bytes, Sequence[Sequence[int]], Sequence[int]]:
    match example:
        case Example():
            return b"e", (example.prompt, example.completion), (example.weight_milli,)
        case Pair():
            sequences = (example.prompt, example.chosen, example.rejected)
            return b"p", sequences, (example.margin_milli, example.smoothing_milli)
        case Labelled():
            labels = (int(example.desirable), example.weight_milli)
            return b"l", (example.prompt, example.completion), labels
        case Sample():
            return b"s", (example.prompt, example.completion), (round(example.advantage * 1_000),)
