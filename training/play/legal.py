"""Which answers are legal, as texts, read off the JSON schema that a hosted agent is helped by. Pure."""

from __future__ import annotations

import functools
import itertools
import json
from collections.abc import Mapping
from typing import Any

import msgspec

MOST = 1_024
"""More answers than these are not counted up: such a question is answered freely."""


def legal_answers(schema: Mapping[str, Any] | None) -> tuple[str, ...] | None:
    """Every answer that a schema allows, in the canonical form `{"bid": 17}`; None where there is no schema,
    or where it allows other things than a few whole numbers, constants and booleans in a flat object."""
    if schema is None:
        return None
    return _listed(msgspec.json.encode(schema, order="deterministic"))


@functools.lru_cache(maxsize=4_096)
def _listed(raw: bytes) -> tuple[str, ...] | None:
    # Decoded again, the schema's keys are in another order than the Space's: answers keep `required`'s.
    schema = msgspec.json.decode(raw)
    keys = schema.get("required", ())
    if schema.get("type") != "object" or set(keys) != set(schema.get("properties", ())):
        return None
    columns = [_values(schema["properties"][key]) for key in keys]
    count = 1
    for column in columns:
        count *= len(column)
    if not 0 < count <= MOST:
        return None
    return tuple(
        json.dumps(dict(zip(keys, row, strict=True)), ensure_ascii=False)
        for row in itertools.product(*columns)
    )


def _values(schema: Mapping[str, Any]) -> list[Any]:
    """Of one property; none where they cannot be counted up."""
    if "const" in schema:
        return [schema["const"]]
    if "enum" in schema:
        return list(schema["enum"])
    if schema.get("type") == "boolean":
        return [False, True]
    if schema.get("type") == "integer" and {"minimum", "maximum"} <= set(schema):
        low, high = schema["minimum"], schema["maximum"]
        return list(range(low, high + 1)) if high - low < MOST else []
    return []
