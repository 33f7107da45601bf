"""Commentary on a session that has ended: computed beside the rules, so no replay checks its content.

Whoever wants to check an annotation computes it again from the entries before it, with the program
that it names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spaces import canonical

MAX_ANNOTATIONS = 64
"""Of one session."""
MAX_BYTES = 64 * 1024
"""Of the canonical JSON of all of them together."""
MAX_KIND_CHARS = 64


class InvalidAnnotation(ValueError):
    """Not the form of an annotation, or too much of it."""


def check_annotations(bodies: Sequence[Mapping[str, Any]]) -> None:
    """All annotations of one session: objects with a `kind`, without floats. Raises InvalidAnnotation."""
    if len(bodies) > MAX_ANNOTATIONS:
        raise InvalidAnnotation(
            f"{len(bodies)} annotations, a session has at most {MAX_ANNOTATIONS}"
        )
    size = 0
    for body in bodies:
        kind = body.get("kind")
        if not isinstance(kind, str) or not 1 <= len(kind) <= MAX_KIND_CHARS:
            raise InvalidAnnotation(f"an annotation has a kind of 1 to {MAX_KIND_CHARS} characters")
        try:
            size += len(canonical.encode(body))
        except canonical.CanonicalError as error:
            raise InvalidAnnotation(f"an annotation is canonical JSON: {error}") from None
    if size > MAX_BYTES:
        raise InvalidAnnotation(f"annotations of {size} bytes, a session has at most {MAX_BYTES}")
