"""Batches of events as the keys and arguments of the Lua scripts (`write.lua`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from server.live import keys
from server.live.records import LogEvent, ViewSet
from server.live.scripts import Call
from server.protocol import View

encode = msgspec.msgpack.Encoder().encode
_PUBLIC = encode("public")
_SEATS = encode("seats")
_APPENDED = encode("type") + encode("appended") + encode("channel")

MAX_BATCH = 1_024
"""Events of one batch."""
AT_ONCE = 32
"""Batches of one script: it runs for about 2 ms, and Redis does nothing else meanwhile."""


class Append(msgspec.Struct, frozen=True):
    """One batch of a session's host. `batch` is unique among the session's batches, whoever writes."""

    session: str
    mark: str
    """`keys.lease_mark` of the lease under which it is written."""
    batch: str
    events: Sequence[LogEvent]
    views: ViewSet | None
    seal: bool = False
    """The last batch of a host: the lease is gone for good with it."""
    first: int | None = None
    """The offset at which it must begin, if given: else it is refused like a fenced one."""


def append_calls(appends: Sequence[Append]) -> tuple[list[Call], list[list[int]]]:
    """The calls of append.lua, one for up to AT_ONCE sessions of a shard, and for each call which of
    `appends` it holds. Raises what encoding raises."""
    by_shard: dict[int, list[int]] = {}
    for place, append in enumerate(appends):
        by_shard.setdefault(session_keys(append.session).shard, []).append(place)
    calls: list[Call] = []
    places: list[list[int]] = []
    for shard, members in by_shard.items():
        for start in range(0, len(members), AT_ONCE):
            chunk = members[start : start + AT_ONCE]
            calls.append(_append_call(shard, [appends[place] for place in chunk]))
            places.append(chunk)
    return calls, places


def _append_call(shard: int, appends: Iterable[Append]) -> Call:
    names = [keys.feed(shard), keys.leases(shard), keys.lease_owners(shard)]
    args: list[Any] = limits(keys.SESSION_TTL_S)
    for append in appends:
        own = session_keys(append.session)
        names += own.names
        expected = -1 if append.first is None else append.first
        args += (append.session, append.mark, int(append.seal), expected)
        args += batch_args(own.constant, append.batch, append.events, append.views)
    return names, args


class SessionKeys(msgspec.Struct, frozen=True):
    """What of a session's calls never changes."""

    shard: int
    names: tuple[str, str, str, str]
    """log, meta, views, record"""
    constant: bytes


@lru_cache(maxsize=8_192)
def session_keys(session: str) -> SessionKeys:
    channel = keys.session_channel(session)
    log, meta, views = keys.log(channel), keys.meta(channel), keys.views(channel)
    names = (log, meta, views, keys.record(session))
    return SessionKeys(keys.shard(channel), names, constant_of(channel))


def constant_of(channel: str) -> bytes:
    """The entries of a channel's feed items that are always the same, packed."""
    return _APPENDED + encode(channel)


def limits(ttl_s: int) -> list[Any]:
    """The arguments with which those of every script begin."""
    return [keys.LOG_MAXLEN, keys.FEED_MAXLEN, ttl_s]


def batch_args(
    constant: bytes, batch: str, events: Sequence[LogEvent], views: View | ViewSet | None
) -> list[Any]:
    """The arguments that write.lua calls a batch."""
    if not 1 <= len(events) <= MAX_BATCH:
        raise ValueError(f"a batch has 1 to {MAX_BATCH} events, got {len(events)}")
    fields, tail = _without_offset(views)
    return [batch, fields, tail, constant, len(events), *map(encode, events)]


def _without_offset(views: View | ViewSet | None) -> tuple[int, bytes]:
    """The number of a ViewSet's entries besides its offset, and these entries packed."""
    if views is None:
        return 0, b""
    if not isinstance(views, ViewSet):
        return 1, _PUBLIC + encode(views)
    public = _PUBLIC + bytes(views.packed_public)
    if not views.packed_seats:
        return 1, public
    return 2, public + _SEATS + encode(views.packed_seats)
