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
from tui_client.recording.cast import (
    BOARD,
    EMBER,
    EPOCH,
    FIVE,
    FROSTBITE,
    GREEDY,
    MARKET,
    QUESTIONS,
    RAP,
    SOLVER,
    START_MS,
)
from tui_client.recording.game import (
    AUCTIONS,
    REGRET,
    board_auction,
    board_regret,
    board_start,
    board_view,
)
from tui_client.recording.puzzles import (
    ASKED,
    PUZZLES,
    logic_answers,
    logic_reveal,
    logic_start,
    logic_view,
)

__all__ = [
    "ASKED", "AUCTIONS", "BOARD", "EMBER", "EPOCH", "FIVE", "FROSTBITE", "GREEDY", "MARKET", "PUZZLES",
    "QUESTIONS", "RAP", "REGRET", "SOLVER",
    "START_MS",
    "TOPIC", "VERDICT", "VERSES", "board_auction", "board_regret", "board_start", "board_view", "lobby",
    "lobby_start", "logic_answers", "logic_reveal", "logic_start", "logic_view", "rap_ending", "rap_start", "rap_verse", "rap_view", "rap_writing", "standings",
    "welcome",
]  # fmt: skip
