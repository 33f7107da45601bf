"""Share links: tokens, who looks, and the challenge that makes a view a verified one. Pure.

A view is verified when whoever opened the link comes back with the challenge he was handed, from the same
network, after a while. The challenge needs no row of its own: it is the time, signed with the day's
secret for this link and this network. What that does not prove stands in `docs/points.md`.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import re
import secrets

from server.days import day_of
from server.points import VIEW_S

TOKEN_CHARS = 22
"""128 bits in base64url."""
SECRET_BYTES = 32
CHALLENGE_S = 3_600
"""A challenge that is older is worth nothing."""
_CHALLENGE = re.compile(r"(0|[1-9][0-9]{0,15})\.([0-9a-f]{64})", re.ASCII)


class Answer(enum.Enum):
    """What a challenge that comes back is worth."""

    VERIFIED = "verified"
    EARLY = "early"
    """It is genuine, and not old enough yet: come again later with the same."""
    STALE = "stale"
    """It is too old, or of another day: take a new one."""
    FORGED = "forged"
    """Of another link or network, or made up."""


def new_token() -> str:
    """What stands in a link; nobody guesses it."""
    return secrets.token_urlsafe(16)


def viewer_of(secret: bytes, account: str, network: str) -> str:
    """Who looks, as it is kept: 64 hex characters, the same for all links of one account.

    `secret` is the day's: once it is forgotten nobody can find the network again by trying them all.
    """
    return _mac(secret, "viewer", account, network)


def challenge(secret: bytes, token: str, viewer: str, now_ms: int) -> str:
    """What the viewer sends back once VIEW_S have gone by; at most 81 characters."""
    return f"{now_ms}.{_mac(secret, 'challenge', token, viewer, str(now_ms))}"


def answer(secret: bytes, token: str, viewer: str, given: str, now_ms: int) -> Answer:
    """What `given` proves. Idempotent; that a view counts once is the store's to see to."""
    match = _CHALLENGE.fullmatch(given)
    if match is None:
        return Answer.FORGED
    made_ms, age_ms = int(match[1]), now_ms - int(match[1])
    if day_of(min(made_ms, now_ms)) != day_of(now_ms) or age_ms > CHALLENGE_S * 1_000:
        return Answer.STALE  # its secret is not today's, so nothing else can be said of it
    if not hmac.compare_digest(given, challenge(secret, token, viewer, made_ms)):
        return Answer.FORGED
    return Answer.VERIFIED if age_ms >= VIEW_S * 1_000 else Answer.EARLY


def _mac(secret: bytes, *parts: str) -> str:
    message = b"".join(len(part.encode()).to_bytes(4) + part.encode() for part in parts)
    return hmac.new(secret, message, hashlib.sha256).hexdigest()
