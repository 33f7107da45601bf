"""The file: a tar of two members, `manifest.json` and `agon.sqlite`, in this order.

It is read as what a stranger may have written: members are looked for by name, streamed, bounded by
the manifest and checked by their digest; nothing is ever unpacked by its own path.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import msgspec

VERSION = "agon-backup/1"
MANIFEST = "manifest.json"
DATABASE = "agon.sqlite"
MAX_MANIFEST = 64 * 1024
CHUNK = 1024 * 1024


class BackupFailed(Exception):
    """The message says of which file, why, and what to do."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    v: str
    made_ms: int
    schema: str
    """The revision of the database's schema."""
    bytes: int
    """Size of the database."""
    sha256: str
    """Of the database, hex."""
    live_sessions: int
    """Become void when this is restored."""
    held_entries: int
    """Go back to their agents then."""
    sound: bool
    """The ledger's invariants held."""


def digest(path: Path) -> str:
    """SHA-256 of a file, hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write(out: Path, manifest: Manifest, database: Path) -> None:
    """Write the file whole or not at all; only its owner may read it. Raises OSError."""
    partial = out.with_name(f".{out.name}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                _add(tar, MANIFEST, manifest, msgspec.json.format(msgspec.json.encode(manifest)))
                info = _info(DATABASE, manifest, database.stat().st_size)
                with database.open("rb") as content:
                    tar.addfile(info, content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


def read_manifest(path: Path) -> Manifest:
    """What the file says of itself. Raises BackupFailed."""
    with _opened(path) as tar, _member(path, tar, MANIFEST) as file:
        raw = file.read(MAX_MANIFEST + 1)
    try:
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BackupFailed(f"{path} has no manifest that can be read: {error}") from None
    if manifest.v != VERSION:
        raise BackupFailed(f"{path} is {manifest.v!r}, not {VERSION!r}")
    return manifest


def extract(path: Path, manifest: Manifest, to: Path) -> None:
    """Write the database to `to`, which only its owner may read. Raises BackupFailed when it is not what
    the manifest says, and leaves nothing behind then."""
    found, size = hashlib.sha256(), 0
    descriptor = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with (
            _opened(path) as tar,
            _member(path, tar, DATABASE) as file,
            os.fdopen(descriptor, "wb") as out,
        ):
            for chunk in _chunks(path, file):
                size += len(chunk)
                if size > manifest.bytes:
                    break
                found.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        if (size, found.hexdigest()) != (manifest.bytes, manifest.sha256):
            raise BackupFailed(f"{path} is damaged: its database is not the one that was backed up")
    except BaseException:
        to.unlink(missing_ok=True)
        raise


def _chunks(path: Path, file: IO[bytes]) -> Iterator[bytes]:
    try:
        while chunk := file.read(CHUNK):
            yield chunk
    except (tarfile.TarError, EOFError) as error:
        raise BackupFailed(f"{path} is damaged: {error}") from None


def _opened(path: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(path, mode="r:")
    except (tarfile.TarError, EOFError) as error:
        raise BackupFailed(f"{path} is no backup: {error}") from None
    except OSError as error:
        raise BackupFailed(f"cannot read {path}: {error.strerror}") from None


def _member(path: Path, tar: tarfile.TarFile, name: str) -> IO[bytes]:
    try:
        member = tar.extractfile(name)
    except (KeyError, tarfile.TarError, EOFError):
        member = None
    if member is None:  # also where it is a folder or a link
        raise BackupFailed(f"{path} is no backup: it has no {name}")
    return member


def _add(tar: tarfile.TarFile, name: str, manifest: Manifest, content: bytes) -> None:
    tar.addfile(_info(name, manifest, len(content)), io.BytesIO(content))


def _info(name: str, manifest: Manifest, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, manifest.made_ms / 1_000, 0o600
    return info
