"""`agon-adapter/1`: what an adapter is, so that anybody can load it, judge it and trace it back. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chain.documents.form import Cid, Count, Hex32, Name

VERSION = "agon-adapter/1"


class Base(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The weights that an adapter is a change of."""

    name: Name
    """As the model server calls it."""
    sha256: Hex32
    """Of the file that the weights were read from."""


class Measure(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A rate with its 95 % interval, in thousandths, and from how many."""

    name: Name
    value_milli: int
    low_milli: int
    high_milli: int
    of: Count


class AdapterCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One adapter. Its own CID is its name for ever."""

    v: Literal["agon-adapter/1"] = "agon-adapter/1"
    base: Base
    space: Name
    agent: Name
    """Whose it is; empty outside an arena."""
    rank: Annotated[int, Meta(ge=1, le=256)]
    alpha: Annotated[int, Meta(ge=1, le=512)]
    targets: Annotated[list[Name], Meta(min_length=1, max_length=16)]
    """Modules that it changes, in alphabetical order."""
    weights: Cid
    """safetensors, as PEFT writes them."""
    bytes: Count
    """Of the weights."""
    gguf: Cid | None = None
    """The same weights as llama.cpp reads them (`training.adapters.gguf`)."""
    fingerprint: Cid | None = None
    """What base and adapter answer to fixed prompts, `agon-fingerprint/1`, by which a server is probed."""
    parent: Cid | None = None
    """The card of the adapter that its training went on from."""
    data: Cid
    """`agon-data/1`."""
    training: Cid
    """`agon-training/1`."""
    measures: Annotated[list[Measure], Meta(max_length=64)] = []
