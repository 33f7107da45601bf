"""CARv1: blocks one after another, behind a header that names the roots. Pure, and never more than one block in memory.

A block whose hash is not its id's digest ends the reading: an archive comes from anywhere.

https://ipld.io/specs/transport/car/carv1/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chain.content import cid, varint
from chain.content.cid import Cid, NotACid
from chain.content.dag_pb import MAX_BLOCK
from chain.content.unixfs import Block

MAX_ROOTS = 4_096
_MAX_SECTION = MAX_BLOCK + 64
"""Bytes of a block and its id."""
_MAX_HEADER = 64 + MAX_ROOTS * 48


class BadCar(ValueError):
    """Not an archive, one that is cut off, or one that lies."""


def header(roots: Sequence[Cid]) -> bytes:
    """What an archive begins with. Raises ValueError for more than MAX_ROOTS."""
    if len(roots) > MAX_ROOTS:
        raise ValueError(f"{len(roots)} roots: an archive that others read has at most {MAX_ROOTS}")
    # DAG-CBOR of {"roots": [id, …], "version": 1}: an id is the tag 42 around a zero byte and its bytes.
    links = b"".join(b"\xd8\x2a" + _cbor(2, 1 + len(r.binary)) + b"\x00" + r.binary for r in roots)
    body = b"\xa2" + _text("roots") + _cbor(4, len(roots)) + links + _text("version") + b"\x01"
    return varint.encode(len(body)) + body


def section(block: Block) -> bytes:
    """One block in an archive."""
    name = block.cid.binary
    return varint.encode(len(name) + len(block.data)) + name + block.data


def archive(roots: Sequence[Cid], blocks: Sequence[Block]) -> bytes:
    """A whole one, where it is small enough to be held."""
    return b"".join((header(roots), *(section(block) for block in blocks)))


class Reader:
    """Takes an archive in pieces of any sizes. `feed` gives the blocks that are complete; then `close`."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._roots: tuple[Cid, ...] | None = None

    @property
    def roots(self) -> tuple[Cid, ...]:
        """Empty until the header has come."""
        return self._roots or ()

    def feed(self, piece: bytes) -> Iterator[Block]:
        """To be exhausted before the next piece is fed. Raises BadCar; the reader is of no use then."""
        self._held += piece
        while (part := self._next()) is not None:
            if self._roots is None:
                self._roots = _roots(part)
            else:
                yield _block(part)

    def close(self) -> None:
        """No more comes. Raises BadCar where something is missing."""
        if self._roots is None:
            raise BadCar("the archive ends before its header does")
        if self._held:
            raise BadCar(f"the archive ends within a block: {len(self._held)} bytes are left over")

    def _next(self) -> bytes | None:
        """The next length-prefixed part, where it is all there."""
        limit = _MAX_HEADER if self._roots is None else _MAX_SECTION
        try:
            length, begin = varint.decode(self._held)
        except varint.Incomplete:
            return None
        except varint.NotAVarint as error:
            raise BadCar(str(error)) from None
        if not 0 < length <= limit:
            raise BadCar(f"a part of {length} bytes: expected 1 to {limit}")
        end = begin + length
        if len(self._held) < end:
            return None
        part = bytes(self._held[begin:end])
        del self._held[:end]
        return part


def _block(part: bytes) -> Block:
    try:
        id_, end = cid.read(part)
    except NotACid as error:
        raise BadCar(f"a block under something that is {error}") from None
    block = Block(id_, part[end:])
    if not id_.is_of(block.data):
        raise BadCar(f"the block under {id_} is not what that is the id of")
    return block


def _roots(part: bytes) -> tuple[Cid, ...]:
    """Of the header, which has one canonical form: so it is made again and compared."""
    roots: list[Cid] = []
    at = 0
    while (at := part.find(b"\xd8\x2a\x58", at)) >= 0 and len(roots) < MAX_ROOTS:
        try:
            root, end = cid.read(part, at + 5)
        except NotACid as error:
            raise BadCar(f"a root that is {error}") from None
        roots.append(root)
        at = end
    made = header(roots)
    if made[varint.decode(made)[1] :] != part:
        raise BadCar("not the header of a CARv1 with roots of raw or dag-pb blocks")
    return tuple(roots)


def _cbor(major: int, length: int) -> bytes:
    """The head of a CBOR item of less than 65,536 bytes or items, in its shortest form."""
    if length < 24:
        return bytes((major << 5 | length,))
    if length < 256:
        return bytes((major << 5 | 24, length))
    return bytes((major << 5 | 25,)) + length.to_bytes(2, "big")


def _text(words: str) -> bytes:
    return _cbor(3, len(words)) + words.encode()
