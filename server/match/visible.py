"""The one filter between a session's log and those who watch it."""

from __future__ import annotations

from server.live.records import LogEvent
from server.protocol import Event


def visible(event: LogEvent, offset: int, viewer: int | None) -> Event:
    """The event as a seat, or the public (None), may see it at its offset in the log.

    Whatever one seat alone may read is a `sealed` event to all others, with nothing but its turn and
    seat: also the refusal of a sealed action, since its reason may quote the action.
    """
    if event.secret_to is None or event.secret_to == viewer:
        return Event(offset, event.t, event.type, event.by, event.body)
    body = {"turn": event.body["turn"], "seat": event.secret_to}
    return Event(offset, event.t, "sealed", event.by, body)
