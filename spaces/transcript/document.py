"""The parts of a transcript, and reading one that comes from a stranger."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from spaces import canonical
from spaces.space import Outcome

VERSION = "agon-transcript/1"
MAX_BYTES = 1 << 20
"""So that the stored block is one raw IPFS block, whose CID is a plain SHA-256."""

# \Z and not $, which also matches before a trailing newline.
Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Name = Annotated[str, Meta(min_length=1, max_length=64)]
Count = Annotated[int, Meta(ge=0, le=canonical.MAX_INTEGER)]


class TranscriptError(ValueError):
    """The document is no transcript, or one that does not hold. `entry` is None for the header."""

    def __init__(self, fact: str, entry: int | None = None) -> None:
        super().__init__(f"transcript: {fact}" if entry is None else f"entry {entry}: {fact}")
        self.fact = fact
        self.entry = entry


class SeatCommit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    seat: Count
    commit: Hex32
    """SHA-256(salt[32] || utf8(agent version id))."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    i: Count
    t: Count
    """Milliseconds since the session was opened. A sealed action keeps the time it was given."""
    by: Name
    """`host`, `seat:N` or `oracle`."""
    type: Name
    body: dict[str, Any]
    prev: Hex32
    """SHA-256 of the canonical bytes of the entry before; 64 zeros for the first."""


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """EIP-712 over (session, digest, root, number of entries); checked by `chain`, not here."""

    signer: Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{40}\Z")]
    value: Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{130}\Z")]


class Transcript(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    v: Literal["agon-transcript/1"]
    session: Name
    space: Name
    rules: Name
    params: dict[str, Any]
    opened_ms: Count
    """Unix milliseconds, as `sealed_ms`."""
    sealed_ms: Count
    seats: tuple[SeatCommit, ...]
    seed_commit: Hex32
    seed: Hex32
    entries: tuple[Entry, ...]
    outcome: Outcome
    root: Hex32
    """RFC 6962 tree hash over the canonical bytes of the entries."""
    sig: Signature | UnsetType = UNSET


def unsigned(transcript: Transcript) -> dict[str, Any]:
    """The transcript as JSON values, without its signature."""
    document: dict[str, Any] = msgspec.to_builtins(transcript)
    document.pop("sig", None)
    return document


def digest_of(transcript: Transcript) -> str:
    return canonical.sha256(unsigned(transcript))


def digest(document: bytes) -> str:
    """SHA-256 of the canonical bytes without `sig`, in hex. Raises TranscriptError."""
    return digest_of(read(document))


def read(document: bytes) -> Transcript:
    """A transcript from its stored bytes, which may come from anybody. Raises TranscriptError.

    Checks the form alone: size, canonical bytes, fields and their types. Whether it is true, `replay`
    says.
    """
    if len(document) > MAX_BYTES:
        raise TranscriptError(f"{len(document)} bytes, a transcript has at most {MAX_BYTES}")
    try:
        return msgspec.convert(canonical.decode(document), Transcript)
    except canonical.CanonicalError as error:
        raise TranscriptError(str(error)) from None
    except msgspec.ValidationError as error:
        raise TranscriptError(f"not an {VERSION}: {error}") from None
