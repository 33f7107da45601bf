"""By which name an adapter is served: `<agent>@v<number>-<sha8>`, which is of one content for ever. Pure."""

from __future__ import annotations

import re

import msgspec

from chain.content.cid import Cid

_NAME = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]{0,63})@v([1-9][0-9]{0,5})-([0-9a-f]{8})")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}@v[1-9][0-9]{0,5}")


class NotAName(ValueError):
    """The text is no name of an adapter."""


class Served(msgspec.Struct, frozen=True):
    """A name, taken apart."""

    agent: str
    number: int
    """Of the agent's version."""
    sha8: str
    """The first eight hex digits of the card's SHA-256, which is in its CID."""

    def __str__(self) -> str:
        return f"{self.agent}@v{self.number}-{self.sha8}"


def served_name(agent: str, number: int, card: Cid) -> str:
    """What the version `number` of an agent, whose adapter has this card, is asked by. Raises NotAName."""
    return str(parse(f"{agent}@v{number}-{card.digest.hex()[:8]}"))


def of_version(version: str, card: Cid) -> str:
    """The same, of a version that is written `<agent>@v<number>`. Raises NotAName."""
    if not _VERSION.fullmatch(version):
        raise NotAName(f"{version[:80]!r} is no version: expected <agent>@v<number>")
    return f"{version}-{card.digest.hex()[:8]}"


def parse(text: str) -> Served:
    """Raises NotAName."""
    found = _NAME.fullmatch(text)
    if found is None:
        raise NotAName(f"{text[:80]!r} is no name of an adapter: expected <agent>@v<number>-<sha8>")
    agent, number, sha8 = found.groups()
    return Served(agent, int(number), sha8)
