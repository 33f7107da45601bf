"""One open tournament as its spectator has it. Pure: takes messages, returns the next `Watched`."""

from __future__ import annotations

import msgspec

from server.protocol import Snapshot, TournamentView, Update
from tui_client.place import Place

ASK_AGAIN_MS = 2_000


class Watched(msgspec.Struct, frozen=True):
    tournament: str
    place: Place = Place()
    view: TournamentView | None = None
    trouble: str = ""
    """Why it cannot be watched for now, e.g. the arena does not know it (yet)."""
    refused_ms: int = 0
    """When we were told so, on our clock."""
    cursor: str | None = None
    """The selected live session."""


def channel(tournament: str) -> str:
    return f"tournament:{tournament}"


def with_message(watched: Watched, message: Snapshot | Update) -> Watched:
    """After a message of its channel; its view says all."""
    if isinstance(message, Snapshot):
        return _seen(watched, watched.place.at_snapshot(message), message.view)
    if watched.place.fresh(message) is None:
        return msgspec.structs.replace(watched, place=watched.place.after_gap(message))
    position = watched.place.position
    stale = position is not None and message.offset < position.offset
    return _seen(watched, watched.place.after(message), None if stale else message.view)


def refused(watched: Watched, reason: str, now_ms: int) -> Watched:
    """The arena does not let us follow it."""
    return msgspec.structs.replace(watched, trouble=reason, refused_ms=now_ms)


def patient(watched: Watched, now_ms: int) -> Watched:
    """Asks again after a while: a tournament that was just made has no channel before its first game."""
    if not watched.trouble or now_ms - watched.refused_ms < ASK_AGAIN_MS:
        return watched
    return msgspec.structs.replace(watched, trouble="", place=Place())


def _seen(watched: Watched, place: Place, view: object) -> Watched:
    if not isinstance(view, TournamentView):
        return msgspec.structs.replace(watched, place=place)
    live = [game.session for game in view.live]
    cursor = watched.cursor if watched.cursor in live else (live[0] if live else None)
    return msgspec.structs.replace(watched, place=place, view=view, cursor=cursor, trouble="")


def moved(watched: Watched, by: int) -> Watched:
    """The cursor moved over the live games."""
    live = [game.session for game in watched.view.live] if watched.view else []
    if not live:
        return watched
    at = live.index(watched.cursor) if watched.cursor in live else 0
    chosen = live[min(len(live) - 1, max(0, at + by))]
    return msgspec.structs.replace(watched, cursor=chosen)
