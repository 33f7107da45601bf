"""What a viewer is told: from events and views of a channel to messages of the protocol. Pure.

`Visible` (`server.match.visible`) is the one filter of events; views arrive filtered from the host.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from server.channel import Afresh, History, Replay
from server.live.records import LogEvent, Piece, ViewSet
from server.protocol import (
    AgentView,
    BoardView,
    CourtView,
    Event,
    LobbyView,
    PinsView,
    SeatCard,
    ServerMessage,
    SessionView,
    Snapshot,
    Update,
    View,
    Writing,
)

Visible = Callable[[LogEvent, int, int | None], Event]
"""(event, offset, viewer: a seat or None for the public) -> what that viewer may see of it."""


Show = Callable[[msgspec.Raw], View]
"""From a packed view to what the viewer's codec takes of it."""


def empty_view(channel: str) -> View | None:
    """The state of a channel whose log does not exist yet; None where that means: unknown."""
    kind, _, name = channel.partition(":")
    if kind == "lobby":
        return LobbyView(live=[], recent=[], queues=[])
    if kind == "pins":
        return PinsView(tasks=[], replicas=0)
    if kind == "court":
        return CourtView(cases=[])
    if kind == "leaderboard":
        return BoardView(space=name, rows=[])
    if kind == "agent":
        return AgentView(agent=name, seated=[], offers=[], tickets=[])
    return None


def seats_of(views: ViewSet) -> dict[str, SeatCard]:
    """The seats by their agents; none for what is no session."""
    view = views.public
    return {card.agent: card for card in view.seats} if isinstance(view, SessionView) else {}


def update(
    channel: str,
    history: History,
    first: int,
    events: Sequence[LogEvent],
    viewer: int | None,
    visible: Visible,
    show: Show,
) -> Update:
    """Events from `first` on; with the view when the views are as new as the last of them."""
    last = first + len(events) - 1
    current = history.views.offset == last
    return Update(
        channel=channel,
        epoch=history.epoch,
        offset=last,
        events=[visible(event, offset, viewer) for offset, event in enumerate(events, first)],
        view=show(history.views.packed(viewer)) if current else None,
    )


def catch_up(
    channel: str,
    history: History,
    owed: Replay | Afresh,
    viewer: int | None,
    visible: Visible,
    show: Show,
) -> list[ServerMessage]:
    """The messages that bring one subscriber up to date."""
    if isinstance(owed, Replay):
        if not owed.events:
            return []
        return [update(channel, history, owed.first, owed.events, viewer, visible, show)]
    messages: list[ServerMessage] = [
        Snapshot(
            channel=channel,
            epoch=history.epoch,
            offset=owed.views.offset,
            view=show(owed.views.packed(viewer)),
            resync=owed.resync,
        )
    ]
    if owed.tail:
        first = owed.views.offset + 1
        messages.append(update(channel, history, first, owed.tail, viewer, visible, show))
    return messages


def writing(piece: Piece) -> Writing:
    return Writing(
        channel=piece.channel, seat=piece.seat, turn=piece.turn, at=piece.at, text=piece.text
    )
