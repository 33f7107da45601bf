"""What each viewer may see of a game of OpenSpiel, and text for people.

A seat is shown its own information state or observation, as the library writes it. The public is
shown every move, and the whole position where the game is of perfect information; else the library's
public observation where the game has one. When the session is over everybody is shown everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spaces.bridges.blocks import plain_block
from spaces.bridges.theirs.openspiel import rules
from spaces.bridges.theirs.openspiel.games import Game
from spaces.bridges.theirs.openspiel.positions import Position, position_of
from spaces.bridges.theirs.openspiel.state import State
from spaces.seat_names import seat_name

TEXT_MAX = 5_000
"""Characters of the library's text about a position."""
MOVES_MAX = 60
"""Moves that are listed, the last ones."""
LEGAL_MAX = 1_000
"""Legal actions that are listed; games with more of them play, and an answer may name any."""
_LISTED_CHARS = 4_000
"""Of the legal actions in a prompt."""


def observe(game: Game, state: State, viewer: int | None) -> dict[str, Any]:
    outcome = rules.outcome(game, state)
    position = position_of(game, state.history)
    open_now = rules.open_seats(game, state)
    seen: dict[str, Any] = {
        "game": game.name,
        "title": game.title,
        "seats": game.seats,
        "plies": state.plies,
        "to_act": list(open_now),
        "moves": [[seat, plain_block(name, 80)] for seat, name in position.deeds[-MOVES_MAX:]],
        "position": _seen(game, position, viewer, over=outcome is not None),
        "returns_milli": list(outcome.returns) if outcome and outcome.returns else None,
        "termination": outcome.termination if outcome else None,
    }
    if viewer is not None:
        listed = position.legal(viewer)[:LEGAL_MAX] if viewer in open_now else []
        seen["legal"] = [[number, plain_block(name, 80)] for number, name in listed]
        seen["you"] = viewer
        seen["your_move"] = state.pending[viewer]
    return seen


def _seen(game: Game, position: Position, viewer: int | None, *, over: bool) -> str:
    if over:
        text = str(position.now)
    elif viewer is None:
        text = game.seen_by_all(position.now)
    else:
        text = game.seen_by(position.now, viewer)
    return plain_block(text, TEXT_MAX)


def prompt(game: Game, state: State, seat: int) -> str:
    seen = observe(game, state, seat)
    moves = ", ".join(f"{by}: {name}" for by, name in seen["moves"][-MOVES_MAX // 2 :])
    return "\n".join(
        [
            f"You are player {seat} in {game.title} (OpenSpiel's {game.name}).",
            f"Players are numbered 0 to {game.seats - 1}.",
            "What you know, as the game writes it:",
            seen["position"] or "(nothing yet)",
            *([f"Moves so far (player: move): {plain_block(moves, 1_500)}"] if moves else []),
            "It is your move. Your legal actions (number: name):",
            *_listed(seen["legal"]),
            "Answer with one line and nothing else:",
            "action: NUMBER",
        ]
    )


def _listed(legal: list[list[Any]]) -> list[str]:
    lines: list[str] = []
    room = _LISTED_CHARS
    for number, name in legal:
        line = f"{number}: {name}"
        room -= len(line) + 1
        if room < 0:
            return [*lines, f"and {len(legal) - len(lines)} more"]
        lines.append(line)
    return lines


def headline(game: Game, state: State, names: Sequence[str] = ()) -> str:
    outcome = rules.outcome(game, state)
    if outcome is not None:
        won = " : ".join(f"{each / 1_000:g}" for each in outcome.returns or ())
        return f"{outcome.termination} after {state.plies} moves, {won}"[:80]
    seats = ", ".join(seat_name(names, seat, "player") for seat in rules.open_seats(game, state))
    return f"move {state.plies + 1}, {seats} to act"[:80]


def render(game: Game, state: State, names: Sequence[str] = ()) -> str:
    """The library's own text numbers the players, and so do the moves."""
    seen = observe(game, state, None)
    told = [f"  {by}: {name}" for by, name in seen["moves"]]
    players = [f"player {seat} is {seat_name(names, seat)}" for seat in range(len(names))]
    return "\n".join(
        [
            game.title,
            *([", ".join(players)] if players else []),
            *seen["position"].split("\n"),
            *told,
            headline(game, state, names),
        ]
    )
