"""The words for a writer: what a text still lacks, what can be saved of one, and a sheet for small models. Pure.

A sheet is a JSON schema of sentences whose patterns hold what the brief demands and code can check: the
words that must be there, how many sentences, how it ends. A model of a hundred million parameters
forgets such points; under the sheet it chooses every word but those.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from bots.brains.openai import Message
from spaces.plain_text import plain_lines
from spaces.writing.constraints import (
    Acrostic,
    Bullets,
    Constraint,
    Ends,
    Hashtags,
    Lines,
    Mention,
    Number,
    Sentences,
    Speech,
    Starts,
    Title,
    Words,
)
from spaces.writing.views import constraints_of

SENTENCE_WORDS = (6, 12)
"""Of a sentence on a sheet, where the brief does not count words."""
SHEET_WORDS = 90
"""A sheet asks for no more words than this, whatever the brief allows: the answer has a token limit."""
_DEFAULT_PARTS = {"tweet": 2, "poem": 4, "advert": 3}
_FENCE = re.compile(r"^\s*```\w*\s*$", re.MULTILINE)
_CHATTER = re.compile(r"^(sure|certainly|of course|okay|ok|here|below)\b.{0,120}:$", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?\u2026][\"'\u201d\u2019)]*(?=\s|$)")


def missing(text: str, view: Mapping[str, Any]) -> list[str]:
    """What of the brief the text does not meet; each completes "the text …"."""
    plain = "\n".join(plain_lines(text))
    return [each.says for each in constraints_of(view) if not each.met(plain)]


def tidy_text(text: str) -> str:
    """A text without what models wrap around it: code fences, an introduction, quotation marks."""
    lines = plain_lines(_FENCE.sub("", text))
    if len(lines) > 1 and _CHATTER.match(lines[0]):
        lines = lines[1:]
    tidy = "\n".join(line.replace("**", "") for line in lines)
    if len(tidy) > 2 and tidy[0] == tidy[-1] == '"' and '"' not in tidy[1:-1]:
        tidy = tidy[1:-1]
    return tidy.strip()


def fitted(text: str, char_limit: int, *, whole: bool) -> str:
    """The longest beginning within the limit that ends with a sentence or a line; a text that was cut
    off (`whole` is false) loses its last, half sentence. May be empty."""
    text = "\n".join(plain_lines(text))
    if whole and len(text) <= char_limit:
        return text
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    ends += [match.start() for match in re.finditer("\n", text)]
    return text[: max((end for end in ends if end <= char_limit), default=0)]


# ---------------------------------------------------------------------- the sheet


class Sheet(msgspec.Struct, frozen=True):
    """Patterns of the parts of a text, and how they are put together."""

    patterns: tuple[str, ...]
    between: str
    before: str = ""
    """Stands before each part."""

    @property
    def schema(self) -> dict[str, Any]:
        parts = {
            f"part{number}": {"type": "string", "pattern": pattern}
            for number, pattern in enumerate(self.patterns, 1)
        }
        return {
            "type": "object",
            "properties": parts,
            "required": list(parts),
            "additionalProperties": False,
        }

    def joined(self, parts: list[str]) -> str:
        return self.between.join(self.before + part for part in parts)


def sheet_of(view: Mapping[str, Any]) -> Sheet:
    """A sheet for a brief, from an observation. What no pattern can hold (words to avoid) it leaves out."""
    demands = {type(each): each for each in constraints_of(view)}
    count = _parts(demands, view["form"])
    low, high = _words(demands, count)
    wanted = [each.word for each in constraints_of(view) if isinstance(each, Mention)]
    patterns = [_sentence(demands, at, count, low, high, wanted[at::count]) for at in range(count)]
    if Title in demands:
        patterns.insert(0, "^[A-Z][a-z]+( [a-z]+){1,4}$")
    rows = view["form"] == "poem" or demands.keys() & {Lines, Bullets, Acrostic, Title}
    return Sheet(tuple(patterns), "\n" if rows else " ", before="- " if Bullets in demands else "")


_Demands = Mapping[type[Constraint], Constraint]


def _parts(demands: _Demands, form: str) -> int:
    for each in demands.values():
        match each:
            case Lines(count) | Sentences(count) | Bullets(count):
                return count
            case Acrostic(word):
                return len(word)
    match demands.get(Words):
        case Words(low, high):
            return max(1, round((low + min(high, SHEET_WORDS)) / 2 / 11))
    return _DEFAULT_PARTS.get(form, 4)


def _words(demands: _Demands, count: int) -> tuple[int, int]:
    """Words of one part, at least and at most."""
    match demands.get(Words):
        case Words(low, high):
            least = -(-low // count)
            return least, max(least, min(high, max(low, SHEET_WORDS)) // count)
    low, high = SENTENCE_WORDS
    return min(low, max(1, SHEET_WORDS // count)), min(high, max(1, SHEET_WORDS // count))


_WORD = "[a-z][a-z']*"
"""Without an upper bound: a bounded repetition makes the server's grammar two to three times as slow."""


def _sentence(
    demands: _Demands, at: int, count: int, low: int, high: int, wanted: list[str]
) -> str:
    first = "[A-Z][a-z]*"
    match demands.get(Acrostic), demands.get(Starts):
        case Acrostic(word), _:
            first = f"{word[at].upper()}[a-z]*"
        case _, Starts(word) if at == 0:
            first = word.capitalize()
    last = at == count - 1
    fixed = [*wanted]
    if last and Number in demands:
        fixed.append("(2|3|5|7|9|12|20|30|50|100)")
    if last and Speech in demands:
        fixed.append(f"\u201c[A-Z][a-z]* {_WORD} {_WORD}\u201d")
    tags = [each.count for each in [demands.get(Hashtags)] if isinstance(each, Hashtags) and last]
    end = next((each.mark for each in [demands.get(Ends)] if isinstance(each, Ends)), ".")
    taken = 1 + len(fixed) + 2 * (last and Speech in demands) + sum(tags)
    free = (max(0, low - taken), max(0, high - taken, low - taken))
    body = _filled(fixed, *free) + f"( #[A-Z][a-z]+){{{sum(tags)}}}" * bool(tags)
    return f"^{first}{body}{re.escape(end) if last else '[.]'}$"


def _filled(fixed: list[str], low: int, high: int) -> str:
    """Free words before each fixed one and after the last."""
    gaps = len(fixed) + 1
    shares = [
        ((low + gaps - 1 - gap) // gaps, (high + gaps - 1 - gap) // gaps) for gap in range(gaps)
    ]
    told = [f"(,? {_WORD}){{{least},{most}}}" for least, most in shares]
    return told[0] + "".join(f" {word}{gap}" for word, gap in zip(fixed, told[1:], strict=True))


EXAMPLE = (
    "Write an advertisement about an umbrella for two. The text uses the word \"tram\".",
    {
        "part1": "Nobody waits alone for the last tram in October.",
        "part2": "Open it once and two strangers have a roof.",
        "part3": "Who will you keep dry tonight?",
    },
)  # fmt: skip


def with_sheet(persona: str, view: Mapping[str, Any]) -> list[Message]:
    """For a small model under a sheet's schema: answers are JSON objects of sentences."""
    demands = "".join(f" The text {each['says']}." for each in view["constraints"])
    asked, answered = EXAMPLE
    return [
        Message("system", f"{persona}\nEvery sentence you write is about the subject."),
        Message("user", asked),
        Message("assistant", json.dumps(answered)),
        Message("user", f"{view['task']}.{demands}"),
    ]
