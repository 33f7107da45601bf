"""The words that stand under a Struct's fields in the source, for the generated documents.

Python keeps no docstring of an attribute, so they are read from the source. Pure but for that.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.inspect import DictType, ListType, Metadata, StructType, Type, UnionType, VarTupleType


@functools.cache
def descriptions(type_: type[Any]) -> dict[str, str]:
    """Field or member name -> the string below it, as one line; inherited ones included."""
    found: dict[str, str] = {}
    for cls in reversed(type_.__mro__):
        if cls.__module__.startswith("server."):
            found |= _own(cls)
    return found


def _own(cls: type[Any]) -> dict[str, str]:
    body = ast.parse(textwrap.dedent(inspect.getsource(cls))).body[0]
    assert isinstance(body, ast.ClassDef)
    found: dict[str, str] = {}
    for statement, below in zip(body.body, body.body[1:], strict=False):
        name = _assigned(statement)
        if name and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            found[name] = one_line(str(below.value.value))
    return found


def _assigned(statement: ast.stmt) -> str | None:
    match statement:
        case ast.AnnAssign(target=ast.Name(id=name)):
            return name
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return None


def one_line(text: str) -> str:
    return " ".join(text.split())


def doc(type_: type[Any]) -> str:
    """The class's docstring, or nothing where it has none of its own."""
    own = type_.__dict__.get("__doc__") or ""
    return inspect.cleandoc(own) if own else ""


def schemas(types: list[Any], template: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """`msgspec.json.schema_components` with the fields' words and tidy descriptions put in."""
    found, components = msgspec.json.schema_components(types, ref_template=template)
    by_name = structs(types)
    for name, schema in components.items():
        type_ = by_name[name]
        if "description" in schema:
            schema["description"] = inspect.cleandoc(schema["description"])
        for field, words in descriptions(type_).items():
            if field in schema.get("properties", {}):
                schema["properties"][field]["description"] = words
    return list(found), dict(sorted(components.items()))


def structs(types: Sequence[Any]) -> dict[str, type[msgspec.Struct]]:
    """Every Struct that the types reach, by name, breadth first."""
    found: dict[str, type[msgspec.Struct]] = {}
    waiting = deque(msgspec.inspect.multi_type_info(types))
    while waiting:
        info = waiting.popleft()
        if isinstance(info, StructType):
            if info.cls.__name__ in found:
                continue
            found[info.cls.__name__] = info.cls
        waiting.extend(_inside(info))
    return found


def _inside(info: Type) -> Sequence[Type]:
    match info:
        case StructType():
            return [field.type for field in info.fields]
        case UnionType():
            return info.types
        case ListType() | VarTupleType():
            return [info.item_type]
        case DictType():
            return [info.key_type, info.value_type]
        case Metadata():
            return [info.type]
    return []
