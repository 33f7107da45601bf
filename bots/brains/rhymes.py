"""A rhyme sheet: end words for a verse, and lines that must end with them, as a JSON schema.

A model of a hundred million parameters writes on topic but hardly ever rhymes. A server that
constrains decoding by a schema (llama.cpp, vLLM, OpenAI's structured outputs) lets it choose every
word but the line's opener and end: a preposition, `the|my|your`, and a noun of one rhyme family. The
lines of a couplet draw from disjoint halves of their family, so no line ends like another.
"""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

_FAMILIES = tuple(
    tuple(words.split())
    for words in (
        "street beat heat seat",
        "night light fight sight",
        "crown town clown gown",
        "rain train brain pain",
        "stage page rage cage",
        "day way play clay",
        "hand land band sand",
        "time rhyme crime dime",
        "show flow snow blow",
        "king ring thing string",
        "door floor war roar",
        "head bed bread thread",
        "throne phone stone bone",
        "rock clock block lock",
        "coat boat throat goat",
        "ball wall call hall",
    )
)
_OPENERS = (
    "I|I'm|My",
    "You|You're|Your",
    "The|When|This|My",
    "And you|But you|So you|Now you",
)
"""By line, in turn: me, you, the world, you again. Small models otherwise begin every line alike."""
_CONNECTORS = "in|on|of|for|with|to|from|by|at|into|under|over|behind"
_MIDDLE = " [a-z][a-z']{0,10}"
LINE_WORDS = (2, 6)
"""Free words in a line, between its opener and its end."""


class Sheet(msgspec.Struct, frozen=True):
    """The end words each line may choose from, line by line."""

    ends: tuple[tuple[str, ...], ...]

    @property
    def hint(self) -> str:
        """One end word of each line, for the prompt: `street, beat / rain, pain`."""
        words = [choices[0] for choices in self.ends]
        return " / ".join(", ".join(words[i : i + 2]) for i in range(0, len(words), 2))


def draw(bars: int, rng: Random) -> Sheet:
    """End words for `bars` lines in couplets."""
    families = rng.sample(_FAMILIES, min(len(_FAMILIES), (bars + 1) // 2))
    ends: list[tuple[str, ...]] = []
    for family in families:
        words = rng.sample(family, len(family))
        ends += [tuple(words[:2]), tuple(words[2:])]
    return Sheet(tuple(ends[:bars]))


def schema(sheet: Sheet) -> dict[str, Any]:
    """An object `line1` … `lineN`, each a line that ends as the sheet says."""
    lines = {
        f"line{number}": {"type": "string", "pattern": _pattern(number, ends)}
        for number, ends in enumerate(sheet.ends, 1)
    }
    return {
        "type": "object",
        "properties": lines,
        "required": list(lines),
        "additionalProperties": False,
    }


def _pattern(number: int, ends: tuple[str, ...]) -> str:
    low, high = LINE_WORDS
    opener = _OPENERS[(number - 1) % len(_OPENERS)]
    stop = "," if number % 2 else "[.!]"
    return (
        f"^({opener})({_MIDDLE},?){{{low - 1},{high - 1}}}{_MIDDLE} ({_CONNECTORS})"
        f" (the|my|your) ({'|'.join(ends)}){stop}$"
    )


class LineReader:
    """Reads the JSON object as it streams in; gives its lines' text as soon as it stands there."""

    def __init__(self) -> None:
        self._strings = 0  # quotes passed: keys and values alternate
        self._inside = False
        self._escaped = False
        self.text = ""

    def feed(self, piece: str) -> str:
        """What of the verse has become readable by `piece`; lines are joined by newlines."""
        before = len(self.text)
        for char in piece:
            self._take(char)
        return self.text[before:]

    def _take(self, char: str) -> None:
        if char == '"' and not self._escaped:
            self._inside = not self._inside
            if self._inside:
                self._strings += 1
                if self._is_value and self.text:
                    self.text += "\n"
            return
        if self._inside and self._is_value and char != "\\":
            self.text += char  # the patterns leave no room for other escapes than \"
        self._escaped = char == "\\" and not self._escaped

    @property
    def _is_value(self) -> bool:
        return self._strings % 2 == 0
