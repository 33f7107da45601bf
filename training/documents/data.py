"""`agon-data/1`, the data card: which sessions a training learned from, how, and what was held out. Pure."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from chain.documents.form import Cid, Count, Hex32, Name

VERSION = "agon-data/1"
MAX_BYTES = 1 << 20
"""So that the card is one raw block."""
MAX_SESSIONS = 8_192


class DataRecipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How examples are made of transcripts; with the transcripts it says all of the data set."""

    form: Literal["winners", "pairs", "labelled", "groups"]
    space: Name
    system_sha256: Hex32
    """Of the system prompt that the questions begin with."""
    questions: Name = "plain"
    """Who words them: `plain` (the Space's own prompt) or a brain's name with its version."""
    tokenizer_sha256: Hex32
    most: Count = 0
    """Examples at most, the first ones in the order of the seed's shuffle; 0: all."""
    seed: Count = 0
    options: dict[str, Any] = {}
    """Of the form, every one of them said; no floats. Among them the caps, against repetition."""


class DataCard(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    v: Literal["agon-data/1"] = "agon-data/1"
    recipe: DataRecipe
    sessions: Annotated[list[Cid], Meta(max_length=MAX_SESSIONS)]
    """Transcripts, in ascending order of their CIDs."""
    results: dict[Cid, Cid] = {}
    """Of transcripts whose `agon-result/1` told who sat where or how judges found: its CID."""
    counts: dict[str, Count]
    """`sessions`, `undecided`, `seats`, `turns`, `legal`, `examples`, `tokens`, `loss_tokens`, and of the form:
    `won`, `lost`, …"""
    held_out: dict[str, list[str]]
    """`players`: versions, `seeds`: hex, `sessions`: CIDs, which no example is of."""
    digest: Hex32
    """SHA-256 over all examples' token ids and labels, in order (`training.data.card`)."""
