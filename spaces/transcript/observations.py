"""What an oracle's answer may look like, for those who ask and for those who check."""

from __future__ import annotations

import msgspec

from spaces import canonical
from spaces.space import InvalidObservation, Observation

MAX_SOURCE_CHARS = 500
MAX_VALUE_BYTES = 64 * 1024
"""Of the value's canonical JSON; a transcript holds 1 MiB in all."""


def as_kept(observation: Observation) -> Observation:
    """The observation as its transcript keeps it, read back from JSON: what the rules learn from, live
    and in a replay alike. Raises InvalidObservation for whatever else it is given: what a feed returns
    is the world's, and our types do not bind it."""
    if not isinstance(observation, Observation):
        raise InvalidObservation(f"an observation is wanted, got {type(observation).__name__}")
    if not isinstance(observation.source, str) or not isinstance(observation.value, dict):
        raise InvalidObservation("an observation has words for a source and an object for a value")
    if not 1 <= len(observation.source) <= MAX_SOURCE_CHARS:
        raise InvalidObservation(
            f"a source has 1 to {MAX_SOURCE_CHARS} characters, got {len(observation.source)}"
        )
    try:
        canonical.encode(observation.source)
        value = canonical.encode(observation.value)
    except canonical.CanonicalError as error:
        raise InvalidObservation(f"an observation is canonical JSON: {error}") from None
    if len(value) > MAX_VALUE_BYTES:
        raise InvalidObservation(
            f"an observation has at most {MAX_VALUE_BYTES} bytes, got {len(value)}"
        )
    return Observation(observation.source, msgspec.json.decode(value))
