"""What a bot is told of a session that is over."""

from __future__ import annotations

import pytest

from bots.turn import result_of
from server.protocol import SeatCard, SessionView


def view(returns: list[int], you: int) -> SessionView:
    seats = [SeatCard(seat, f"a{seat}", f"n{seat}", f"v{seat}") for seat in range(len(returns))]
    outcome = {"termination": "complete", "returns": returns}
    return SessionView("S", "x", "x/1", "ended", 0, seats, {}, "", outcome=outcome, you=you)


@pytest.mark.parametrize(
    ("returns", "won"),
    [
        ([1, -1], [True, False]),
        ([0, 0], [None, None]),
        ([300, 200, 100], [True, False, False]),
        ([-3, -1, -1], [False, True, True]),
        ([7, 7, 7], [None, None, None]),
    ],
)
def test_who_won_is_who_nobody_did_better_than(returns: list[int], won: list[bool | None]) -> None:
    """More than nothing is no win where everybody has more than nothing, and the least loss is one."""
    results = [result_of(view(returns, seat)) for seat in range(len(returns))]
    assert [result and result.won for result in results] == won
