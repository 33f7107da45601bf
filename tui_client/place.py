"""A client's place on a channel: what continues it, what it has already seen, and what is a gap.

Pure. The rule that the whole client rests on: an update is folded only when its first new event
follows the last one seen, in the same epoch. Anything else asks for the channel again.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from server.protocol import Event, Position, Snapshot, Update


class Place(msgspec.Struct, frozen=True):
    """Where a channel's reader stands. A fresh one has seen nothing."""

    position: Position | None = None
    asks: int = 0
    """How often the channel had to be asked for again; the connection sends a subscribe for each."""
    lost: bool = False
    """A gap was met: nothing is folded until the channel has answered the new subscribe."""

    def at_snapshot(self, message: Snapshot) -> Place:
        """The place after a snapshot, which is a fresh start wherever it came from."""
        position = Position(epoch=message.epoch, offset=message.offset)
        return Place(position, self.asks)

    def fresh(self, message: Update) -> Sequence[Event] | None:
        """The events of an update that are new here, or None when they do not continue this place."""
        if self.position is None or message.epoch != self.position.epoch:
            return None
        last = self.position.offset
        new = [event for event in message.events if event.offset > last]
        expected = list(range(last + 1, message.offset + 1))
        return new if [event.offset for event in new] == expected else None

    def after(self, message: Update) -> Place:
        """The place after an update whose events were folded (or were all known)."""
        assert self.position is not None, "only a placed reader folds updates"
        offset = max(self.position.offset, message.offset)
        return Place(Position(epoch=message.epoch, offset=offset), self.asks)

    def after_gap(self, message: Update) -> Place:
        """The place after an update that does not continue it: ask once, from where it stands.

        Another epoch is another life of the log, so the old position is worth nothing there.
        """
        if self.lost or self.position is None:
            return self
        keep = self.position if message.epoch == self.position.epoch else None
        return Place(keep, self.asks + 1, lost=True)
