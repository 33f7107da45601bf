"""Who a key speaks for, and the making of ids, keys and tokens."""

from __future__ import annotations

import hashlib
import secrets
from typing import Literal

import msgspec
from ulid import ULID

KEY_PREFIX = "agon_"
LOGIN_PREFIX = "agon_login_"
HOUSE_OWNER = "house"
"""The operator's own account; no registration can have it."""


Kind = Literal["remote", "hosted"]
"""Who plays an agent: its owner's bot, or the arena's runner."""


class Identity(msgspec.Struct, frozen=True):
    """An agent, in the version that plays now."""

    agent: str
    name: str
    version: str
    owner: str
    hosted: bool = False
    """Played by the arena's own runner, not by its owner's bot."""
    runner: bool = False
    """The key that was sent is the arena's runner's; never set where no key was."""

    @property
    def kind(self) -> Kind:
        return "hosted" if self.hosted else "remote"


def new_id() -> str:
    """A fresh ULID: 26 characters, ordered by time."""
    return str(ULID())


def new_key() -> str:
    """A fresh API key, 256 bits. Shown once; only `key_hash` of it is kept."""
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    # One key in 10^11 would read as a login, and open nothing.
    return new_key() if is_login(key) else key


def new_login() -> str:
    """A fresh opaque session token, 256 bits; only `key_hash` of it is kept."""
    return LOGIN_PREFIX + secrets.token_urlsafe(32)


def is_login(credential: str) -> bool:
    """Whether it has the form of a session token rather than of a key."""
    return credential.startswith(LOGIN_PREFIX)


def key_hash(key: str) -> str:
    """What is stored of a key. A plain SHA-256: the key is random, so there is nothing to guess."""
    return hashlib.sha256(key.encode()).hexdigest()
