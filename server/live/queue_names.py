"""The names of queues, tickets and offers.

A queue is one Space and one entry fee. Its tickets and offers are named `<space>.<tier>.<ulid>`, so
that their names say where they lie and no index is needed; the last part of an offer's name is the
id of the session that it becomes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from server.identity import new_id
from spaces import registry

_MAX_ID = 112
"""Characters of `protocol.TicketId`."""


class Queue(NamedTuple):
    """One Space at one entry fee."""

    space: str
    tier_micros: int

    @property
    def key(self) -> str:
        return f"{self.space}/{self.tier_micros}"

    def new_name(self) -> str:
        """A fresh name for a ticket or an offer of this queue."""
        name = f"{self.space}.{self.tier_micros}.{new_id()}"
        if len(name) > _MAX_ID:
            raise ValueError(f"space {self.space!r} is too long a name for a queue")
        return name

    @classmethod
    def of(cls, name: str) -> Queue:
        """Where a ticket or an offer lies. Raises ValueError for a name that is none of ours."""
        space, tier, _ = name.rsplit(".", 2)
        if not (tier.isascii() and tier.isdigit() and len(tier) <= len(str(10**12))):
            raise ValueError(f"no tier in {name!r}")
        return cls(space, int(tier))


def known_queues(tiers_open: Sequence[int]) -> tuple[Queue, ...]:
    """One for each registered Space and open tier."""
    return tuple(Queue(space.id, tier) for space in registry.offered() for tier in tiers_open)


def session_of(offer: str) -> str:
    """The id of the session that an offer becomes: one offer, one session, whoever forms it."""
    return offer.rpartition(".")[2]
