"""The seats that a learner does not play."""

from __future__ import annotations

from collections.abc import Callable

from spaces.bridges.ours.session import Session

Rival = Callable[[Session, int], str]
"""The answer of a seat that owes one now."""


def random_rival(session: Session, seat: int) -> str:
    """Some legal answer."""
    return session.random_answer(seat)


def play_on(session: Session, seat: int, rival: Rival) -> str | None:
    """Let the rivals answer until `seat` owes a decision: the prompt of it, or None at the end.

    Of decisions that are open at once the learner's is answered first; they are sealed, so the order
    tells nobody anything.
    """
    while session.outcome is None:
        owing = [each.seat for each in session.open_decisions]
        if seat in owing:
            return session.space.prompt(session.state, seat)
        session.answer(owing[0], rival(session, owing[0]))
    return None
