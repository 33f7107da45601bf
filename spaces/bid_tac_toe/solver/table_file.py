"""Tables as files: one line that says what it is, one line of JSON about it, compressed contents.

Written whole or not at all. Read with suspicion: a file of other rules, of an impossible size or with
another hash than it states is refused, so that nobody plays by a damaged table.
"""

from __future__ import annotations

import hashlib
import itertools
import lzma
import os
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from spaces.bid_tac_toe.solver.answer import MOST_CHIPS
from spaces.bid_tac_toe.solver.boards import classes
from spaces.bid_tac_toe.solver.induction import Bases
from spaces.bid_tac_toe.solver.stage import Grid, Variant
from spaces.bid_tac_toe.solver.table import ROUNDED_WIN, Contents, Table
from spaces.bid_tac_toe.space import BidTacToe

MAGIC = b"agon bid-tac-toe table 1\n"
SUFFIX = ".table"
_HEADER_BYTES = 4_096
MICRO = 1_000_000


class BadTable(ValueError):
    """The file is no table that this program can play by; the message says which and why."""


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    variant: Variant
    rules: str
    method: str
    tolerance_nano: int
    """The widest gap of a stage before rounding, in billionths of the stake."""
    exploitability_micro: int
    """At most this can a rival win beyond the value, in millionths of the stake."""
    grids: Annotated[int, Meta(ge=1, le=65_535)]
    mixed: Annotated[int, Meta(ge=0, le=100_000_000)]
    sha256: str
    """Of the contents before compression."""
    measured: bool = False
    """Whether the certificate has measured the exploitability; else it is the bound that the gaps of
    all stages give beforehand."""

    @property
    def name(self) -> str:
        return f"{self.variant.name}@{self.sha256[:16]}"


def name_of(variant: Variant) -> str:
    return variant.name + SUFFIX


def write(path: Path, contents: Contents, header: Header) -> Header:
    """Atomically. `header.sha256` is filled in; a reader needs nothing but the file."""
    payload = _payload(contents)
    header = msgspec.structs.replace(header, sha256=hashlib.sha256(payload).hexdigest())
    _write(path, header, lzma.compress(payload, preset=9))
    return header


def restate(path: Path, *, exploitability_micro: int) -> Header:
    """The same table, measured."""
    header = msgspec.structs.replace(
        read_header(path), exploitability_micro=exploitability_micro, measured=True
    )
    with path.open("rb") as file:
        file.readline(), file.readline()
        packed = file.read()
    _write(path, header, packed)
    return header


def check_writable(path: Path) -> None:
    """Raises OSError where a table could not be written: better before hours of solving."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = _aside(path)
    try:
        aside.touch()
    finally:
        aside.unlink(missing_ok=True)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder")


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.getpid()}")


def _write(path: Path, header: Header, packed: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = _aside(path)
    try:
        with aside.open("wb") as file:
            file.write(MAGIC + msgspec.json.encode(header) + b"\n" + packed)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def read_header(path: Path) -> Header:
    """Raises BadTable and OSError."""
    with path.open("rb") as file:
        return _header(path, file.readline(len(MAGIC)), file.readline(_HEADER_BYTES))


def read(path: Path) -> Table:
    """Raises BadTable and OSError."""
    with path.open("rb") as file:
        header = _header(path, file.readline(len(MAGIC)), file.readline(_HEADER_BYTES))
        packed = file.read()
    sizes = _sizes(header)
    try:
        payload = lzma.LZMADecompressor().decompress(packed, max_length=sum(sizes) + 1)
    except (lzma.LZMAError, EOFError) as error:
        raise BadTable(f"{path.name} is damaged: {error}; build it again") from None
    if len(payload) != sum(sizes) or hashlib.sha256(payload).hexdigest() != header.sha256:
        raise BadTable(
            f"{path.name} is damaged: its contents are not what it states; build it again"
        )
    table = Table(
        _contents(header, payload, sizes),
        header.name,
        header.exploitability_micro / MICRO,
        measured=header.measured,
    )
    table.warm()
    return table


def _header(path: Path, magic: bytes, line: bytes) -> Header:
    if magic != MAGIC:
        raise BadTable(f"{path.name} is no table of this program")
    try:
        header = msgspec.json.decode(line, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadTable(f"{path.name} has no readable header: {error}") from None
    if header.rules != BidTacToe.rules:
        raise BadTable(f"{path.name} is of {header.rules}, not {BidTacToe.rules}; build it again")
    if not 1 <= header.variant.chips <= MOST_CHIPS:
        raise BadTable(f"{path.name} is of {header.variant.chips} chips, which no session has")
    return header


def _payload(contents: Contents) -> bytes:
    """Grids by differences along both axes (they are smooth), low bytes apart from high ones."""
    assert contents.grids.dtype == np.int16, "files hold rounded values"
    steps = np.diff(
        np.diff(contents.grids, axis=2, prepend=np.int16(0)), axis=1, prepend=np.int16(0)
    )
    low, high = (steps & 0xFF).astype(np.uint8), (steps >> 8).astype(np.int8)
    mixed = np.packbits(contents.rank >= 0)
    parts = (contents.which.astype("<u2"), low, high, mixed, contents.bases)
    return b"".join(np.ascontiguousarray(part).tobytes() for part in parts)


def _sizes(header: Header) -> tuple[int, ...]:
    """Bytes of each part of the contents."""
    variant = header.variant
    cells = header.grids * variant.shape[0] * variant.shape[1]
    return (
        len(classes()) * variant.modes * 2,
        cells,
        cells,
        (cells + 7) // 8,
        header.mixed * 2 * _width(variant),
    )


def _width(variant: Variant) -> int:
    return (variant.chips + 8) // 8


def _contents(header: Header, payload: bytes, sizes: tuple[int, ...]) -> Contents:
    variant = header.variant
    ends = np.cumsum((0, *sizes))
    which, low, high, mixed, bases = (
        np.frombuffer(payload[start:end], dtype=np.uint8) for start, end in itertools.pairwise(ends)
    )
    shape = (header.grids, *variant.shape)
    is_mixed = np.unpackbits(mixed, count=int(np.prod(shape))).astype(bool)
    rank = np.where(is_mixed, np.cumsum(is_mixed) - 1, -1).astype(np.int32).reshape(shape)
    packed: Bases = bases.reshape(-1, 2, _width(variant))
    if len(packed) != is_mixed.sum():
        raise BadTable(
            f"{header.name} counts {len(packed)} mixed positions and marks {is_mixed.sum()}"
        )
    return Contents(
        variant=variant,
        boards=classes(),
        grids=_summed(low, high).reshape(shape).cumsum(axis=1, dtype=np.int16).cumsum(
            axis=2, dtype=np.int16
        ),
        win=ROUNDED_WIN,
        which=which.view("<u2").reshape(len(classes()), variant.modes).astype(np.uint16),
        rank=rank,
        bases=packed,
    )  # fmt: skip


def _summed(low: Grid, high: Grid) -> Grid:
    return np.asarray(low.astype(np.int16) | (high.view(np.int8).astype(np.int16) << 8))
