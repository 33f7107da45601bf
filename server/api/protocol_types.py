"""A Struct's fields as a Markdown table, with types that people read. Pure."""

from __future__ import annotations

import json
import re
from typing import Any, get_args

import msgspec
from msgspec import Meta
from msgspec import inspect as i

from server.api.fields import descriptions, doc, one_line
from server.protocol import Channel, Id, Secret, SpaceId, TicketId


def _bounds(alias: Any) -> Meta:
    meta: Meta = get_args(alias)[1]
    return meta


_STRINGS = {"id": Id, "ticket id": TicketId, "space id": SpaceId, "channel": Channel, "key": Secret}
_NAMED = {str(_bounds(alias).pattern): word for word, alias in _STRINGS.items()}


def strings() -> str:
    """The bounded kinds of strings that have a name of their own, as a table."""
    rows = ["| word | characters | pattern |", "|---|---|---|"]
    for word, alias in _STRINGS.items():
        meta = _bounds(alias)
        pattern = _pattern(str(meta.pattern))
        rows.append(f"| {word} | {meta.min_length} to {meta.max_length} | `{pattern}` |")
    return "\n".join(rows)


def section(name: str, type_: type[msgspec.Struct], after: str = "") -> str:
    """`### name`, the docstring, a line of the caller's, and the table of fields."""
    parts = [f"### `{name}`", doc(type_), after, table(type_)]
    return "\n\n".join(part for part in parts if part)


def table(type_: type[msgspec.Struct]) -> str:
    """One row for each field, in the order of the source; empty for a Struct without fields."""
    info = i.type_info(type_)
    assert isinstance(info, i.StructType)
    if not info.fields:
        return ""
    words = descriptions(type_)
    rows = ["| field | type | default | |", "|---|---|---|---|"]
    rows += [
        f"| `{field.encode_name}` | {readable(field.type)} | {_default(field)} "
        f"| {_cell(words.get(field.name, ''))} |"
        for field in info.fields
    ]
    return "\n".join(rows)


def readable(info: i.Type) -> str:
    """A type in words; Structs are links to their own section."""
    match info:
        case i.Metadata():
            return readable(info.type)
        case i.StructType():
            return f"[{info.cls.__name__}](#{info.cls.__name__.lower()})"
        case i.UnionType():
            return " or ".join(readable(member) for member in info.types)
        case i.ListType() | i.VarTupleType():
            return f"list of {readable(info.item_type)}"
        case i.LiteralType():
            return " or ".join(f"`{json.dumps(value)}`" for value in info.values)
        case i.IntType():
            return f"integer{_range(info)}"
        case i.StrType(pattern=str(pattern)) if pattern in _NAMED:
            return f"[{_NAMED[pattern]}](#words-for-strings)"
        case i.StrType():
            return f"string{_length(info)}"
    return _WORDS.get(type(info), type(info).__name__)


_WORDS: dict[type[i.Type], str] = {
    i.BoolType: "boolean",
    i.DictType: "object",
    i.NoneType: "null",
    i.AnyType: "any",
    i.FloatType: "number",
}


def _range(info: i.IntType) -> str:
    if info.ge is None or info.le is None:
        return ""
    top = "2^53 - 1" if info.le == 2**53 - 1 else f"{info.le:,}".replace(",", "_")
    return f", {info.ge} to {top}"


def _length(info: i.StrType) -> str:
    if info.max_length is None:
        return ""
    return f", {info.min_length or 0} to {info.max_length} characters"


def _pattern(pattern: str) -> str:
    # The look-ahead says that `$` means the very end; in a table it only confuses.
    return pattern.replace(r"$(?!\n)", "$").replace("|", "\\|")


def _default(field: i.Field) -> str:
    if field.required:
        return "required"
    value = field.default
    if value is msgspec.NODEFAULT:
        value = field.default_factory()
    return f"`{json.dumps(value)}`"


def _cell(words: str) -> str:
    # The source speaks Python; the wire has null.
    return re.sub(r"\bNone\b", "null", one_line(words)).replace("|", "\\|")
