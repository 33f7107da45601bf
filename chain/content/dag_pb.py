"""DAG-PB: a block that links to others. Only its one canonical form is written, and read.

A protobuf of two fields: links (2), which stand first, and data (1). A link has the target's id (1), a name (2), and
the size of all blocks below (3). Every other order, unknown field and overlong number is refused: one node, one block.

https://ipld.io/specs/codecs/dag-pb/spec/
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from chain.content import cid, varint
from chain.content.cid import Cid, NotACid

MAX_BLOCK = 2 * 1024 * 1024
"""Bytes of a block; larger ones are not passed on by other nodes either."""
_VARINT, _BYTES = 0, 2
"""Protobuf's wire types."""

Field = tuple[int, int | bytes]
"""Its number and its value."""


class NotANode(ValueError):
    """The block is no DAG-PB in its canonical form."""


class Link(msgspec.Struct, frozen=True):
    cid: Cid
    size: int
    """Bytes of the target's block and of all below it, as often as they are linked."""
    name: str = ""


class Node(msgspec.Struct, frozen=True):
    links: tuple[Link, ...]
    data: bytes | None
    """None where the field is not there, which is another block than one where it is empty."""


def encode(node: Node) -> bytes:
    """The block. Links are written as they come; a directory's must be in the order of their names' bytes."""
    links = b"".join(field(2, _encoded(link)) for link in node.links)
    return links if node.data is None else links + field(1, node.data)


def decode(block: bytes) -> Node:
    """Raises NotANode."""
    if len(block) > MAX_BLOCK:
        raise NotANode(f"a block of {len(block)} bytes: the limit is {MAX_BLOCK}")
    links: list[Link] = []
    data: bytes | None = None
    for number, value in fields(block):
        if data is not None or number not in (1, 2) or not isinstance(value, bytes):
            raise NotANode(f"field {number} in a place where it cannot be")
        if number == 2:
            links.append(_decoded(value))
        else:
            data = value
    return Node(tuple(links), data)


def field(number: int, value: int | bytes) -> bytes:
    """One field of a protobuf: a number as a varint, bytes with their length."""
    if isinstance(value, bytes):
        return bytes((number << 3 | _BYTES,)) + varint.encode(len(value)) + value
    return bytes((number << 3 | _VARINT,)) + varint.encode(value)


def fields(data: bytes) -> Iterator[Field]:
    """The fields of a protobuf, of the two wire types in use here. Raises NotANode."""
    at = 0
    try:
        while at < len(data):
            key, at = varint.decode(data, at)
            value, at = varint.decode(data, at)
            if key & 7 == _VARINT:
                yield key >> 3, value
                continue
            if key & 7 != _BYTES or value > len(data) - at:
                raise NotANode("a field that is no number, or longer than what is there")
            yield key >> 3, data[at : at + value]
            at += value
    except varint.NotAVarint as error:
        raise NotANode(str(error)) from None


def _encoded(link: Link) -> bytes:
    # All three are always there, also an empty name: so does every IPFS.
    return field(1, link.cid.binary) + field(2, link.name.encode()) + field(3, link.size)


def _decoded(data: bytes) -> Link:
    match list(fields(data)):
        case [(1, bytes(target)), (2, bytes(name)), (3, int(size))]:
            pass
        case _:
            raise NotANode("a link without the three fields in their order")
    try:
        return Link(cid.from_binary(target), size, name.decode())
    except (NotACid, UnicodeDecodeError) as error:
        raise NotANode(f"a link: {error}") from None


def total(links: Sequence[Link], block: bytes) -> int:
    """What a link to this block has to say as its size."""
    return len(block) + sum(link.size for link in links)
