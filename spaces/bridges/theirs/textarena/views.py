"""What each viewer may see of a game of TextArena, and text for people.

A seat is shown what the game told it; the public what the game told everybody. Both are shown the
first message, which holds the game's own rules, and as many of the last as there is room for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spaces.bridges.blocks import plain_block
from spaces.bridges.theirs.textarena import rules
from spaces.bridges.theirs.textarena.catalogue import Game
from spaces.bridges.theirs.textarena.state import State
from spaces.bridges.theirs.textarena.table import EVERYBODY, Telling
from spaces.seat_names import seat_name

TOLD_MAX = 5_500
"""Characters of the messages after the first."""

GAME = "Game"


def observe(game: Game, state: State, viewer: int | None) -> dict[str, Any]:
    outcome = rules.outcome(game, state)
    now = rules.table(game, state)
    heard = [each for each in now.told if each.to in (EVERYBODY, viewer)]
    seen: dict[str, Any] = {
        "game": game.title,
        "plies": state.plies,
        "to_act": list(rules.open_seats(game, state)),
        "answers_in": [each is not None for each in state.pending],
        "told": [[_speaker(each), each.text] for each in _chosen(heard)],
        "returns_milli": list(outcome.returns) if outcome and outcome.returns else None,
        "termination": outcome.termination if outcome else None,
        "reason": plain_block(now.reason, 400) if now.done else None,
    }
    if viewer is not None:
        seen["you"] = viewer
        seen["your_answer"] = state.pending[viewer]
    return seen


def _speaker(telling: Telling) -> str:
    return f"Player {telling.by}" if telling.by in (0, 1) else GAME


def _chosen(heard: Sequence[Telling]) -> list[Telling]:
    """The first message and the last ones."""
    if not heard:
        return []
    first, *rest = heard
    last: list[Telling] = []
    room = TOLD_MAX
    for each in reversed(rest):
        room -= len(each.text) + len("Player 0: ") + 2 * each.text.count("\n") + 1
        if room < 0:
            break
        last.append(each)
    return [first, *reversed(last)]


def told_lines(seen: dict[str, Any]) -> list[str]:
    """Who said what; lines after the first are indented, so that nobody speaks in another's name."""
    return [f"{speaker}: " + text.replace("\n", "\n  ") for speaker, text in seen["told"]]


def prompt(game: Game, state: State, seat: int) -> str:
    seen = observe(game, state, seat)
    shape = "Your answer is given to the game as it stands"
    if game.bracketed:
        shape += ", in [square brackets] if it has none"
    return "\n".join(
        [
            f"You are Player {seat} in {game.title} of TextArena, against one other player.",
            *told_lines(seen),
            f"It is your turn, Player {seat}. {shape}. Answer with your move and nothing else.",
        ]
    )


def headline(game: Game, state: State, names: Sequence[str] = ()) -> str:
    outcome = rules.outcome(game, state)
    if outcome is not None:
        one, two = outcome.returns or (0, 0)
        return f"{outcome.termination} after {state.plies} turns, {one / 1_000:g} : {two / 1_000:g}"
    seats = [seat_name(names, seat, "player") for seat in rules.open_seats(game, state)]
    return f"turn {state.plies + 1}, {' and '.join(seats)} to answer"


def render(game: Game, state: State, names: Sequence[str] = ()) -> str:
    """The game itself speaks of Player 0 and Player 1, so the talk does, too."""
    seen = observe(game, state, None)
    reason = [str(seen["reason"])] if seen["reason"] else []
    players = [f"Player {seat} is {seat_name(names, seat)}" for seat in range(len(names))]
    return "\n".join(
        [
            game.title,
            *([", ".join(players)] if players else []),
            *told_lines(seen),
            *reason,
            headline(game, state, names),
        ]
    )
