"""A PEFT folder as content, and content as a folder again: every check between a stranger's bytes and a model's server.

What is kept of an adapter is its card and safetensors: rank, scale and targets stand in the card, and PEFT's own
configuration is written anew from it. So no pickle, no code, no option that we do not know ever travels. A GGUF is checked by size and
content id alone: who takes one from a stranger is to convert the weights again (`training.adapters.gguf`), as the proof does.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from chain.content import unixfs
from chain.documents import form
from training.adapters import shapes
from training.adapters import weights as numbers
from training.adapters.shapes import Dimensions
from training.documents.adapter import VERSION, AdapterCard, Base, Measure
from training.serving.backend import CONFIG, FINGERPRINT, GGUF, WEIGHTS
from training.tensors import NotTensors

MAX_WEIGHTS = 512 * 1024 * 1024
"""Bytes of safetensors: rank 64 on all linear layers of 7B parameters has 320 MB in 16 bits."""
MAX_CARD = 64 * 1024
MAX_CONFIG = 64 * 1024
MAX_FINGERPRINT = 256 * 1024

_INERT = frozenset(
    {"base_model_name_or_path", "inference_mode", "init_lora_weights", "lora_alpha", "lora_dropout"}
    | {"megatron_core", "peft_version", "qalora_group_size", "r", "revision", "target_modules"}
)
"""Options of PEFT that change nothing in how trained tensors are read."""
_FIXED = {"bias": "none", "peft_type": "LORA", "task_type": "CAUSAL_LM"}
"""And those that have to be so. Any other has to be off: it would make another thing of the tensors."""


class BadAdapter(ValueError):
    """It is not an adapter, not one of this base, or not the one that it says; the text names the fact."""


class Shape(msgspec.Struct, frozen=True):
    """How an adapter's tensors are to be read."""

    rank: int
    alpha: int
    targets: tuple[str, ...]
    """In alphabetical order."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where an adapter comes from, for its card."""

    base: Base
    space: str
    agent: str
    data: str
    """CID of `agon-data/1`."""
    training: str
    """CID of `agon-training/1`."""
    parent: str | None = None
    """CID of a card."""
    measures: Sequence[Measure] = ()


class Package(msgspec.Struct, frozen=True):
    """An adapter as content. `contents` are files; the card's CID is its name for ever."""

    card: AdapterCard
    document: bytes
    """The card's canonical bytes."""
    contents: dict[str, bytes]
    """CID -> bytes, of all that the card names of the adapter itself: weights, GGUF, fingerprint."""

    @property
    def cid(self) -> str:
        return str(unixfs.cid_of(self.document))

    @property
    def files(self) -> list[bytes]:
        """All of it, the card last: who has the card can have the rest."""
        return [*self.contents.values(), self.document]

    @property
    def bytes(self) -> int:
        """Of everything, as an owner's limit counts it."""
        return len(self.document) + sum(map(len, self.contents.values()))


def pack(folder: Path, origin: Origin, dimensions: Dimensions) -> Package:
    """What PEFT, the converter and the trainer's probe have written into a folder. Raises BadAdapter.

    GGUF and fingerprint are taken along where they are there; anything else in the folder is left out.
    """
    shape = read_config(folder / CONFIG)
    weights = read_weights(folder / WEIGHTS)
    check(weights, shape, dimensions)
    files = {"weights": weights}
    for field, name, most in (
        ("gguf", GGUF, MAX_WEIGHTS),
        ("fingerprint", FINGERPRINT, MAX_FINGERPRINT),
    ):
        if (folder / name).exists():
            files[field] = _bytes(folder / name, most)
    cids = {field: str(unixfs.cid_of(data)) for field, data in files.items()}
    card = AdapterCard(
        base=origin.base,
        space=origin.space,
        agent=origin.agent,
        rank=shape.rank,
        alpha=shape.alpha,
        targets=list(shape.targets),
        weights=cids["weights"],
        bytes=len(weights),
        gguf=cids.get("gguf"),
        fingerprint=cids.get("fingerprint"),
        parent=origin.parent,
        data=origin.data,
        training=origin.training,
        measures=list(origin.measures),
    )
    return Package(card, form.encode(card), {cids[field]: data for field, data in files.items()})


def read_card(document: bytes) -> AdapterCard:
    """Raises BadAdapter."""
    try:
        card = form.read(document, AdapterCard, version=VERSION, max_bytes=MAX_CARD)
    except form.DocumentError as error:
        raise BadAdapter(str(error)) from None
    _check_shape(shape_of(card))
    return card


def unpack(
    card: AdapterCard,
    contents: Mapping[str, bytes],
    folder: Path,
    base: Base,
    dimensions: Dimensions,
) -> None:
    """Write a folder that PEFT, vLLM and llama.cpp read, all at once or not at all. Raises BadAdapter, OSError.

    `contents` by CID; what is not among them and is not needed is left out. `dimensions` are the base's.
    A folder that is there already is left as it is: its name is to be made of the card's CID.
    """
    if card.base.sha256 != base.sha256:
        raise BadAdapter(
            f"an adapter of {card.base.name} {card.base.sha256[:12]}…, served is {base.name} {base.sha256[:12]}…"
        )
    weights = _content(card.weights, contents, MAX_WEIGHTS)
    if len(weights) != card.bytes:
        raise BadAdapter(f"its weights have {len(weights)} bytes, its card says {card.bytes}")
    shape = shape_of(card)
    check(weights, shape, dimensions)
    files = {WEIGHTS: weights, CONFIG: config_of(shape, card.base.name)}
    if card.gguf is not None and card.gguf in contents:
        files[GGUF] = _content(card.gguf, contents, MAX_WEIGHTS)
    if card.fingerprint is not None and card.fingerprint in contents:
        files[FINGERPRINT] = _content(card.fingerprint, contents, MAX_FINGERPRINT)
    _write(folder, files)


