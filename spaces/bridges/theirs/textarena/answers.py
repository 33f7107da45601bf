"""The action of every game of TextArena: the agent's words, as plain text.

Each game reads them itself, most by a token in square brackets; so an answer is taken whole.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from spaces.plain_text import plain_lines
from spaces.space import InvalidAction

KIND = "answer"
TEXT_MAX = 2_000
"""Characters; the longest answers are offers and speeches."""


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    text: Annotated[str, Meta(min_length=1, max_length=TEXT_MAX)]

    def __post_init__(self) -> None:
        if "\n".join(plain_lines(self.text)) != self.text:
            raise ValueError("text is not plain")


def parse(kind: str, text: str) -> Answer:
    """Raises InvalidAction."""
    if kind != KIND:
        raise InvalidAction(f"a game of TextArena asks for an answer, not for {kind[:20]!a}")
    plain = "\n".join(plain_lines(text))
    if not plain:
        raise InvalidAction("the answer is empty; write your move, e.g. in [square brackets]")
    if len(plain) > TEXT_MAX:
        raise InvalidAction(f"the answer has {len(plain)} characters, at most {TEXT_MAX} are read")
    return Answer(plain)
