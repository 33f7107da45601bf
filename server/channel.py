"""What a gateway remembers of a channel, and what a (re)subscriber is owed. Pure.

The resume rule is lila-ws's: replay only when every missed event is still held, else start over from
a snapshot; never a part. Offsets are contiguous by construction: whatever would leave a hole is
refused and answered `Gap`, and it is the shell's business to read the log again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Generic, TypeVar

import msgspec

from server.live.records import Appended, LogEvent, Piece, ViewSet
from server.protocol import Position

UNBORN = "none"
"""The epoch of a channel whose log does not exist yet; its position is offset -1."""

MAX_MERGED_CHARS = 8_192
"""Pieces of one answer that arrive together are joined up to this many characters."""


class Replay(msgspec.Struct, frozen=True):
    """All missed events, from offset `first` on; none when nothing was missed."""

    first: int
    events: tuple[LogEvent, ...]


class Afresh(msgspec.Struct, frozen=True):
    """A snapshot at `views.offset`, then the `tail` of events that continue it."""

    views: ViewSet
    tail: tuple[LogEvent, ...]
    resync: bool
    """The subscriber had a position, and some of what it missed is gone."""


class Start(msgspec.Struct, frozen=True):
    """Begin (again) with this state: a channel was opened, or its past cannot be continued."""

    epoch: str
    views: ViewSet
    first: int
    """Offset of the first of `older`."""
    older: tuple[LogEvent, ...]
    """Events up to `views.offset`, for those who resume."""
    resync: bool
    """Subscribers were told of a state that this one does not continue."""


Item = Start | Appended | Piece
"""What moves a channel on."""


class Gap(msgspec.Struct, frozen=True):
    """The batch does not continue this history: another epoch, or events are missing before it."""


class History:
    """The last events of one channel, contiguous, and the views after (nearly) the last of them.

    Invariant: every event after `views.offset` is held, so a snapshot can always be continued.
    """

    __slots__ = ("_acts", "_events", "_limit", "epoch", "next", "views")

    def __init__(self, epoch: str, views: ViewSet, limit: int) -> None:
        """An empty history that continues at `views.offset` + 1 and holds about `limit` events."""
        self.epoch = epoch
        self.views = views
        self.next = views.offset + 1
        """Offset of the event that comes next."""
        self._events: deque[LogEvent] = deque()
        self._limit = limit
        self._acts: dict[tuple[str, str], int] = {}

    @property
    def last(self) -> int:
        """Offset of the last event; -1 before the first."""
        return self.next - 1

    @property
    def first(self) -> int:
        """Offset of the oldest event that is held; `next` when none is."""
        return self.next - len(self._events)

    @classmethod
    def begun(cls, start: Start, limit: int) -> History:
        history = cls(start.epoch, start.views, limit)
        history._prepend(start.first, start.older)
        return history

    def _prepend(self, first: int, events: Sequence[LogEvent]) -> None:
        """Put older events before those held; what does not join is ignored."""
        older = events[: max(0, self.first - first)]
        if first + len(older) != self.first:
            return
        self._events.extendleft(reversed(older))
        self._index(first, older)
        self._trim()

    def take(self, item: Appended) -> Replay | Gap:
        """Continue with a batch of the feed; the answer holds what of it is new.

        A batch may come twice (the log was read again meanwhile): what is known is skipped.
        """
        if item.epoch != self.epoch or item.first > self.next:
            return Gap()
        at = self.next
        fresh = item.events[at - item.first :]
        self._events.extend(fresh)
        self._index(at, fresh)
        self.next += len(fresh)
        if item.views is not None and self.views.offset <= item.views.offset <= self.last:
            self.views = item.views
        self._trim()
        return Replay(at, fresh)

    def since(self, position: Position | None) -> Replay | Afresh:
        """What a subscriber at `position` (None: a new one) is owed to be up to date."""
        if position is None:
            return self.afresh(resync=False)
        behind = self.last - position.offset
        if position.epoch != self.epoch or not 0 <= behind <= len(self._events):
            return self.afresh(resync=True)
        return Replay(position.offset + 1, self._last(behind))

    def afresh(self, *, resync: bool) -> Afresh:
        return Afresh(self.views, self._last(self.last - self.views.offset), resync)

    def answer(self, by: str, act: str) -> tuple[int, LogEvent] | None:
        """The event that accepted or refused the action `act` of the author `by`, if held."""
        offset = self._acts.get((by, act))
        return None if offset is None else (offset, self._events[offset - self.first])

    def _last(self, count: int) -> tuple[LogEvent, ...]:
        return tuple(islice(self._events, len(self._events) - count, None))

    def _index(self, first: int, events: Iterable[LogEvent]) -> None:
        for offset, event in enumerate(events, first):
            if event.act is not None:
                self._acts[event.by, event.act] = offset

    def _trim(self) -> None:
        while len(self._events) > self._limit and self.first <= self.views.offset:
            offset = self.first
            gone = self._events.popleft()
            if gone.act is not None and self._acts.get((gone.by, gone.act)) == offset:
                del self._acts[gone.by, gone.act]


def joined(items: Iterable[Item]) -> Iterator[Item]:
    """The items of one tick on one channel with neighbours merged, in order.

    Batches that continue each other become one; so do pieces of the same answer. A piece never
    moves past a batch, so a reader meets it in the turn it belongs to.
    """
    held: Item | None = None
    for item in items:
        both = None if held is None else _join(held, item)
        if both is None and held is not None:
            yield held
        held = item if both is None else both
    if held is not None:
        yield held


def _join(left: Item, right: Item) -> Item | None:
    if isinstance(left, Piece) and isinstance(right, Piece):
        same = (left.seat, left.turn, left.at + len(left.text)) == (
            right.seat,
            right.turn,
            right.at,
        )
        if not same or len(left.text) + len(right.text) > MAX_MERGED_CHARS:
            return None
        return msgspec.structs.replace(left, text=left.text + right.text)
    if isinstance(left, Appended) and isinstance(right, Appended):
        if left.epoch != right.epoch or left.first + len(left.events) != right.first:
            return None
        return msgspec.structs.replace(
            left, events=left.events + right.events, views=right.views or left.views
        )
    return None


T = TypeVar("T")


class DelayLine(Generic[T]):
    """Items on their way to spectators, each with the time at which it is let out.

    Order is kept even if the clock steps back: an item never overtakes the one before it.
    """

    __slots__ = ("_items", "_latest_ms")

    def __init__(self) -> None:
        self._items: deque[tuple[int, T]] = deque()
        self._latest_ms = 0

    def push(self, due_ms: int, item: T) -> None:
        self._latest_ms = max(self._latest_ms, due_ms)
        self._items.append((self._latest_ms, item))

    def due(self, now_ms: int) -> Iterator[T]:
        """Take out what is due by now, in order."""
        while self._items and self._items[0][0] <= now_ms:
            yield self._items.popleft()[1]

    def next_due(self) -> int | None:
        """When the next item is due (unix ms), or None when nothing waits."""
        return self._items[0][0] if self._items else None

    def __len__(self) -> int:
        return len(self._items)
