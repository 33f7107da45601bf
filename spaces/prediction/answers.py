"""Forecasts and how they are read from an agent's text.

Quantiles are a line of its own, lowest first (`quantiles: 98, 101.2, 103, 104.5, 108`), or a flat JSON
object, either `{"quantiles": [98, 101.2, ...]}` or with each level by name (`{"q05": 98, "q25": 101.2,
...}`). A probability is a line (`probability: 0.62` or `62%`), an object (`{"probability": 0.62}`), or
a text that is nothing but the number. The last well-formed answer counts, so a model may think aloud
before it answers; other keys of an object are ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from spaces.answer_json import Written, answer_json
from spaces.decimals import Number, at_least, at_most, number, of_fraction
from spaces.prediction.score import LOG_LEAST
from spaces.space import IllegalAction, InvalidAction

MAX_LEVELS = 19


class Quantiles(
    msgspec.Struct,
    frozen=True,
    tag="quantiles",
    tag_field="kind",
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    quantiles: Annotated[tuple[Number, ...], Meta(min_length=1, max_length=MAX_LEVELS)]
    """Lowest level first."""
    levels: Annotated[
        tuple[Annotated[int, Meta(ge=0, le=99)], ...], Meta(max_length=MAX_LEVELS)
    ] = ()
    """The levels that the answer named, in per cent; empty where it named none."""


class Probability(
    msgspec.Struct, frozen=True, tag="probability", tag_field="kind", forbid_unknown_fields=True
):
    probability: Number


Action = Quantiles | Probability

# An object without inner braces, or a line that may be dressed in Markdown.
_ANSWER = re.compile(
    r"(?P<object>\{[^{}]*\})"
    r"|^[ \t>*`_-]*(?P<key>quantiles|probability)[ \t*`_]*[:=](?P<rest>[^\n{}]{0,1000})$",
    re.IGNORECASE | re.MULTILINE,
)
_LEVEL_KEY = re.compile(r"[qQ](?P<level>[0-9]{1,2})")
_DRESSING = " \t*`_"
_WANTED = {
    "quantiles": "answer with one line `quantiles: NUMBER, NUMBER, …`, lowest first",
    "probability": "answer with one line `probability: NUMBER`, from 0 to 1",
}


def parse(kind: str, text: str) -> Action:
    """The last well-formed answer in `text`. Raises InvalidAction."""
    if kind not in _WANTED:
        raise InvalidAction(f"prediction asks for quantiles or a probability, not for {kind!r}")
    text = text.replace("\r", "\n")
    found: Action | None = None
    for match in _ANSWER.finditer(text):
        found = _read(kind, match) or found
    if found is None and kind == "probability":
        found = _probability(text.strip())
    if found is None:
        raise InvalidAction(f"no {kind} found; {_WANTED[kind]}")
    return found


def _read(kind: str, match: re.Match[str]) -> Action | None:
    if match["object"] is not None:
        return _read_object(kind, match["object"])
    if match["key"].lower() != kind:
        return None
    rest = match["rest"].strip(_DRESSING)
    return _probability(rest) if kind == "probability" else _quantiles(_items(rest))


def _items(text: str) -> list[str]:
    """Numbers apart by commas, semicolons or blanks, in brackets or not."""
    if text[:1] in ("[", "(") and text[-1:] in ("]", ")"):
        text = text[1:-1]
    return [item.strip(_DRESSING) for item in re.split(r"[,;]\s*|\s+", text.strip())]


def _read_object(kind: str, text: str) -> Action | None:
    try:
        # Numbers stay as they are written: a float would lose digits.
        written = json.loads(text, parse_float=Written, parse_int=Written, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    if kind == "probability":
        return _probability(_text(written.get("probability")))
    if isinstance(listed := written.get("quantiles"), list):
        return _quantiles([_text(item) for item in listed])
    named = {key: value for key, value in written.items() if _LEVEL_KEY.fullmatch(key)}
    by_level = sorted((int(key[1:]), _text(value)) for key, value in named.items())
    return _quantiles([value for _, value in by_level], [level for level, _ in by_level])


def _text(value: Any) -> str:
    """Of a JSON number, or of a string that holds one; empty otherwise."""
    return value if isinstance(value, str) else ""


def _quantiles(items: Sequence[str], levels: Sequence[int] = ()) -> Quantiles | None:
    if not 1 <= len(items) <= MAX_LEVELS or len(set(levels)) != len(levels):
        return None
    numbers = [one for one in map(number, items) if one is not None]
    return Quantiles(tuple(numbers), tuple(levels)) if len(numbers) == len(items) else None


def _probability(text: str) -> Probability | None:
    per_cent = text.endswith("%")
    value = number(text.rstrip("%").rstrip() if per_cent else text)
    if value is None:
        return None
    return Probability(of_fraction(Fraction(value) / 100) if per_cent else value)


def text(action: Action) -> str:
    """As the schema has it: each level by its name, where the answer named levels."""
    if isinstance(action, Probability):
        return answer_json({"probability": Written(action.probability)})
    values = [Written(each) for each in action.quantiles]
    if not action.levels:
        return answer_json({"quantiles": values})
    named = zip(action.levels, values, strict=False)  # only a forged action has others
    return answer_json({f"q{level:02}": value for level, value in named})


def check_quantiles(action: Quantiles, levels: Sequence[int], low: str, high: str) -> None:
    """Raise IllegalAction for quantiles that the rules forbid; the reason names the first fault."""
    values = action.quantiles
    if action.levels and list(action.levels) != list(levels):
        asked, got = (", ".join(f"q{level:02}" for level in one) for one in (levels, action.levels))
        raise IllegalAction(f"the quantiles asked for are {asked}; got {got}")
    if len(values) != len(levels):
        raise IllegalAction(f"{len(levels)} quantiles are asked for, got {len(values)}")
    for value, level in zip(values, levels, strict=True):
        if not Fraction(low) <= Fraction(value) <= Fraction(high):
            raise IllegalAction(f"q{level:02} is from {low} to {high}, got {value}")
    for i in range(1, len(values)):
        if Fraction(values[i]) < Fraction(values[i - 1]):
            raise IllegalAction(
                f"quantiles never fall: q{levels[i]:02} is {values[i]}, below q{levels[i - 1]:02}, "
                f"which is {values[i - 1]}"
            )


def check_probability(action: Probability, low: str, high: str) -> None:
    """Raise IllegalAction for a probability out of bounds."""
    if not Fraction(low) <= Fraction(action.probability) <= Fraction(high):
        raise IllegalAction(f"a probability is from {low} to {high}, got {action.probability}")


def probability_range(rule: str) -> tuple[str, str]:
    """The least and the greatest probability that may be said."""
    least = LOG_LEAST if rule == "log" else Fraction(0)
    return at_least(least), at_most(1 - least)


def check(action: Action, view: Mapping[str, Any]) -> None:
    """Raise IllegalAction for what the seat's observation shows to be forbidden."""
    low, high = view["asked"][-1]["range"]
    if isinstance(action, Quantiles):
        check_quantiles(action, view["levels"], low, high)
    else:
        check_probability(action, low, high)


def schema(kind: str, view: Mapping[str, Any]) -> dict[str, Any]:
    """The JSON schema of the legal answers, but that quantiles never fall: no schema can say so."""
    if kind == "probability":
        keys, number_ = ["probability"], {"type": "number", "minimum": 0, "maximum": 1}
    else:
        keys, number_ = [f"q{level:02}" for level in view["levels"]], {"type": "number"}
    return {
        "type": "object",
        "properties": dict.fromkeys(keys, number_),
        "required": keys,
        "additionalProperties": False,
    }
