"""One id for many: a directory of named files, paged, whose root pins all of them and exports all of them.

Plain UnixFS directories of at most PAGE entries, and directories of those above: every IPFS can list it, fetch it, and
keep it by pinning its root. A page is named by its first entry. Entries come in the order of their names, and a set that
grows at its end shares all pages but the last of each level with the smaller one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec

from chain.content import unixfs
from chain.content.cid import Cid
from chain.content.dag_pb import Link, total
from chain.content.unixfs import Block

PAGE = 1024
"""Entries of a directory: its block stays far below a mebibyte, which no other profile would split."""
MAX_NAME = 128
"""Characters of an entry's name."""


class Entry(msgspec.Struct, frozen=True):
    name: str
    cid: Cid
    size: int
    """Bytes."""


class BadPinSet(ValueError):
    """Names that are equal, out of order, or no names of files."""


def blocks(entries: Iterable[Entry]) -> Iterator[Block]:
    """The directories, each after those that it links to, the root last. `entries` in the order of their names.

    Raises BadPinSet.
    """
    level = [Link(each.cid, each.size, each.name) for each in _checked(entries)]
    while True:
        pages = [level[at : at + PAGE] for at in range(0, len(level), PAGE)] or [[]]
        made = [unixfs.directory(page) for page in pages]
        yield from made
        if len(made) == 1:
            return
        level = [
            Link(block.cid, total(page, block.data), page[0].name)
            for page, block in zip(pages, made, strict=True)
        ]


def root(entries: Sequence[Entry]) -> Cid:
    """The id of the set. Raises BadPinSet."""
    *_, last = blocks(entries)
    return last.cid


def _checked(entries: Iterable[Entry]) -> Iterator[Entry]:
    before = ""
    for each in entries:
        if not 0 < len(each.name) <= MAX_NAME or "/" in each.name or each.name in (".", ".."):
            raise BadPinSet(f"{each.name[:MAX_NAME]!r} is no name of a file")
        if each.name.encode() <= before.encode():
            raise BadPinSet(
                f"{each.name!r} comes behind {before!r}: names differ, and are in order"
            )
        before = each.name
        yield each
