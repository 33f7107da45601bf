"""An answer as the one flat JSON object that the Spaces' `parse` reads back to the same action.

Spaced as models write it (`{"bid": 17}`), since models learn from it. Spaces look for objects without
inner braces, so a brace within a string is escaped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping


class Written(str):
    """A number as it is written: a float would lose digits."""


Value = int | str | Written | list[Written]


def answer_json(fields: Mapping[str, Value]) -> str:
    """The object, in the order of `fields`."""
    told = (f"{json.dumps(key)}: {_told(value)}" for key, value in fields.items())
    return "{" + ", ".join(told) + "}"


def _told(value: Value) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_told, value))}]"
    if isinstance(value, Written):
        return str(value)
    return json.dumps(value, ensure_ascii=False).replace("{", "\\u007b").replace("}", "\\u007d")
