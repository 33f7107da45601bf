"""Reading a canonical document that may come from anybody."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from spaces import canonical

Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Address = Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{40}\Z")]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
Count = Annotated[int, Meta(ge=0, le=canonical.MAX_INTEGER)]
Cid = Annotated[str, Meta(pattern=r"^b[a-z2-7]{20,128}\Z")]
"""A CIDv1 in base32."""

T = TypeVar("T", bound=msgspec.Struct)


class DocumentError(ValueError):
    """The bytes are not such a document, or one that contradicts itself; the text names the fact."""


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """EIP-712, by the arena's key; of a seat, by its agent's."""

    signer: Address
    value: Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{130}\Z")]


def read(document: bytes, kind: type[T], *, version: str, max_bytes: int) -> T:
    """Checks the form alone: size, canonical bytes, fields and their types. Raises DocumentError."""
    if len(document) > max_bytes:
        raise DocumentError(f"{len(document)} bytes, an {version} has at most {max_bytes}")
    try:
        return msgspec.convert(canonical.decode(document), kind)
    except canonical.CanonicalError as error:
        raise DocumentError(str(error)) from None
    except msgspec.ValidationError as error:
        raise DocumentError(f"not an {version}: {error}") from None


def encode(document: msgspec.Struct) -> bytes:
    """The canonical bytes."""
    return canonical.encode(msgspec.to_builtins(document))


def digest_of(document: msgspec.Struct) -> str:
    """SHA-256 of the canonical bytes without `sig`, in hex."""
    value: dict[str, Any] = msgspec.to_builtins(document)
    value.pop("sig", None)
    return canonical.sha256(value)
