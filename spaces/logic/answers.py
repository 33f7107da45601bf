"""The one action of Logic and how it is read from an agent's text.

An answer is a line of its own (`answer: 42`) or a flat JSON object (`{"answer": "42"}`, other keys are
ignored; a value that is no string stands for its own JSON text). The last well-formed answer counts,
so a model may think aloud before it answers. Anything else is no answer: nothing is guessed.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from spaces.answer_json import answer_json
from spaces.plain_text import plain_lines
from spaces.space import IllegalAction, InvalidAction

MAX_ANSWER = 400
"""Characters; more than twice the longest solution of any generator."""
MAX_TIME_MS = 600_000


class Answer(
    msgspec.Struct, frozen=True, tag="answer", tag_field="kind", forbid_unknown_fields=True
):
    text: str
    """One plain line (`spaces.plain_text`), 1 .. MAX_ANSWER characters."""
    elapsed_ms: Annotated[int, Meta(ge=0, le=MAX_TIME_MS)] = 0
    """From the opening of the puzzle to the answer, by the host's clock."""


class _AnswerObject(msgspec.Struct):
    answer: msgspec.Raw


# An object without inner braces, or a line `answer: text` that may be dressed in Markdown.
_ANSWER = re.compile(
    r"(?P<object>\{[^{}]*\})"
    r"|^[ \t>*`_-]*answer[ \t*`_]*[:=](?P<line>[^\n]*)$",
    re.IGNORECASE | re.MULTILINE,
)
_DRESS = " \t*`"
WANTED = 'end with one line `answer: YOUR ANSWER`, or with {"answer": "YOUR ANSWER"}'


def parse(kind: str, text: str) -> Answer:
    """The last well-formed answer in `text`. Raises InvalidAction."""
    if kind != "answer":
        raise InvalidAction(f"logic asks for an answer, not for {kind!r}")
    found: str | None = None
    for match in _ANSWER.finditer(text.replace("\r", "\n")):
        found = _read(match) or found
    if found is None:
        raise InvalidAction(f"no answer found; {WANTED}")
    if len(found) > MAX_ANSWER:
        raise InvalidAction(f"an answer has at most {MAX_ANSWER} characters, got {len(found)}")
    return Answer(found)


def _read(match: re.Match[str]) -> str | None:
    """The answer as one plain line, or None."""
    if match["object"] is not None:
        told = _read_object(match["object"])
    else:
        told = match["line"].strip(_DRESS)
    lines = plain_lines(told)
    return lines[0] if len(lines) == 1 else None


def _read_object(text: str) -> str:
    try:
        value = bytes(msgspec.json.decode(text.encode(), type=_AnswerObject).answer)
        return msgspec.json.decode(value, type=str) if value[:1] == b'"' else value.decode()
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return ""


def text(answer: Answer) -> str:
    return answer_json({"answer": answer.text})


def check(answer: Answer) -> None:
    """Raise IllegalAction for an answer that `parse` never makes; only a forged one gets here."""
    if plain_lines(answer.text) != [answer.text] or len(answer.text) > MAX_ANSWER:
        raise IllegalAction(f"the answer is not one plain line of at most {MAX_ANSWER} characters")


def stamp(answer: Answer, elapsed_ms: int) -> Answer:
    return Answer(answer.text, min(max(elapsed_ms, 0), MAX_TIME_MS))


def schema() -> dict[str, Any]:
    """The JSON schema of the legal answers."""
    return {
        "type": "object",
        "properties": {"answer": {"type": "string", "minLength": 1, "maxLength": MAX_ANSWER}},
        "required": ["answer"],
        "additionalProperties": False,
    }
