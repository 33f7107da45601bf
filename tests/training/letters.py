"""A tokenizer of one token a character, for pure tests: nothing to load, every id can be read back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any


class _Backend:
    def to_str(self) -> str:
        return json.dumps({"letters": 1, "padding": None})


class Letters:
    eos_token_id = 0
    chat_template = "<role>content"
    backend_tokenizer = _Backend()

    def apply_chat_template(self, conversation: list[dict[str, str]], **how: Any) -> str:
        told = "".join(f"<{each['role']}>{each['content']}\n" for each in conversation)
        return f"{told}<assistant>"

    def encode(self, text: str, **how: Any) -> list[int]:
        return [ord(letter) for letter in text]

    def decode(self, ids: Sequence[int], **how: Any) -> str:
        return "".join(chr(each) for each in ids if each)
