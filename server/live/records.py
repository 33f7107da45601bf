"""What lies in Redis, as Structs: the session's record, its events, and the items of the feed.

These are ours alone and travel as MessagePack between our own processes; clients see
`server.protocol`. Nothing here is ever sent to a client unfiltered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from server.identity import Kind
from server.protocol import SessionView, View


class SeatRecord(msgspec.Struct, frozen=True):
    seat: int
    agent: str
    name: str
    version: str
    owner: str
    salt: bytes
    """32 bytes; `commit` in the transcript is SHA-256(salt || utf8(version))."""
    rating_milli: int | None = None
    ticket: str | None = None
    """The ticket whose entry is spent on this seat; None where nothing is paid, as in a tournament."""
    kind: Kind | None = None
    """Who plays it to its end, as the agent's kind was when it was queued; None: whoever has a key of it."""


class SessionRecord(msgspec.Struct, frozen=True):
    """What a session was formed with. Written once, before event 0. Secret: it holds the seed."""

    session: str
    space: str
    rules: str
    params: dict[str, Any]
    tier_micros: int
    opened_ms: int
    seed: bytes
    seats: tuple[SeatRecord, ...]
    spectator_delay_ms: int = 0
    opening: str = ""
    """The transaction in which the escrow took the entries, where settlement is a chain: 0x and hex. It is known when the
    live log is opened, not when the session is formed, so the record in SQL has none."""
    gate: str = ""
    """The gate that it is a match of: a candidate is being tested, so it moves no rating."""


class LogEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event of a channel's log; its offset is its place.

    `secret_to` names the one seat that may read `body` before a later `reveal`; everybody else is
    sent a `sealed` event in its place, at the same offset.
    """

    t: int
    by: str
    type: str
    body: dict[str, Any] = {}
    secret_to: int | None = None
    act: str | None = None
    """The client-made id of the action that this event accepts (`action`) or refuses (`fault`)."""


_pack = msgspec.msgpack.Encoder().encode
open_view: Callable[[bytes | msgspec.Raw], View] = msgspec.msgpack.Decoder(View).decode
_open_session = msgspec.msgpack.Decoder(SessionView).decode


class ViewSet(
    msgspec.Struct,
    frozen=True,
    omit_defaults=True,
    rename={"packed_public": "public", "packed_seats": "seats"},
):
    """A channel's state after its last event: for the public and, in a session, for each seat.

    Views are packed once, by who makes them (`of`); most who pass them on need to open none, or one.
    """

    offset: int
    packed_public: msgspec.Raw
    packed_seats: tuple[msgspec.Raw, ...] = ()

    @classmethod
    def of(cls, offset: int, public: View, seats: Iterable[SessionView] = ()) -> ViewSet:
        """Raises TypeError, ValueError or OverflowError where a view cannot be packed."""
        return cls(
            offset, msgspec.Raw(_pack(public)), tuple(msgspec.Raw(_pack(each)) for each in seats)
        )

    def packed(self, viewer: int | None) -> msgspec.Raw:
        """The seat's own view, or the public one (also for a seat, where workers wrote the views)."""
        if viewer is not None and viewer < len(self.packed_seats):
            return self.packed_seats[viewer]
        return self.packed_public

    def view(self, viewer: int | None) -> View:
        """Opened, each time that it is asked for. Raises msgspec.ValidationError."""
        return open_view(self.packed(viewer))

    @property
    def public(self) -> View:
        return self.view(None)

    @property
    def seats(self) -> tuple[SessionView, ...]:
        return tuple(_open_session(each) for each in self.packed_seats)


class Appended(msgspec.Struct, frozen=True, tag="appended"):
    """Events `first` .. `first + len(events) - 1` are in the log, durably."""

    channel: str
    epoch: str
    first: int
    events: tuple[LogEvent, ...]
    views: ViewSet | None = None


class Piece(msgspec.Struct, frozen=True, tag="piece"):
    """Part of an answer being written. Ephemeral."""

    channel: str
    seat: int
    turn: int
    at: int
    text: str


class Reply(msgspec.Struct, frozen=True, tag="reply"):
    """A refusal that is not an event (out of turn, stale, over): for the gateway that asked."""

    gateway: str
    act: str
    session: str
    code: str
    reason: str
    seat: int = -1
    """Whose action it was, for two seats may choose the same id; -1 where the writer does not say."""


FeedItem = Appended | Piece | Reply


class Inbound(msgspec.Struct, frozen=True):
    """An action, or an `abandon`, on its way to the host. Delivered at least once; `act` makes it harmless."""

    session: str
    seat: int
    act: str
    turn: int
    text: str
    gateway: str
    abandon: bool = False
    """The seat's host has failed: instead of an answer, `text` is the reason to void the session."""
    void: bool = False
    """An admin voids the session, for the reason `text`. Only `server.jobs.void` says so: what clients send
    has no word for it, and gateways never set it."""


class TicketRecord(msgspec.Struct, frozen=True):
    ticket: str
    agent: str
    name: str
    version: str
    owner: str
    space: str
    tier_micros: int
    mu_milli: int
    sigma_milli: int
    joined_ms: int
    kind: Kind | None = None
    """Of the agent, when it was queued."""


class OfferRecord(msgspec.Struct, frozen=True):
    """A proposed session, waiting for every seat to confirm."""

    offer: str
    space: str
    tier_micros: int
    tickets: tuple[TicketRecord, ...]
    confirmed: tuple[str, ...]
    """Agents that have confirmed."""
    expires_ms: int
