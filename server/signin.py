"""Whether a sign-in message is ours, and still good. Pure: `server.siwe` has read it, `now_ms` is the clock.

The domain is what keeps a wallet's owner from signing in here for somebody else: a page or a program at
`evil.example` can have a message signed, but an honest wallet puts `evil.example` into it. So it is never
taken from what the request says of itself (`Host`), only from what the operator said.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from server import siwe_grammar as grammar
from server.siwe import SignInMessage

NONCE_TTL_S = 300
"""A nonce that was not used in this time is forgotten."""
MAX_AGE_MS = 10 * 60 * 1000
SKEW_MS = 60_000
"""How far the clock of a wallet may be ahead of ours."""
LOOPBACK = frozenset({"127.0.0.1", "localhost", "[::1]"})


class SignInRefused(ValueError):
    """A message that cannot be signed in with; `code` for programs."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Domains:
    """The domains that messages may be signed for."""

    def __init__(self, given: Sequence[str], host: str, port: int) -> None:
        """`given` by the operator, as `arena.example` or `arena.example:8443`. Without any: this machine
        under its loopback names and the `host` that the API listens on, at any port, which nobody from
        outside can make a wallet's owner visit."""
        self._given = tuple(domain.lower() for domain in given)
        self._port = port
        self._hosts = LOOPBACK | {f"[{host}]" if ":" in host else host}

    def accepts(self, domain: str) -> bool:
        domain = domain.lower()
        if self._given:
            return domain in self._given
        return host_of(domain) in self._hosts

    def suggested(self, host: str) -> str:
        """For the message that we propose: where the client says it has reached us, if that is ours."""
        with contextlib.suppress(ValueError):
            if self.accepts(grammar.authority_of(host)):
                return host
        return self._given[0] if self._given else f"localhost:{self._port}"


def host_of(authority: str) -> str:
    """`arena.example:8443` -> `arena.example`, `[::1]:80` -> `[::1]`."""
    return re.sub(":[0-9]+$", "", authority)


def check(message: SignInMessage, domains: Domains, *, chain_id: int, now_ms: int) -> None:
    """Raises SignInRefused where the message is another's, for another chain, or not good now."""
    if not domains.accepts(message.domain):
        said = f"the message signs in at {message.domain}, which is not this arena"
        raise SignInRefused("wrong-domain", said)
    uri = urlsplit(message.uri)
    if uri.scheme not in ("http", "https") or uri.netloc.lower() != message.domain.lower():
        said = f"the message's URI is not of its domain {message.domain}"
        raise SignInRefused("wrong-domain", said)
    if message.chain_id != chain_id:
        said = f"the message is for chain {message.chain_id}; this arena is on chain {chain_id}"
        raise SignInRefused("wrong-chain", said)
    _check_times(message, now_ms)


def _check_times(message: SignInMessage, now_ms: int) -> None:
    if message.issued_ms > now_ms + SKEW_MS:
        raise SignInRefused("stale-message", "the message was issued in the future; mend the clock")
    if message.issued_ms < now_ms - MAX_AGE_MS:
        raise SignInRefused("stale-message", "the message was issued too long ago; sign a new one")
    if message.expires_ms is not None and message.expires_ms <= now_ms:
        raise SignInRefused("stale-message", "the message has expired; sign a new one")
    if message.not_before_ms is not None and message.not_before_ms > now_ms:
        raise SignInRefused("stale-message", "the message is not good yet")
