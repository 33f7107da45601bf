"""The boards with which a season ended, as they are kept and shown."""

from __future__ import annotations

import msgspec

from server.official.document import OfficialBoard
from server.protocol import BoardView


class FinalBoard(msgspec.Struct, frozen=True):
    season: int
    space: str
    ended_ms: int
    """Unix milliseconds."""
    live: BoardView
    """By live ratings, before the new season brought them closer together."""
    official: OfficialBoard | None
    """The newest that had been made by then; null where there was none."""
