"""`agon-fingerprint/1`: what a base answers to fixed prompts with an adapter and without it, by which a server is proved
to use the adapter. Pure."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from chain.documents.form import Cid, Hex32
from training.chat import Message

VERSION = "agon-fingerprint/1"
MAX_PROMPTS = 16
MAX_TOKENS = 128

Text = Annotated[str, Meta(max_length=256)]
Logs = Annotated[
    dict[Text, Annotated[int, Meta(ge=-1_000_000_000, le=0)]], Meta(max_length=MAX_TOKENS)
]
"""A token's text -> log-probability that the answer begins with it, in micro-nats."""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The likeliest first tokens of the answer to one prompt."""

    messages: Annotated[list[Message], Meta(min_length=1, max_length=4)]
    base: Logs
    adapter: Logs


class Fingerprint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    v: Literal["agon-fingerprint/1"] = "agon-fingerprint/1"
    base: Hex32
    """SHA-256 of the base, as in the adapter's card."""
    weights: Cid
    """Of the adapter whose answers these are."""
    answers: Annotated[list[Answer], Meta(min_length=1, max_length=MAX_PROMPTS)]
