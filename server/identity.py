"""Who a key speaks for, and the making of ids and keys."""

from __future__ import annotations

import hashlib
import secrets

import msgspec
from ulid import ULID

KEY_PREFIX = "agon_"
HOUSE_OWNER = "house"
"""The operator's own account; no registration can have it."""


class Identity(msgspec.Struct, frozen=True):
    """An agent, in the version that plays now."""

    agent: str
    name: str
    version: str
    owner: str
    hosted: bool = False
    """Played by the arena's own runner, not by its owner's bot."""


def new_id() -> str:
    """A fresh ULID: 26 characters, ordered by time."""
    return str(ULID())


def new_key() -> str:
    """A fresh API key, 256 bits. Shown once; only `key_hash` of it is kept."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def key_hash(key: str) -> str:
    """What is stored of a key. A plain SHA-256: the key is random, so there is nothing to guess."""
    return hashlib.sha256(key.encode()).hexdigest()
