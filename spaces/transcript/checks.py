"""What of a transcript is checked without playing it: the header, the chain and the root."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from spaces import canonical, merkle, registry
from spaces.seed import commitment
from spaces.space import Space
from spaces.transcript.document import Transcript, TranscriptError
from spaces.transcript.seal import GENESIS


def check_header(transcript: Transcript) -> Space[Any, Any, Any]:
    try:
        space = registry.get_known(transcript.space)
    except registry.UnknownSpace as error:
        raise TranscriptError(str(error)) from None
    if transcript.rules != space.rules:
        raise TranscriptError(f"rules {transcript.rules!r} are not known, ours are {space.rules!r}")
    if [one.seat for one in transcript.seats] != list(range(space.seats)):
        raise TranscriptError(f"seats are not 0 to {space.seats - 1} in order")
    if transcript.sealed_ms < transcript.opened_ms:
        raise TranscriptError("sealed before it was opened")
    if commitment(transcript.session, bytes.fromhex(transcript.seed)) != transcript.seed_commit:
        raise TranscriptError("the seed does not match seed_commit")
    return space


@contextlib.contextmanager
def playing(space: Space[Any, Any, Any]) -> Iterator[None]:
    """Whatever a game of another project raises on what a transcript says becomes TranscriptError.

    Our own Spaces' rules raise what `Space` promises; anything else is a bug, which shall be seen.
    """
    try:
        yield
    except TranscriptError:
        raise
    except Exception as error:
        if space in registry.all_spaces():
            raise
        why = ascii(str(error).partition("\n")[0])[:100]
        raise TranscriptError(f"{space.id} cannot be played so: {why}") from error


def check_hashes(transcript: Transcript) -> None:
    prev, leaves = GENESIS, []
    for number, entry in enumerate(transcript.entries):
        if entry.i != number:
            raise TranscriptError(f"numbered {entry.i}", number)
        if entry.prev != prev:
            raise TranscriptError("prev is not the hash of the entry before", number)
        leaf = canonical.encode(msgspec.to_builtins(entry))
        prev = hashlib.sha256(leaf).hexdigest()
        leaves.append(leaf)
    if merkle.root(leaves).hex() != transcript.root:
        raise TranscriptError("root is not the tree hash of the entries")
