"""What is wrong with a body or a query, in words: which field, what was expected, what came. Pure.

msgspec's messages are for programmers ("Expected `int | null`, got `str` - at `$.spec.max_tokens`"). A person who has
filled in a form or typed a command reads "max_tokens: expected a whole number, got "many"".
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, NamedTuple

import msgspec
from msgspec.inspect import (
    DictType,
    EnumType,
    ListType,
    LiteralType,
    Metadata,
    StructType,
    Type,
    UnionType,
    VarTupleType,
)

GOT_CHARS = 40
"""What came is repeated up to here; longer values are the sender's to look up."""
SECRETS = frozenset({"owner_key", "signature"})
"""Fields that are never repeated."""

_MESSAGE = re.compile(r"(?P<what>.*?)(?: - at (?P<key>`key` in )?`\$?(?P<path>[^`]*)`)?", re.DOTALL)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_MISSING = re.compile(r"Object missing required field `(.+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(.+)`", re.DOTALL)
_OF_TYPE = re.compile(r"Expected `([^`]+)`(?:, got `[^`]+`)?")
_OF_LENGTH = re.compile(r"Expected `(\w+)` of length (<=|>=|==) (\d+)")
_BOUNDED = re.compile(r"Expected `(int|float)` (<=|>=|<|>) (\S+)")
_PATTERN = re.compile(r"Expected `str` matching regex .*", re.DOTALL)

_KINDS = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_UNITS = {"str": "character", "array": "item", "object": "entry"}
_BOUNDS = {"<=": "{} or less", ">=": "{} or more", "<": "less than {}", ">": "more than {}"}
_COUNTS = {"<=": "at most", ">=": "at least", "==": "exactly"}


class Misfit(NamedTuple):
    """What does not fit."""

    field: str
    """Where, e.g. `spec.spaces[1]`; empty: the whole."""
    words: str
    """E.g. `expected text of at most 32 characters`."""

    def __str__(self) -> str:
        """Begins with the field's own name, so that a form finds it: `max_tokens: expected …`."""
        name = re.sub(r"\[[^\]]*\]", "", self.field).rpartition(".")[2]
        return f"{name}: {self.words}" if name else self.words


def misfit(message: str, type_: Any, came: Any = None) -> Misfit:
    """msgspec's message of a ValidationError in words. `type_` is what was expected, `came` the whole of what was
    sent, as plain data."""
    found = _MESSAGE.fullmatch(message)
    assert found is not None  # it matches anything
    path, what = (found["path"] or "").removeprefix("."), found["what"]
    for pattern, words in ((_MISSING, "is missing"), (_UNKNOWN, "is not known here")):
        if missing := pattern.fullmatch(what):
            return Misfit(".".join(filter(None, (path, missing[1][:64]))), words)
    steps = [name or index for name, index in _STEP.findall(f".{path}" if path else "")]
    words = _expected(what, type_, steps)
    if found["key"]:
        return Misfit(path, f"a name in it {words}")
    return Misfit(path, f"{words}{_got(came, steps)}")


def _expected(what: str, type_: Any, steps: list[str]) -> str:
    if what.startswith("Invalid enum value"):
        choices = _choices(_at(msgspec.inspect.type_info(type_), steps))
        return f"expected {' or '.join(choices)}" if choices else "is none of what it may be"
    if found := _OF_LENGTH.fullmatch(what):
        kind, bound, number = found.groups()
        unit = _UNITS.get(kind, "item")
        plural = {"entry": "entries"}.get(unit, f"{unit}s")
        counted = f"{_COUNTS[bound]} {number} {unit if number == '1' else plural}"
        return f"expected {_KINDS.get(kind, kind)} of {counted}"
    if found := _BOUNDED.fullmatch(what):
        kind, bound, number = found.groups()
        return f"expected {_KINDS[kind]}, {_BOUNDS[bound].format(number.removesuffix('.0'))}"
    if _PATTERN.fullmatch(what):
        return "holds characters that are not allowed here, or is not of the form it has to be"
    if found := _OF_TYPE.fullmatch(what):
        kinds = [_KINDS.get(kind, kind) for kind in found[1].split(" | ")]
        return f"expected {' or '.join(kind for kind in kinds if kind != 'null') or 'null'}"
    return what[:1].lower() + what[1:]


def _at(info: Type, steps: list[str]) -> Type | None:
    """The type that stands at the end of the path; None where it cannot be told."""
    for step in steps:
        info = _bare(info)
        if isinstance(info, StructType):
            found = next((each.type for each in info.fields if each.encode_name == step), None)
        elif isinstance(info, ListType | VarTupleType):
            found = info.item_type
        else:
            found = info.value_type if isinstance(info, DictType) else None
        if found is None:
            return None
        info = found
    return _bare(info)


def _bare(info: Type) -> Type:
    """Without what is annotated, and without the null that it may be."""
    while isinstance(info, Metadata | UnionType):
        if isinstance(info, Metadata):
            info = info.type
            continue
        real = [each for each in info.types if not isinstance(each, msgspec.inspect.NoneType)]
        if len(real) != 1:
            break
        info = real[0]
    return info


def _choices(info: Type | None) -> list[str]:
    if isinstance(info, LiteralType):
        return [f"`{value}`" for value in info.values]
    if isinstance(info, EnumType):
        return [f"`{member.value}`" for member in info.cls]
    return []


def _got(came: Any, steps: list[str]) -> str:
    """`, got "many"`, if that is short and no secret."""
    if SECRETS.intersection(steps):
        return ""
    with contextlib.suppress(KeyError, IndexError, TypeError, ValueError):
        for step in steps:
            came = came[int(step)] if isinstance(came, list) else came[step]
        if isinstance(came, str | int | float | bool):
            shown = msgspec.json.encode(came).decode()
            return f", got {shown}" if len(shown) <= GOT_CHARS else ""
    return ""
