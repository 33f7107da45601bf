"""One channel at one point in time, and everybody who follows it there. Synchronous.

A session without spectator delay has one stream. With a delay it has two: the live one for its
seats, and a late one for everybody else, which is fed from a delay line and is otherwise the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from server.channel import UNBORN, Gap, History, Item, Start, joined
from server.gateway.connection import Peer
from server.gateway.frames import Codec
from server.gateway.render import Visible, catch_up, update, writing
from server.live.records import Appended, Piece
from server.protocol import Position, ServerMessage


class Audience:
    """The members of a stream who are sent the same bytes: one viewer, one subprotocol."""

    __slots__ = ("codec", "members", "viewer")

    def __init__(self, viewer: int | None, codec: Codec) -> None:
        self.viewer = viewer
        self.codec = codec
        self.members: set[Peer] = set()


class Step(NamedTuple):
    """What one tick did to a stream."""

    writes: list[tuple[Audience, bytes]]
    passed: list[Item]
    """The items that took effect, without what was known before."""
    gap: bool
    """Something is missing: the log must be read again."""


class Stream:
    def __init__(self, channel: str, limit: int, visible: Visible) -> None:
        self.channel = channel
        self.history: History | None = None
        """None until the first Start: subscribers wait for it."""
        self.audiences: dict[tuple[int | None, str], Audience] = {}
        self.queue: list[Item] = []
        """What arrived since the last tick."""
        self._limit = limit
        self._visible = visible

    def __len__(self) -> int:
        return sum(len(audience.members) for audience in self.audiences.values())

    def join(self, peer: Peer, viewer: int | None) -> Audience:
        key = (viewer, peer.codec.name)
        audience = self.audiences.get(key)
        if audience is None:
            audience = self.audiences[key] = Audience(viewer, peer.codec)
        audience.members.add(peer)
        return audience

    def owed(self, audience: Audience, since: Position | None, room: int) -> bytes:
        """The frames that bring a member at `since` up to date; none before the first Start.

        A replay larger than `room` bytes would look like a slow reader's backlog: a snapshot is sent
        in its place.
        """
        history = self.history
        if history is None:
            return b""
        frames = self._frames(audience, history.since(since))
        if since is not None and len(frames) > room:
            frames = self._frames(audience, history.afresh(resync=True))
        return frames

    def _frames(self, audience: Audience, owed: Any) -> bytes:
        assert self.history is not None
        codec = audience.codec
        messages = catch_up(
            self.channel, self.history, owed, audience.viewer, self._visible, codec.view
        )
        return b"".join(codec.frame(message) for message in messages)

    def advance(self) -> Step:
        """Apply the queue and make one run of frames for each audience that has members."""
        queue, self.queue = self.queue, []
        mail: dict[Audience, list[bytes]] = {a: [] for a in self.audiences.values() if a.members}
        passed: list[Item] = []
        gap = False
        for item in joined(queue):
            fresh = self._apply(item)
            if fresh is None:
                # The rest of the queue lies after the gap and will be read from the log with it.
                gap = True
                break
            if isinstance(fresh, Appended) and not fresh.events:
                continue
            passed.append(fresh)
            if mail:
                self._post(mail, fresh)
        writes = [(audience, b"".join(frames)) for audience, frames in mail.items() if frames]
        return Step(writes, passed, gap)

    def _apply(self, item: Item) -> Item | None:
        """Take the item into the history; what of it is new, or None at a gap."""
        if isinstance(item, Start):
            self.history = History.begun(item, self._limit)
            return item
        if isinstance(item, Piece):
            return item
        if self.history is None:
            return None
        taken = self.history.take(item)
        if isinstance(taken, Gap):
            return None
        return msgspec.structs.replace(item, first=taken.first, events=taken.events)

    def _post(self, mail: dict[Audience, list[bytes]], item: Item) -> None:
        """Encode an item once for each viewer and subprotocol."""
        for audience, frames in mail.items():
            frames.extend(audience.codec.frame(each) for each in self._told(item, audience))

    def _told(self, item: Item, audience: Audience) -> list[ServerMessage]:
        history, viewer, show = self.history, audience.viewer, audience.codec.view
        if isinstance(item, Piece):
            return [writing(item)]
        assert history is not None
        if isinstance(item, Start):
            owed = history.afresh(resync=item.resync)
            return catch_up(self.channel, history, owed, viewer, self._visible, show)
        return [update(self.channel, history, item.first, item.events, viewer, self._visible, show)]

    @property
    def unborn(self) -> bool:
        return self.history is not None and self.history.epoch == UNBORN
