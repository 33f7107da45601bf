"""Files as trees of blocks, as IPFS lays them out: chunks of one size, leaves all at one depth, filled from the left.

The two profiles of IPIP-499 (https://specs.ipfs.tech/ipips/ipip-0499/) that everybody's nodes speak. With
`unixfs-v1-2025` a file of up to 1 MiB is one raw block: its id is the SHA-256 of its bytes and five bytes before it.
Trees are only needed beyond that; what Agon pins of itself, transcripts, stays below.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from chain.content import cid, dag_pb
from chain.content.cid import Cid, Codec
from chain.content.dag_pb import Link, Node, NotANode, field

MIB = 1024 * 1024
MAX_DEPTH = 8
"""Levels of a tree that is read; 1024 links a node hold 2^40 chunks in four."""

_RAW, _DIRECTORY, _FILE = 0, 1, 2
"""UnixFS's types of nodes."""


class Profile(msgspec.Struct, frozen=True):
    """How a file becomes blocks."""

    chunk: int
    """Bytes of each leaf but the last."""
    links: int
    """Links of a node, at most."""
    raw_leaves: bool
    """Leaves are bytes alone, not nodes around them."""
    version: int
    """Of the ids."""


V1_2025 = Profile(chunk=MIB, links=1024, raw_leaves=True, version=1)
"""What we write."""
V0_2015 = Profile(chunk=MIB // 4, links=174, raw_leaves=False, version=0)
"""What older nodes write when nothing is said; here so that it can be read, and checked against them."""


class Block(msgspec.Struct, frozen=True):
    cid: Cid
    data: bytes


class FileNode(msgspec.Struct, frozen=True):
    """A node of a file: its own bytes, then those of its links in their order."""

    data: bytes
    links: tuple[Link, ...]
    sizes: tuple[int, ...]
    """Bytes of the file below each link."""

    @property
    def size(self) -> int:
        return len(self.data) + sum(self.sizes)


class _Part(msgspec.Struct, frozen=True):
    """A finished tree that waits for its parent."""

    link: Link
    size: int
    """Bytes of the file in it."""


class Builder:
    """Takes a file in pieces of any sizes and gives its blocks, each after all that it links to.

    Holds no more than a chunk and the links of one node a level.
    """

    def __init__(self, profile: Profile = V1_2025) -> None:
        self._profile = profile
        self._held = bytearray()
        self._levels: list[list[_Part]] = [[]]
        """What waits for its parent, leaves first. The level above the last one is made when it is needed."""
        self._last: Block | None = None

    @property
    def root(self) -> Block:
        """Of the whole file, once it is closed and all blocks were taken."""
        assert self._last is not None, "even an empty file has a block"
        return self._last

    def feed(self, piece: bytes) -> Iterator[Block]:
        """To be exhausted before the next piece is fed."""
        self._held += piece
        size = self._profile.chunk
        whole = len(self._held) - len(self._held) % size
        for at in range(0, whole, size):
            yield from self._add(bytes(self._held[at : at + size]))
        del self._held[:whole]

    def close(self) -> Iterator[Block]:
        """What is left to give; maybe nothing, where the file is one chunk that has been given."""
        if self._held or not self._levels[0]:
            yield from self._add(bytes(self._held))
        depth = 0
        while depth < len(self._levels) - 1 or len(self._levels[depth]) > 1:
            yield self._close(depth)
            depth += 1

    def _add(self, chunk: bytes) -> Iterator[Block]:
        # A full level is closed only when something follows: the last node of a level may be its root.
        depth = 0
        while depth < len(self._levels) and len(self._levels[depth]) == self._profile.links:
            yield self._close(depth)
            depth += 1
        self._last = block = _leaf(chunk, self._profile)
        self._levels[0].append(_Part(Link(block.cid, len(block.data)), len(chunk)))
        yield block

    def _close(self, depth: int) -> Block:
        """Make a node of the level's parts, and a part of the level above of that."""
        parts, self._levels[depth] = self._levels[depth], []
        size = sum(part.size for part in parts)
        links = tuple(part.link for part in parts)
        data = dag_pb.encode(Node(links, _pack(_FILE, b"", size, [part.size for part in parts])))
        self._last = block = Block(cid.of(data, Codec.DAG_PB, self._profile.version), data)
        if depth + 1 == len(self._levels):
            self._levels.append([])
        self._levels[depth + 1].append(_Part(Link(block.cid, dag_pb.total(links, data)), size))
        return block


def blocks(pieces: Iterable[bytes], profile: Profile = V1_2025) -> Iterator[Block]:
    """The blocks of the file whose bytes come in these pieces, its root last."""
    builder = Builder(profile)
    for piece in pieces:
        yield from builder.feed(piece)
    yield from builder.close()


def cid_of(data: bytes, profile: Profile = V1_2025) -> Cid:
    """The id of a file. The quickest way to check what a node says."""
    *_, root = blocks([data], profile)
    return root.cid


def directory(entries: Sequence[Link], version: int = 1) -> Block:
    """A directory of files and directories, in one block. `entries` have names, which differ."""
    ordered = tuple(sorted(entries, key=lambda link: link.name.encode()))
    data = dag_pb.encode(Node(ordered, field(1, _DIRECTORY)))
    return Block(cid.of(data, Codec.DAG_PB, version), data)


def read_directory(block: bytes) -> tuple[Link, ...]:
    """The entries of a directory in one block. Raises NotANode."""
    node = dag_pb.decode(block)
    if node.data != field(1, _DIRECTORY):
        raise NotANode("not a directory in one block")
    return node.links


def read(id_: Cid, block: bytes) -> FileNode:
    """The node of a file. Raises NotANode, also for directories; whether the block is the id's is the caller's to check."""
    if id_.codec is Codec.RAW:
        return FileNode(block, (), ())
    node = dag_pb.decode(block)
    type_, data, size, sizes = _unpack(node.data or b"")
    found = FileNode(data, node.links, sizes)
    if type_ not in (_RAW, _FILE) or len(sizes) != len(node.links) or found.size != size:
        raise NotANode("not a node of a file, or one whose sizes do not add up")
    return found


def _leaf(chunk: bytes, profile: Profile) -> Block:
    if profile.raw_leaves:
        return Block(cid.of(chunk), chunk)
    data = dag_pb.encode(Node((), _pack(_FILE, chunk, len(chunk), ())))
    return Block(cid.of(data, Codec.DAG_PB, profile.version), data)


def _pack(type_: int, data: bytes, size: int, sizes: Sequence[int]) -> bytes:
    """https://specs.ipfs.tech/unixfs/: type, data where there is some, size of the file, sizes of the links."""
    packed = field(1, type_) + (field(2, data) if data else b"") + field(3, size)
    return packed + b"".join(field(4, each) for each in sizes)


def _unpack(packed: bytes) -> tuple[int, bytes, int, tuple[int, ...]]:
    type_ = size = -1
    data, sizes = b"", []
    for number, value in dag_pb.fields(packed):
        match number, value:
            case 1, int():
                type_ = value
            case 2, bytes():
                data = value
            case 3, int():
                size = value
            case 4, int():
                sizes.append(value)
            case _:
                raise NotANode(f"field {number} is not one of a file's")
    return type_, data, size, tuple(sizes)
