"""Content ids: what bytes are called by everybody, and by which anybody can check them.

CIDv1 of `raw` and `dag-pb` blocks, CIDv0 (`dag-pb` alone), all of SHA-256: what IPFS gives to files. Other codecs and
hashes are refused: what cannot be checked here is no address here.

https://github.com/multiformats/cid, https://github.com/multiformats/multibase
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import re

import msgspec

from chain.content import varint

MAX_TEXT = 64
"""Characters of the longest id that is read: a CIDv1 in base32 has 59."""
DIGEST_BYTES = 32
_SHA2_256 = b"\x12\x20"
"""The multihash of 32 bytes of SHA-256 begins so."""
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_V0 = re.compile(r"Qm[1-9A-HJ-NP-Za-km-z]{44}")
_V1 = re.compile(r"b[a-z2-7]{58}")


class NotACid(ValueError):
    """The text or the bytes are no content id that we know."""


class Codec(enum.IntEnum):
    """What a block's bytes are: the multicodec."""

    RAW = 0x55
    """Bytes and nothing else."""
    DAG_PB = 0x70
    """A node of a file or a directory, with links."""


class Cid(msgspec.Struct, frozen=True, order=True):
    """A content id. Two of the same digest and another codec or version are not equal: they say how to read it."""

    codec: Codec
    digest: bytes
    """SHA-256 of the block, 32 bytes."""
    version: int = 1
    """0 only of a dag-pb block."""

    def __str__(self) -> str:
        """Base32 in lower case for version 1, base58 for version 0: the usual forms."""
        if self.version == 0:
            return _to_base58(_SHA2_256 + self.digest)
        return "b" + base64.b32encode(self.binary).decode().lower().rstrip("=")

    @property
    def binary(self) -> bytes:
        """As it stands in links and archives: 34 bytes of version 0, 36 of version 1."""
        head = b"" if self.version == 0 else bytes((1, self.codec))
        return head + _SHA2_256 + self.digest

    def is_of(self, block: bytes | bytearray | memoryview) -> bool:
        """Whether this is the address of these bytes."""
        return hashlib.sha256(block).digest() == self.digest


def of(block: bytes, codec: Codec = Codec.RAW, version: int = 1) -> Cid:
    """The id of a block."""
    if version == 0 and codec is not Codec.DAG_PB:
        raise ValueError("a CIDv0 is always of a dag-pb block")
    return Cid(codec, hashlib.sha256(block).digest(), version)


def parse(text: str) -> Cid:
    """The id that people write: `b…` or `Qm…`, with nothing around it. Raises NotACid.

    Strict: one text for one id. Other bases, capital letters and stray bits are refused.
    """
    if _V0.fullmatch(text):
        return from_binary(_from_base58(text))
    if not _V1.fullmatch(text):
        raise NotACid(f"{text[:MAX_TEXT]!r} is no content id: expected bafkrei…, bafybei… or Qm…")
    try:
        found = from_binary(base64.b32decode(text[1:].upper() + "=" * (-(len(text) - 1) % 8)))
    except binascii.Error:  # the pattern lets nothing else through, but it is the library's word
        raise NotACid(f"{text!r} is no base32") from None
    if str(found) != text:
        raise NotACid(f"{text!r} has stray bits at its end: it is {found}")
    return found


def from_binary(data: bytes) -> Cid:
    """The id whose bytes these are, all of them. Raises NotACid."""
    found, end = read(data)
    if end != len(data):
        raise NotACid(f"{len(data) - end} bytes too many behind a content id")
    return found


def read(data: bytes | memoryview, at: int = 0) -> tuple[Cid, int]:
    """The id that begins at `at`, and where it ends. Raises NotACid."""
    if data[at : at + 2] == _SHA2_256:
        return Cid(Codec.DAG_PB, _digest(data, at + 2), 0), at + 2 + DIGEST_BYTES
    try:
        version, after = varint.decode(data, at)
        code, after = varint.decode(data, after)
    except varint.NotAVarint as error:
        raise NotACid(f"not a content id: {error}") from None
    if version != 1:
        raise NotACid(f"a content id of version {version}: there are 0 and 1")
    try:
        codec = Codec(code)
    except ValueError:
        raise NotACid(f"a block of the codec {code:#x}: only raw and dag-pb are read") from None
    if data[after : after + 2] != _SHA2_256:
        raise NotACid("a content id of another hash than SHA-256 of 32 bytes")
    return Cid(codec, _digest(data, after + 2)), after + 2 + DIGEST_BYTES


def _digest(data: bytes | memoryview, at: int) -> bytes:
    digest = bytes(data[at : at + DIGEST_BYTES])
    if len(digest) != DIGEST_BYTES:
        raise NotACid("a content id is cut off")
    return digest


def _to_base58(data: bytes) -> str:
    number, out = int.from_bytes(data, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        out = _BASE58[digit] + out
    return out  # a multihash begins with 0x12, so there are no leading zeros to keep


def _from_base58(text: str) -> bytes:
    number = 0
    for character in text:
        number = number * 58 + _BASE58.index(character)
    try:
        return number.to_bytes(len(_SHA2_256) + DIGEST_BYTES, "big")
    except OverflowError:
        raise NotACid(f"{text!r} is no content id: it holds more than 34 bytes") from None
