"""A game of OpenSpiel behind the contract of a Space."""

from __future__ import annotations

import functools
import random
from collections.abc import Mapping, Sequence
from typing import Any

from spaces.bridges.extras import MissingExtra
from spaces.bridges.theirs.openspiel import answers, games, rules, views
from spaces.bridges.theirs.openspiel.answers import KIND, Move
from spaces.bridges.theirs.openspiel.names import MAX_NAME, PREFIX
from spaces.bridges.theirs.openspiel.state import Params, State
from spaces.registry import UnknownSpace
from spaces.seed import Streams
from spaces.space import Decision, Outcome, Space

MOVE_MS = 30_000


class OpenSpielSpace(Space[Params, State, Move]):
    """`OpenSpielSpace("kuhn_poker")`, `OpenSpielSpace("go(board_size=9)")`.

    Legal moves are told: nobody could guess how OpenSpiel numbers and names them. Returns are in
    thousandths of the game's unit. Raises games.BadGame, and MissingExtra without the library.
    """

    decided_by = "rules"
    params_type = Params
    action_type = Move

    def __init__(self, name: str) -> None:
        game = games.load(name)
        if len(game.name) > MAX_NAME:
            raise games.BadGame(f"{game.name} is longer than the {MAX_NAME} characters of a name")
        self._game = game
        space_id = f"{PREFIX}:{game.name}"
        # The contract calls these class variables, since our own Spaces are a class each.
        vars(self).update(
            id=space_id,
            rules=f"{space_id}/{games.rules_version()}",
            title=f"{game.title} (OpenSpiel)",
            seats=game.seats,
            returns_sum=None if game.total is None else round(game.total * 1_000),
        )

    def initial(self, params: Params, streams: Streams) -> State:
        return rules.initial(self._game, streams)

    def decisions(self, state: State) -> tuple[Decision, ...]:
        sealed = rules.is_sealed(self._game, state)
        return tuple(
            Decision(seat, KIND, MOVE_MS, sealed) for seat in rules.open_seats(self._game, state)
        )

    def parse(self, kind: str, text: str) -> Move:
        return answers.parse(kind, text)

    def apply(self, state: State, seat: int, action: Move, streams: Streams) -> State:
        return rules.apply(self._game, state, seat, action, streams)

    def forfeit(self, state: State, seat: int, streams: Streams) -> State:
        return rules.forfeit(self._game, state, seat)

    def outcome(self, state: State) -> Outcome | None:
        return rules.outcome(self._game, state)

    def observe(self, state: State, viewer: int | None) -> dict[str, Any]:
        return views.observe(self._game, state, viewer)

    def prompt(self, state: State, seat: int) -> str:
        return views.prompt(self._game, state, seat)

    def headline(self, state: State, names: Sequence[str] = ()) -> str:
        return views.headline(self._game, state, names)

    def render(self, state: State, names: Sequence[str] = ()) -> str:
        return views.render(self._game, state, names)

    def return_in_words(self, value: int) -> str:
        return f"{value / 1_000:+g}" if value else "0"

    def random_answer(
        self, kind: str, view: Mapping[str, Any], seat: int, rng: random.Random
    ) -> str:
        number, _ = rng.choice(view["legal"])
        return f"action: {number}"

    def check_answer(self, kind: str, text: str, view: Mapping[str, Any], seat: int) -> None:
        move = self.parse(kind, text)
        if len(view["legal"]) < views.LEGAL_MAX:
            answers.number_of(move, view["legal"])

    def answer_schema(self, kind: str, view: Mapping[str, Any], seat: int) -> dict[str, Any] | None:
        if len(view["legal"]) >= views.LEGAL_MAX:
            return None
        numbers = [number for number, _ in view["legal"]]
        return {
            "type": "object",
            "properties": {"action": {"type": "integer", "enum": numbers}},
            "required": ["action"],
            "additionalProperties": False,
        }


def resolve(name: str) -> OpenSpielSpace:
    """The Space of `openspiel:<name>`. Raises UnknownSpace with the reason."""
    try:
        return _space(games.load(name).name)
    except (games.BadGame, MissingExtra) as error:
        raise UnknownSpace(f"{PREFIX}:{name}"[:64], str(error)) from None


@functools.lru_cache(64)
def _space(name: str) -> OpenSpielSpace:
    return OpenSpielSpace(name)
