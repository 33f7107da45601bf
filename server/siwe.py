"""Sign-In with Ethereum, EIP-4361: the message that a wallet signs, read and written to the letter. Pure.

The reader takes the EIP's ABNF and nothing besides, and is one-to-one: what it accepts, `render` gives back to
the byte, so two texts never mean the same. It is stricter than the ABNF where no honest client is hurt: no
user info in an authority, no leading zero in a chain id, no leap second, bounded length. Whether a message
is *ours*, and still good, is for `server.signin`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from server import siwe_grammar as grammar
from server.siwe_grammar import PREAMBLE

MAX_CHARS = 4_096
T = TypeVar("T")


class InvalidMessage(ValueError):
    """No EIP-4361 message; says which line, what was expected and what stands there."""


class SignInMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What the wallet's owner agrees to. Version 1, the only one. Every string is as it was written."""

    scheme: str | None = None
    domain: str
    """The authority (RFC 3986) that asks for the signature."""
    address: str
    """The wallet's, in EIP-55 spelling."""
    statement: str | None = None
    uri: str
    chain_id: int
    nonce: str
    issued_at: str
    """RFC 3339, as the next two."""
    expiration_time: str | None = None
    not_before: str | None = None
    request_id: str | None = None
    resources: tuple[str, ...] | None = None

    @property
    def issued_ms(self) -> int:
        """Unix milliseconds, rounded down, as the next two."""
        return grammar.unix_ms_of(self.issued_at)

    @property
    def expires_ms(self) -> int | None:
        return None if self.expiration_time is None else grammar.unix_ms_of(self.expiration_time)

    @property
    def not_before_ms(self) -> int | None:
        return None if self.not_before is None else grammar.unix_ms_of(self.not_before)


def parse(text: str) -> SignInMessage:
    """The message that `text` is, all of it. Raises InvalidMessage."""
    if len(text) > MAX_CHARS:
        raise InvalidMessage(f"the message has more than {MAX_CHARS} characters")
    lines = _Lines(text)
    scheme, domain = lines.take(f"domain{PREAMBLE}", grammar.origin_of)
    address = lines.take("an address in EIP-55 spelling", grammar.address_of)
    lines.take("an empty line", grammar.empty)
    statement = lines.take("a statement or an empty line", grammar.statement_of)
    if statement is not None:
        lines.take("an empty line", grammar.empty)
    uri = lines.field("URI", "a URI", grammar.uri_of)
    lines.field("Version", "1", grammar.version_of)
    message = SignInMessage(
        scheme=scheme,
        domain=domain,
        address=address,
        statement=statement,
        uri=uri,
        chain_id=lines.field("Chain ID", "a number above 0", grammar.chain_id_of),
        nonce=lines.field("Nonce", "8 to 128 letters and digits", grammar.nonce_of),
        issued_at=lines.field("Issued At", grammar.A_TIME, grammar.time_of),
        expiration_time=lines.optional("Expiration Time", grammar.A_TIME, grammar.time_of),
        not_before=lines.optional("Not Before", grammar.A_TIME, grammar.time_of),
        request_id=lines.optional("Request ID", "characters of a path", grammar.request_id_of),
        resources=_resources(lines),
    )
    lines.end()
    return message


def render(message: SignInMessage) -> str:
    """The text to sign. `parse` gives the message back. Raises InvalidMessage where it has no text."""
    text = "\n".join(_written(message))
    # A line feed in a field would be a line of its own: only what reads back the same was meant.
    if parse(text) != message:
        raise InvalidMessage("a field of the message holds what it cannot hold")
    return text


class _Lines:
    """The text's lines, taken one by one. Only a line feed ends a line."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._next = 0

    def take(self, expected: str, read: Callable[[str], T]) -> T:
        line = self._lines[self._next] if self._next < len(self._lines) else None
        self._next += 1
        try:
            if line is not None:
                return read(line)
        except ValueError:
            pass
        found = "the message ends" if line is None else f"found {line[:60]!r}"
        raise InvalidMessage(f"line {self._next}: expected {expected}; {found}")

    def field(self, name: str, expected: str, read: Callable[[str], T]) -> T:
        return self.take(f"`{name}: ` and {expected}", lambda line: read(_after(f"{name}: ", line)))

    def optional(self, name: str, expected: str, read: Callable[[str], T]) -> T | None:
        return self.field(name, expected, read) if self.begins(f"{name}: ") else None

    def begins(self, prefix: str) -> bool:
        return self._next < len(self._lines) and self._lines[self._next].startswith(prefix)

    def left(self) -> bool:
        return self._next < len(self._lines)

    def end(self) -> None:
        if self.left():
            self.take("nothing more", _nothing)


def _after(prefix: str, line: str) -> str:
    if not line.startswith(prefix):
        raise ValueError(line)
    return line.removeprefix(prefix)


def _nothing(line: str) -> None:
    raise ValueError(line)


def _resources(lines: _Lines) -> tuple[str, ...] | None:
    if not lines.begins("Resources:"):
        return None
    lines.take("`Resources:`", lambda line: grammar.empty(_after("Resources:", line)))
    found = []
    while lines.left():
        found.append(lines.take("`- ` and a URI", lambda line: grammar.uri_of(_after("- ", line))))
    return tuple(found)


def _written(message: SignInMessage) -> list[str]:
    origin = message.domain if message.scheme is None else f"{message.scheme}://{message.domain}"
    lines = [origin + PREAMBLE, message.address, ""]
    lines += [""] if message.statement is None else [message.statement, ""]
    fields = {
        "URI": message.uri,
        "Version": "1",
        "Chain ID": str(message.chain_id),
        "Nonce": message.nonce,
        "Issued At": message.issued_at,
        "Expiration Time": message.expiration_time,
        "Not Before": message.not_before,
        "Request ID": message.request_id,
    }
    lines += [f"{name}: {value}" for name, value in fields.items() if value is not None]
    if message.resources is not None:
        lines += ["Resources:", *(f"- {resource}" for resource in message.resources)]
    return lines
