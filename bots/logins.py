"""Where logins are kept: `$XDG_CONFIG_HOME/agon/logins.json` (or under `~/.config`), one per arena.

`owner_api` is how every owner's command acts: with the login that `agon login` kept, or with what
AGON_TOKEN holds (a login or a key of an account, for scripts).
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import msgspec

from bots.api import arena_url
from bots.errors import BotError
from bots.owner import OwnerApi
from bots.private_file import PrivateFile, PrivateFileError, config_folder

TOKEN_VARIABLE = "AGON_TOKEN"  # noqa: S105 - the name of a variable

_TOKEN = re.compile(r"[\x21-\x7e]{16,128}")
_INSTEAD = "or unset it to act by what `agon login` keeps"


class NotSignedIn(BotError):
    """There is no login for the arena, or it has expired."""


class Login(msgspec.Struct, frozen=True, kw_only=True):
    """An open login. Whoever has the token acts as the account."""

    token: str
    account: str
    wallet: str
    """EIP-55."""
    expires_ms: int
    """Unix milliseconds."""

    def __repr__(self) -> str:
        return f"Login(account={self.account!r}, wallet={self.wallet!r}, token=…)"


class Logins:
    """The logins file at `path`."""

    def __init__(self, path: Path | None = None) -> None:
        self._file = PrivateFile(path or config_folder() / "logins.json")
        self.path = self._file.path

    def find(self, url: str) -> Login | None:
        """The login at the arena `url`, perhaps an expired one. Raises PrivateFileError."""
        return self._read().get(url)

    def keep(self, url: str, login: Login) -> None:
        """Replaces another login at that arena. Raises PrivateFileError."""
        with self._file.locked():
            self._write(self._read() | {url: login})

    def forget(self, url: str) -> None:
        """Does nothing where there is none. Raises PrivateFileError."""
        with self._file.locked():
            self._write({known: login for known, login in self._read().items() if known != url})

    def _read(self) -> dict[str, Login]:
        text = self._file.read()
        if text is None:
            return {}
        try:
            return msgspec.json.decode(text, type=dict[str, Login])
        except msgspec.DecodeError as error:
            raise PrivateFileError(
                f"{self.path} holds no logins: {error}; remove it and sign in again"
            ) from None

    def _write(self, logins: dict[str, Login]) -> None:
        self._file.write(msgspec.json.format(msgspec.json.encode(logins)).decode() + "\n")


def owner_api(url: str | None = None, path: Path | None = None) -> OwnerApi:
    """The arena at `url` (else AGON_URL, else this machine) as its signed-in owner sees it.

    Raises NotSignedIn, also where AGON_TOKEN can be no token, NotAnArena for a bad url, PrivateFileError.
    """
    arena = arena_url(url)
    given = os.environ.get(TOKEN_VARIABLE, "").strip()
    if given:
        return _by_variable(arena, given)
    login = Logins(path).find(arena)
    if login is None:
        raise NotSignedIn(f"not signed in at {arena}; run `agon login --url {arena}`")
    if login.expires_ms <= time.time() * 1000:
        raise NotSignedIn(f"the login at {arena} has expired; run `agon login --url {arena}`")
    ended = f"the login at {arena} has ended there; run `agon login --url {arena}`"
    return OwnerApi(arena, login.token, if_unknown=ended)


def _by_variable(arena: str, token: str) -> OwnerApi:
    if not _TOKEN.fullmatch(token):
        raise NotSignedIn(
            f"{TOKEN_VARIABLE} holds what is no login and no key: put one there, {_INSTEAD}"
        )
    unknown = f"{arena} does not know the token in {TOKEN_VARIABLE}: put a login or a key of it there, {_INSTEAD}"
    return OwnerApi(arena, token, if_unknown=unknown)
