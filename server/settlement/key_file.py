"""Private keys in files that processes use without being asked: 64 hex digits, mode 600."""

from __future__ import annotations

import stat
from pathlib import Path

from bots.private_file import PrivateFile, PrivateFileError
from chain.ethereum import Account, LocalAccount

MAX_BYTES = 256


class KeyFileError(ValueError):
    """The file holds no key, or others may read it; the message says what to do."""


def read(path: Path) -> LocalAccount:
    """Raises KeyFileError."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(path.stat().st_mode)
            text = file.read(MAX_BYTES)
    except OSError as error:
        raise KeyFileError(
            f"cannot read the key file {path} ({error.strerror}): `agon chain key {path}` makes one"
        ) from None
    if mode & 0o077:
        raise KeyFileError(
            f"others may read the key file {path} (mode {mode:03o}): chmod 600 {path}"
        )
    try:
        digits = text.decode("ascii").strip().removeprefix("0x")
        if len(digits) != 64:
            raise ValueError(digits)
        account: LocalAccount = Account.from_key(bytes.fromhex(digits))
    except ValueError:
        raise KeyFileError(
            f"{path} holds no private key: 64 hex digits are expected, as `agon chain key` writes them"
        ) from None
    return account


def make(path: Path) -> LocalAccount:
    """A new key in a new file. Raises KeyFileError, also where there is a file: no key is ever overwritten."""
    file = PrivateFile(path)
    account: LocalAccount = Account.create()
    try:
        with file.locked():
            if path.exists():
                raise KeyFileError(f"{path} exists already; it was left as it is")
            file.write(bytes(account.key).hex() + "\n")
    except PrivateFileError as error:
        raise KeyFileError(str(error)) from None
    return account


def ensure(path: Path) -> LocalAccount:
    """The key in the file, made if there is none. Raises KeyFileError."""
    return read(path) if path.exists() else make(path)
