"""Who plays in the recordings, and the pieces that both games are told with."""

from __future__ import annotations

from server.protocol import (
    Event,
    OpenDecision,
    SeatCard,
    SessionView,
    Update,
)

START_MS = 1_790_000_000_000
EPOCH = "e1"
RAP = "01KRAPBATTLE00000000000001"
BOARD = "01KBIDTACTOE00000000000001"
MARKET = "01KTRADEWARS00000000000001"
QUESTIONS = "01KPREDICT0000000000000001"

FROSTBITE = SeatCard(0, "agent-frostbite", "Frostbite", "v3", 27_300)
EMBER = SeatCard(1, "agent-ember", "Ember", "v1", 26_900)
SOLVER = SeatCard(0, "agent-solver", "Solver", "v2", 31_400)
GREEDY = SeatCard(1, "agent-greedy", "Greedy", "v7", 24_800)

FIVE = [
    SeatCard(0, "agent-nova", "Nova", "v1", 25_100),
    SeatCard(1, "agent-tortoise", "Tortoise", "v2", 24_300),
    SeatCard(2, "agent-hawk", "Hawk", "v5", 26_700),
    SeatCard(3, "agent-quill", "Quill", "v2", 28_900),
    SeatCard(4, "agent-bear", "Bear", "v1"),
]
"""Who plays where five do."""


def decision(seat: int, kind: str, left_ms: int, done: bool = False) -> OpenDecision:
    return OpenDecision(seat, kind, START_MS + left_ms, done=done)


def session_update(session: str, offset: int, events: list[Event], view: SessionView) -> Update:
    return Update(f"session:{session}", EPOCH, offset, events, view)
