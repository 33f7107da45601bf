"""Who could be drawn, and how much each had at stake: the lists of a snapshot and their hash, as the registry keeps it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from eth_utils.address import to_checksum_address

from chain.court import encoding

MAX_JUDGES = 256


class Staked(msgspec.Struct, frozen=True):
    """One judge of a snapshot."""

    judge: str
    operator: str
    family: bytes
    """32 bytes, as `family_id` writes the family's name."""
    weight: int
    """FRAC bonded at that moment, in its smallest part."""


class Snapshot(msgspec.Struct, frozen=True):
    number: int
    judges: tuple[Staked, ...]
    """In the registry's order, which is the order of the draw."""

    def digest(self) -> bytes:
        """What the registry keeps: keccak256(abi.encode(judges, operators, families, weights)). Raises ValueError."""
        return encoding.digest(
            [each.judge for each in self.judges],
            [each.operator for each in self.judges],
            [each.family for each in self.judges],
            [each.weight for each in self.judges],
        )


def snapshot_of(
    number: int,
    judges: Sequence[str],
    operators: Sequence[str],
    families: Sequence[bytes],
    weights: Sequence[int],
) -> Snapshot:
    """From the lists, as the registry logs them. Raises ValueError where they are not of one length, or too long."""
    count = len(judges)
    if not len(operators) == len(families) == len(weights) == count <= MAX_JUDGES:
        raise ValueError(f"a snapshot has four lists of the same length, at most {MAX_JUDGES}")
    rows = zip(judges, operators, families, weights, strict=True)
    return Snapshot(
        number,
        tuple(
            Staked(to_checksum_address(judge), to_checksum_address(operator), bytes(family), weight)
            for judge, operator, family, weight in rows
        ),
    )


def family_id(name: str) -> bytes:
    """A family's name for the registry: ASCII, padded with zeros. Raises ValueError for one of more than 32 characters, or with
    others than ASCII's printable ones."""
    raw = name.encode("ascii", "replace")
    if not 1 <= len(raw) <= encoding.WORD or not (name.isascii() and name.isprintable()):
        raise ValueError(f"a family has 1 to {encoding.WORD} ASCII characters, got {name[:60]!r}")
    return raw.ljust(encoding.WORD, b"\0")


def family_name(family: bytes) -> str:
    """What `family_id` was made of; the hex of anything else, which a hostile judge may have registered."""
    text = family.rstrip(b"\0").decode("ascii", "replace")
    return text if text and text.isascii() and text.isprintable() else family.hex()
