"""What a brief may demand of a text and code can check. Pure.

Every constraint is data, a frozen Struct that travels in params and observations under its tag `is`.
`met(text)` takes a text of plain lines (`spaces.plain_text`); `says` completes "the text …". To break a
constraint is not illegal: whether each is met is shown after the reveal and told to the judges.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from spaces.writing import counting

TITLE_CHARS = 70

Word = Annotated[str, Meta(pattern=r"^[a-z]{2,20}\Z")]
_HASHTAG = re.compile(r"(?<![\w#])#[^\W_]\w*")
_QUOTED = re.compile('"[^"\n]+"|\u201c[^\u201d\n]+\u201d')
_BULLET = re.compile(r"[-*\u2022](?![-*\u2022]).*[^\W_]")


class Demand(msgspec.Struct, frozen=True, tag_field="is", forbid_unknown_fields=True):
    """The base of all constraints."""

    @property
    def says(self) -> str:
        """Completes "the text …"; one line of plain text."""
        raise NotImplementedError

    def met(self, text: str) -> bool:
        raise NotImplementedError


class Words(Demand, frozen=True, tag="words"):
    low: Annotated[int, Meta(ge=1, le=400)]
    high: Annotated[int, Meta(ge=1, le=400)]

    @property
    def says(self) -> str:
        return f"has {self.low} to {self.high} words"

    def met(self, text: str) -> bool:
        return self.low <= len(counting.words(text)) <= self.high


class Lines(Demand, frozen=True, tag="lines"):
    count: Annotated[int, Meta(ge=1, le=20)]

    @property
    def says(self) -> str:
        return f"has exactly {_many(self.count, 'line')}"

    def met(self, text: str) -> bool:
        return len(text.split("\n")) == self.count


class Sentences(Demand, frozen=True, tag="sentences"):
    count: Annotated[int, Meta(ge=1, le=20)]

    @property
    def says(self) -> str:
        return f"has exactly {_many(self.count, 'sentence')}"

    def met(self, text: str) -> bool:
        return len(counting.sentences(text)) == self.count


class Bullets(Demand, frozen=True, tag="bullets"):
    count: Annotated[int, Meta(ge=1, le=10)]

    @property
    def says(self) -> str:
        return f'has a list of exactly {_many(self.count, "line")} that start with "-"'

    def met(self, text: str) -> bool:
        return sum(_BULLET.match(line) is not None for line in text.split("\n")) == self.count


class Acrostic(Demand, frozen=True, tag="acrostic"):
    word: Annotated[str, Meta(pattern=r"^[a-z]{2,8}\Z")]

    @property
    def says(self) -> str:
        return f'has lines whose first letters spell "{self.word.upper()}"'

    def met(self, text: str) -> bool:
        first = [counting.words(line)[:1] for line in text.split("\n")]
        return "".join(word[0][0] if word else " " for word in first) == self.word


class Title(Demand, frozen=True, tag="title"):
    @property
    def says(self) -> str:
        return f"opens with a title: a first line of at most {TITLE_CHARS} characters without a full stop"

    def met(self, text: str) -> bool:
        title, newline, _ = text.partition("\n")
        return bool(newline) and len(title) <= TITLE_CHARS and not title.endswith(".")


class Mention(Demand, frozen=True, tag="mention"):
    word: Word

    @property
    def says(self) -> str:
        return f'uses the word "{self.word}"'

    def met(self, text: str) -> bool:
        return counting.says(counting.words(text), self.word)


class Avoid(Demand, frozen=True, tag="avoid"):
    words: Annotated[tuple[Word, ...], Meta(min_length=1, max_length=5)]

    @property
    def says(self) -> str:
        quoted = " or ".join(f'"{word}"' for word in self.words)
        return f"does not use {quoted}"

    def met(self, text: str) -> bool:
        spoken = counting.words(text)
        return not any(counting.says(spoken, word) for word in self.words)


class Starts(Demand, frozen=True, tag="starts"):
    word: Word

    @property
    def says(self) -> str:
        return f'starts with the word "{self.word.capitalize()}"'

    def met(self, text: str) -> bool:
        return counting.words(text)[:1] == [self.word]


class Ends(Demand, frozen=True, tag="ends"):
    mark: Literal["?", "!"]

    @property
    def says(self) -> str:
        return "ends with a question" if self.mark == "?" else "ends with an exclamation mark"

    def met(self, text: str) -> bool:
        return counting.last_mark(text) == self.mark


class Hashtags(Demand, frozen=True, tag="hashtags"):
    count: Annotated[int, Meta(ge=1, le=5)]

    @property
    def says(self) -> str:
        return f"has exactly {_many(self.count, 'hashtag')}"

    def met(self, text: str) -> bool:
        return len(_HASHTAG.findall(text)) == self.count


class Number(Demand, frozen=True, tag="number"):
    @property
    def says(self) -> str:
        return "gives at least one number in digits"

    def met(self, text: str) -> bool:
        return any(char in "0123456789" for char in text)


class Speech(Demand, frozen=True, tag="speech"):
    @property
    def says(self) -> str:
        return "lets somebody speak, in double quotation marks"

    def met(self, text: str) -> bool:
        return any(counting.words(quoted) for quoted in _QUOTED.findall(text))


Constraint = (
    Words
    | Lines
    | Sentences
    | Bullets
    | Acrostic
    | Title
    | Mention
    | Avoid
    | Starts
    | Ends
    | Hashtags
    | Number
    | Speech
)


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
