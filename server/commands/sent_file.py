"""What of a wallet is under way, in a file beside its keystore: written before anything is sent, one for each chain."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from bots.private_file import PrivateFile
from chain.wallet.sent import Sent
from server.commands.running import CommandError

if sys.platform != "win32":
    import fcntl


class SentFile:
    """The journal of the wallet in `keystore`, on one chain."""

    def __init__(self, keystore: Path, chain_id: int) -> None:
        self._path = keystore.with_name(f"{keystore.stem}.{chain_id}.sent.json")
        self._file = PrivateFile(self._path)

    def read(self) -> Sent | None:
        """Raises CommandError for a file that is none of ours."""
        text = self._file.read()
        if text is None:
            return None
        try:
            return msgspec.json.decode(text, type=Sent)
        except msgspec.DecodeError:
            raise CommandError(
                f"{self._path} is damaged: it says what this wallet has sent last; look there that nothing is under way, then"
                " delete it"
            ) from None

    def write(self, sent: Sent) -> None:
        """On disk when it returns, wholly or not at all."""
        self._file.write(msgspec.json.encode(sent).decode())
        for path in (self._path, self._path.parent):
            handle = os.open(path, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def clear(self) -> None:
        self._path.unlink(missing_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One command of a wallet at a time: two at once would sign the same nonce. Raises CommandError."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if sys.platform != "win32":
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise CommandError(
                "another command is at work with this wallet: wait until it has ended"
            ) from None
        finally:
            os.close(lock)
