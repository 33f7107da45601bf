"""Adapters for tests, written byte by byte: a little Llama's, without torch."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Mapping
from pathlib import Path

from chain.content import cid
from chain.documents import form
from training.adapters.package import Origin, Shape, config_of
from training.adapters.shapes import Dimensions, parts
from training.chat import Message
from training.documents.adapter import Base
from training.documents.fingerprint import Answer, Fingerprint
from training.serving.backend import CONFIG, FINGERPRINT, GGUF, WEIGHTS

DIMENSIONS = Dimensions(layers=2, hidden=16, intermediate=32, heads=4, kv_heads=2, head=4)
BASE = Base(name="tiny", sha256="ab" * 32)
SHAPE = Shape(2, 4, ("k_proj", "q_proj"))
ORIGIN = Origin(
    base=BASE,
    space="bid-tac-toe",
    agent="01AGENT",
    data=str(cid.of(b"data")),
    training=str(cid.of(b"training")),
)


def tensors(seed: int = 0, shape: Shape = SHAPE) -> dict[str, tuple[tuple[int, ...], bytes]]:
    """Name -> shape and little-endian float32."""
    rng = random.Random(seed)
    found: dict[str, tuple[tuple[int, ...], bytes]] = {}
    for part in parts(DIMENSIONS, shape.targets):
        rows, columns = part.shape(DIMENSIONS, shape.rank)
        numbers = [rng.uniform(-1, 1) for _ in range(rows * columns)]
        found[part.peft] = ((rows, columns), struct.pack(f"<{len(numbers)}f", *numbers))
    return found


def safetensors(given: Mapping[str, tuple[tuple[int, ...], bytes]], dtype: str = "F32") -> bytes:
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    body = b""
    for name, (shape, data) in given.items():
        offsets = [len(body), len(body) + len(data)]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": offsets}
        body += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def write(folder: Path, seed: int = 0) -> Path:
    """A folder as PEFT and we write it."""
    folder.mkdir(parents=True)
    weights = safetensors(tensors(seed))
    (folder / WEIGHTS).write_bytes(weights)
    (folder / CONFIG).write_bytes(config_of(SHAPE, "tiny"))
    (folder / GGUF).write_bytes(b"GGUF" + bytes([seed]))
    (folder / FINGERPRINT).write_bytes(form.encode(fingerprint(str(cid.of(weights)))))
    return folder


def fingerprint(weights: str) -> Fingerprint:
    answer = Answer(
        messages=[Message("user", "Say one word.")],
        base={"a": -500_000, "b": -1_500_000, "c": -2_500_000, "d": -3_000_000},
        adapter={"a": -1_000_000, "b": -800_000, "c": -2_700_000, "d": -3_000_000},
    )
    return Fingerprint(base=BASE.sha256, weights=weights, answers=[answer])
