"""Which field of a form the server's words are about. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from tui_client.owner.calls import Problem

_PATH = re.compile(r"`?\$\.([a-z_]+(?:\.[a-z_]+)*)")
"""Where msgspec found something: `… - at `$.limits.max_sessions``."""


def field_of(
    problem: Problem,
    names: Sequence[str],
    codes: Mapping[str, str] | None = None,
    said: Sequence[tuple[str, str]] = (),
) -> str | None:
    """The field that a problem names: by its code, by a path in its words, or by how these begin; None
    where it is about the whole."""
    if codes and codes.get(problem.code) in names:
        return codes[problem.code]
    if match := _PATH.search(problem.detail):
        for part in reversed(match[1].split(".")):
            if part in names:
                return part
    for words, name in said:
        if problem.detail.startswith(words) and name in names:
            return name
    return next((name for name in names if re.match(rf"{name}\b", problem.detail)), None)
