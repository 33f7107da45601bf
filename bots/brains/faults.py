"""What can be wrong with a model's answer, told apart; and what of a bad answer can be saved. Pure.

The taxonomy is kaggle-environments' and OpenSpiel's experience in one: a reply that was cut off, one
that is empty, one that cannot be read and one that the rules forbid need different words to mend.
"""

from __future__ import annotations

import contextlib
import enum
import re

import msgspec

from bots.brains import prose
from bots.turn import Turn
from spaces import registry
from spaces.plain_text import plain_lines
from spaces.space import ActionError, InvalidAction

TOPIC_WORD_CHARS = 4
"""Shorter words of a topic (`the`, `at`) tell nothing."""


class AnswerFault(enum.Enum):
    """Why an answer cannot be sent."""

    TRUNCATED = "truncated"
    """Words, but cut off by the token limit, the time, or a broken stream."""
    UNANSWERED = "unanswered"
    """The model's server gave nothing before the time was up or the stream broke. Not the
    model's fault: there is nothing to tell it."""
    EMPTY = "empty"
    """A whole answer without words."""
    UNPARSABLE = "unparsable"
    """Words, but not the asked-for form."""
    ILLEGAL = "illegal"
    """Well-formed, but forbidden in this position."""
    REPEATED = "repeated"
    """Allowed, but a verse that says a line again. Small models fall into loops."""
    OFF_TOPIC = "off topic"
    """Allowed, but a verse without one word of its topic."""
    OFF_BRIEF = "off brief"
    """Allowed, but a text that misses some of what its brief demands and code can check."""


class Reply(msgspec.Struct, frozen=True):
    """A model's answer and how it ended: `stop`, `length`, `time`, `broken`."""

    text: str
    finish: str = "stop"

    @property
    def whole(self) -> bool:
        """Ended by the model or its token limit, not by the time or a failing server."""
        return self.finish not in ("time", "broken")


class Diagnosis(msgspec.Struct, frozen=True):
    fault: AnswerFault
    reason: str
    """For the model: what was wrong, and what is wanted."""


def diagnose(reply: Reply, turn: Turn) -> Diagnosis | None:
    """None when the answer may be sent.

    A reply that was cut off is not trusted even where it can be read: `bid: 1` may be half of
    `bid: 18`.
    """
    if not reply.text.strip():
        if not reply.whole:
            return Diagnosis(AnswerFault.UNANSWERED, "the model's server did not answer")
        return Diagnosis(AnswerFault.EMPTY, "it was empty")
    if reply.finish != "stop":
        return Diagnosis(AnswerFault.TRUNCATED, "it was too long and was cut off; be brief")
    try:
        _check(turn, reply.text)
    except InvalidAction as error:
        return Diagnosis(AnswerFault.UNPARSABLE, error.reason)
    except ActionError as error:
        return Diagnosis(AnswerFault.ILLEGAL, error.reason)
    return None


def _check(turn: Turn, text: str) -> None:
    """Raises ActionError. A Space that is not offered in this process passes: the arena will say."""
    with contextlib.suppress(registry.UnknownSpace):
        registry.get_offered(turn.space).check_answer(turn.kind, text, turn.view, turn.seat)


def weakness(text: str, turn: Turn) -> Diagnosis | None:
    """What is poor about an answer that the rules allow: in a verse, a line said before in this battle
    or no word of the topic; in a text, what it misses of its brief. None for everything else; a poor
    answer is still better than none."""
    match turn.kind:
        case "verse":
            return _repetition(text, turn) or _digression(text, turn.view["topic"])
        case "text":
            return _shortcoming(text, turn)
        case _:
            return None


def _shortcoming(text: str, turn: Turn) -> Diagnosis | None:
    missing = prose.missing(text, turn.view)
    if not missing:
        return None
    told = "; ".join(f"the text {each}" for each in missing)
    return Diagnosis(AnswerFault.OFF_BRIEF, f"these points of the brief are not met: {told}")


def _repetition(text: str, turn: Turn) -> Diagnosis | None:
    verses = [verse["text"] or "" for verse in turn.view["verses"]]
    heard = {_bare(line) for verse in verses for line in verse.split("\n")}
    for line in plain_lines(text):
        bare = _bare(line)
        if bare in heard:
            return Diagnosis(AnswerFault.REPEATED, f"it repeats the line {line[:80]!r}")
        heard.add(bare)
    return None


def _digression(text: str, topic: str) -> Diagnosis | None:
    words = [word for word in _bare(topic).split() if len(word) >= TOPIC_WORD_CHARS]
    said = _bare(text)
    if not words or any(word.rstrip("s") in said for word in words):
        return None
    return Diagnosis(AnswerFault.OFF_TOPIC, f"it says nothing of the topic, {topic}")


def _bare(line: str) -> str:
    return " ".join(re.findall(r"\w+", line.casefold()))


def better(saved: str | None, spare: str | None, turn: Turn) -> str | None:
    """Of two usable answers the text that misses less of its brief, else the one with more lines; the
    earlier one when they are alike."""
    if saved is None or spare is None:
        return saved if spare is None else spare
    if turn.kind == "text":
        fewer = len(prose.missing(saved, turn.view)) < len(prose.missing(spare, turn.view))
        return saved if fewer else spare
    return saved if saved.count("\n") > spare.count("\n") else spare


def salvage(reply: Reply, turn: Turn) -> str | None:
    """The usable part of a bad answer, or None: what is sent when asking again has not helped.

    A cut-off reply loses its last, half line first. A verse is trimmed to its first whole lines
    that keep to the number of bars and of characters, a text to its first whole sentences. Anything else
    must be legal as it stands; as always, the last well-formed answer in it counts.
    """
    if turn.kind == "text":
        whole = reply.finish == "stop"
        text = prose.fitted(reply.text, turn.view["char_limit"], whole=whole)
        return text if diagnose(Reply(text), turn) is None else None
    lines = plain_lines(reply.text)
    if reply.finish != "stop" and not reply.text.endswith("\n"):
        lines = lines[:-1]
    if turn.kind == "verse":
        lines = _within(lines, turn.view["bars"], turn.view["char_limit"])
    text = "\n".join(lines)
    if diagnose(Reply(text), turn) is not None:
        return None
    return text


def _within(lines: list[str], bars: int, char_limit: int) -> list[str]:
    kept: list[str] = []
    for line in lines[:bars]:
        if len("\n".join([*kept, line])) > char_limit:
            break
        kept.append(line)
    return kept


_FENCE = re.compile(r"^\s*```\w*\s*$", re.MULTILINE)
_TITLE = re.compile(r"^\W*(verse|round|chorus|title)[\s\d]*\W*$|^.{0,80}:$", re.IGNORECASE)


def tidy_verse(text: str) -> str:
    """A verse without what models wrap around it: code fences, a title line, quotation marks."""
    lines = plain_lines(_FENCE.sub("", text))
    while len(lines) > 1 and _TITLE.match(lines[0]):
        lines = lines[1:]
    return "\n".join(line.strip('"“”*').strip() or line for line in lines)
