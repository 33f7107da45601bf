"""What a model is told and says, as messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, Literal, Protocol

import msgspec

SYSTEM = "You are a sharp and playful contestant."
"""What a hosted agent's model is told where its owner says nothing (`bots.brains.llm`); public."""


class Message(msgspec.Struct, frozen=True):
    role: Literal["system", "user", "assistant"]
    content: str


class Tokenizer(Protocol):
    """What we use of a Hugging Face tokenizer."""

    eos_token_id: int
    chat_template: Any
    backend_tokenizer: Any
    """Of the library `tokenizers`; `to_str()` is all of it as JSON."""

    def apply_chat_template(self, conversation: list[dict[str, str]], **how: Any) -> Any: ...

    def encode(self, text: str, **how: Any) -> list[int]: ...

    def decode(self, ids: Sequence[int], **how: Any) -> str: ...


def prompt_ids(messages: Sequence[Message], tokenizer: Tokenizer) -> tuple[int, ...]:
    """The question as the model reads it, up to where its answer begins; shape (P,)."""
    text = tokenizer.apply_chat_template(
        [{"role": each.role, "content": each.content} for each in messages],
        tokenize=False,
        add_generation_prompt=True,
    )
    return tuple(tokenizer.encode(text, add_special_tokens=False))


def completion_ids(text: str, tokenizer: Tokenizer) -> tuple[int, ...]:
    """An answer with the token that ends it; shape (C,). `<|im_end|>` in its words is words: a model that answers cannot
    say it, and nobody is to learn what a stranger wrote behind it."""
    ids = tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)
    return (*ids, tokenizer.eos_token_id)


def tokenizer_sha256(tokenizer: Tokenizer) -> str:
    """Of all that decides which token ids a text and a conversation become, in hex."""
    told = json.loads(tokenizer.backend_tokenizer.to_str())
    # How a batch was padded or cut last is kept there, too, and decides nothing.
    told = {key: value for key, value in told.items() if key not in ("padding", "truncation")}
    named = [told, tokenizer.chat_template, tokenizer.eos_token_id]
    return hashlib.sha256(json.dumps(named, sort_keys=True).encode()).hexdigest()
