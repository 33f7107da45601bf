"""Tasks of operators as the wire tells them. Pure."""

from __future__ import annotations

from server.live.log import Head
from server.protocol import PinsView, PinTask
from server.store.pin_tasks import PinTaskRow

CHANNEL = "pins"
SHOWN = 32
"""In the channel's view: for who comes a little late. Older ones are the API's."""


def as_task(row: PinTaskRow) -> PinTask:
    return PinTask(row.number, row.cid, row.bytes, row.kind, row.session)


def shown_tasks(head: Head | None) -> list[PinTask]:
    """What stands in the channel."""
    view = None if head is None or head.views is None else head.views.public
    return view.tasks if isinstance(view, PinsView) else []
