"""A game of TextArena behind the contract of a Space."""

from __future__ import annotations

import functools
import random
from collections.abc import Mapping, Sequence
from typing import Any

from spaces.bridges.extras import MissingExtra
from spaces.bridges.theirs.textarena import answers, catalogue, rules, views
from spaces.bridges.theirs.textarena.answers import KIND, Answer
from spaces.bridges.theirs.textarena.catalogue import PREFIX
from spaces.bridges.theirs.textarena.guesses import guess
from spaces.bridges.theirs.textarena.state import Params, State
from spaces.registry import UnknownSpace
from spaces.seed import Streams
from spaces.space import Decision, Outcome, Space

ANSWER_MS = 60_000


class TextArenaSpace(Space[Params, State, Answer]):
    """`TextArenaSpace("TicTacToe-v0")`.

    What an agent writes is public when its turn is over. Returns are TextArena's rewards in
    thousandths. Raises catalogue.BadGame, and MissingExtra without the library.
    """

    seats = 2
    decided_by = "rules"
    params_type = Params
    action_type = Answer

    def __init__(self, name: str) -> None:
        game = catalogue.load(name)
        self._game = game
        space_id = f"{PREFIX}:{game.name}"
        # The contract calls these class variables, since our own Spaces are a class each.
        vars(self).update(
            id=space_id,
            rules=f"{space_id}/{catalogue.rules_version()}",
            title=f"{game.title} (TextArena)",
        )

    def initial(self, params: Params, streams: Streams) -> State:
        return rules.initial(streams)

    def decisions(self, state: State) -> tuple[Decision, ...]:
        sealed = rules.is_sealed(self._game, state)
        return tuple(
            Decision(seat, KIND, ANSWER_MS, sealed) for seat in rules.open_seats(self._game, state)
        )

    def parse(self, kind: str, text: str) -> Answer:
        return answers.parse(kind, text)

    def answer_text(self, action: Answer) -> str:
        return action.text

    def apply(self, state: State, seat: int, action: Answer, streams: Streams) -> State:
        return rules.apply(self._game, state, seat, action)

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
        """Legal in games that list what they take, and in a few more (`guesses`); else a guess."""
        return guess(view, rng)


def resolve(name: str) -> TextArenaSpace:
    """The Space of `textarena:<name>`. Raises UnknownSpace with the reason."""
    try:
        return _space(catalogue.load(name).name)
    except (catalogue.BadGame, MissingExtra) as error:
        raise UnknownSpace(f"{PREFIX}:{name}"[:64], str(error)) from None


@functools.lru_cache(64)
def _space(name: str) -> TextArenaSpace:
    return TextArenaSpace(name)