def check(weights: bytes, shape: Shape, dimensions: Dimensions) -> None:
    """Raise BadAdapter unless the tensors are exactly those of an update of this shape of such a base, all finite."""
    _check_shape(shape)
    try:
        found = numbers.read(weights)
    except NotTensors as error:
        raise BadAdapter(str(error)) from None
    expected = {each.peft: each for each in shapes.parts(dimensions, shape.targets)}
    if foreign := sorted(found.keys() - expected.keys()):
        raise BadAdapter(f"{foreign[0][:120]!r} is no tensor of an update of {list(shape.targets)}")
    if missing := sorted(expected.keys() - found.keys()):
        raise BadAdapter(f"the tensor {missing[0]} is missing")
    if len({each.dtype for each in found.values()}) > 1:
        raise BadAdapter("its tensors are of several types: expected one of F32, F16, BF16")
    for name, tensor in found.items():
        if tensor.shape != (wanted := expected[name].shape(dimensions, shape.rank)):
            raise BadAdapter(
                f"{name} is {tensor.shape}, the base and rank {shape.rank} make it {wanted}"
            )
        if not numbers.finite(tensor):
            raise BadAdapter(f"{name} holds numbers that are none")


def shape_of(card: AdapterCard) -> Shape:
    return Shape(card.rank, card.alpha, tuple(card.targets))


def config_of(shape: Shape, base: str) -> bytes:
    """`adapter_config.json` as PEFT and vLLM read it."""
    told = {
        "base_model_name_or_path": base,
        "bias": "none",
        "fan_in_fan_out": False,
        "inference_mode": True,
        "lora_alpha": shape.alpha,
        "lora_dropout": 0.0,
        "modules_to_save": None,
        "peft_type": "LORA",
        "r": shape.rank,
        "target_modules": list(shape.targets),
        "task_type": "CAUSAL_LM",
        "use_dora": False,
        "use_rslora": False,
    }
    return msgspec.json.format(msgspec.json.encode(told, order="sorted"), indent=2) + b"\n"


def read_weights(file: Path) -> bytes:
    """Raises BadAdapter, as `read_config`."""
    return _bytes(file, MAX_WEIGHTS)


def read_config(file: Path) -> Shape:
    """What PEFT's configuration says, if it says nothing that we cannot serve."""
    try:
        told: dict[str, Any] = msgspec.json.decode(_bytes(file, MAX_CONFIG), type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadAdapter(f"{CONFIG} is no JSON object: {error}") from None
    for option, value in told.items():
        wanted = _FIXED.get(option)
        if option not in _INERT and (value != wanted if wanted else bool(value)):
            raise BadAdapter(f"{CONFIG}: {option} is {value!r:.60}, only {wanted!r} is served")
    try:
        targets = msgspec.convert(told["target_modules"], list[str])
        rank, alpha = (msgspec.convert(told[key], int, strict=True) for key in ("r", "lora_alpha"))
    except (KeyError, msgspec.ValidationError) as error:
        raise BadAdapter(
            f"{CONFIG}: r, lora_alpha and target_modules are needed ({error})"
        ) from None
    return Shape(rank, alpha, tuple(sorted(targets)))


def _check_shape(shape: Shape) -> None:
    unknown = [each for each in shape.targets if each not in shapes.GGUF_NAMES]
    if unknown:
        raise BadAdapter(f"no module {unknown[0][:60]!r}: there are {', '.join(shapes.GGUF_NAMES)}")
    if not shape.targets or list(shape.targets) != sorted(set(shape.targets)):
        raise BadAdapter("targets are to be named once each, in alphabetical order")
    if not (1 <= shape.rank <= 256 and 1 <= shape.alpha <= 512):
        raise BadAdapter(f"rank {shape.rank}, alpha {shape.alpha}: at most 256 and 512, at least 1")


def _content(cid: str, contents: Mapping[str, bytes], most: int) -> bytes:
    data = contents.get(cid)
    if data is None:
        raise BadAdapter(f"the content {cid} is missing")
    if len(data) > most:
        raise BadAdapter(f"{cid} has {len(data)} bytes, the limit is {most}")
    if str(unixfs.cid_of(data)) != cid:
        raise BadAdapter(f"the bytes that were given for {cid} are others")
    return data


def _bytes(file: Path, most: int) -> bytes:
    try:
        if file.stat().st_size > most:
            raise BadAdapter(f"{file.name} has {file.stat().st_size} bytes, the limit is {most}")
        return file.read_bytes()
    except OSError as error:
        raise BadAdapter(f"cannot read {file} ({error.strerror})") from None


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".unpacking-", dir=folder.parent) as aside:
        made = Path(aside) / "adapter"
        made.mkdir()
        for name, data in files.items():
            (made / name).write_bytes(data)
        try:
            os.rename(made, folder)  # either of two that do it at once may win
        except OSError:
            if not folder.is_dir():
                raise
