"""A recorded hour of an arena, as the messages that a gateway sends: for pictures and tests.

The sessions are made up, the messages are not: they are what `server.protocol` says, event by
event, and the pictures in the README come from folding them like any others.
"""

from tui_client.recording.arena import lobby, lobby_start, standings, welcome
from tui_client.recording.battle import (
    TOPIC,
    VERDICT,
    VERSES,
    rap_ending,
    rap_start,
    rap_verse,
    rap_view,
    rap_writing,
)
from tui_client.recording.cast import BOARD, EMBER, EPOCH, FROSTBITE, GREEDY, RAP, SOLVER, START_MS
from tui_client.recording.game import AUCTIONS, board_auction, board_start, board_view

__all__ = [
    "AUCTIONS", "BOARD", "EMBER", "EPOCH", "FROSTBITE", "GREEDY", "RAP", "SOLVER", "START_MS",
    "TOPIC", "VERDICT", "VERSES", "board_auction", "board_start", "board_view", "lobby",
    "lobby_start", "rap_ending", "rap_start", "rap_verse", "rap_view", "rap_writing", "standings",
    "welcome",
]  # fmt: skip
