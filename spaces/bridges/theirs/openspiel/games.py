"""Which games of OpenSpiel can be played here, and what of them each viewer is shown.

Refused, each with its reason: games of one player; mean-field games; games whose chance is drawn
inside the library, which no seed of ours replays; games in which a seat's move stays hidden from
a rival after it was made, because an arena's log tells every move when its turn is over; and parameters
beyond `limits`, before the library is asked, since it would hang on them or take the process down.
"""

from __future__ import annotations

import functools
import math
import random
from importlib.metadata import version
from typing import Any, NamedTuple

from spaces.bridges.extras import MissingExtra, require
from spaces.bridges.theirs.openspiel.limits import TooLarge, check
from spaces.bridges.theirs.openspiel.names import BadName, Name, read

SEATS_MAX = 10
UTILITY_MAX = 10**9
"""In units of the game, so that thousandths stay exact in canonical JSON."""
_PROBES = 8
"""Random playouts in which hidden moves are looked for."""
_PROBED_PLIES = 120
_HIDING = frozenset({"hanabi"})
"""Games that hide moves so seldom that the probes may miss it; more of them, 16, found this one."""
_DEALT = 1_000
"""Draws of chance before the first move."""
_FILES = ("file", "root", "path")
"""Parameters of these endings name files of the machine that runs the game."""


class BadGame(ValueError):
    """The game cannot be a Space; the message says why."""


class Game(NamedTuple):
    """A game that was admitted."""

    name: str
    title: str
    rules: Any
    """The `pyspiel.Game`."""
    seats: int
    perfect: bool
    """Whether everything is public: chance and every move."""
    recalls: bool
    """Whether a seat is shown its information state, with all that it ever saw, or what it sees now."""
    public: Any
    """An observer of what everybody sees, where the game has one and is not of perfect information."""

    @property
    def total(self) -> float | None:
        """What the returns add up to, where that is constant."""
        total: float | None = self.rules.utility_sum()
        return total

    def seen_by(self, position: Any, seat: int) -> str:
        """What a seat knows, in the library's words."""
        if self.perfect:
            return self.seen_by_all(position)
        told = position.information_state_string if self.recalls else position.observation_string
        text: str = told(seat)
        return text

    def seen_by_all(self, position: Any) -> str:
        """What the public knows; empty where the library cannot tell it from secrets."""
        if position.is_terminal() or self.perfect:
            return str(position)
        return str(self.public.string_from(position, 0)) if self.public is not None else ""


@functools.lru_cache(64)
def load(text: str) -> Game:
    """The game of a name. Raises BadGame, and MissingExtra without the library."""
    spiel = require("pyspiel", "openspiel")
    try:
        name = read(text)
    except BadName as error:
        raise BadGame(str(error)) from None
    if name.game not in spiel.registered_names():
        raise BadGame(f"OpenSpiel has no game {name.game!r}")
    if name.game in _HIDING:
        raise BadGame(f"{name.game} hides moves from rivals now and then, and the log tells each")
    kind = next(each for each in spiel.registered_games() if each.short_name == name.game)
    if not kind.default_loadable:
        raise BadGame(f"{name.game} is made of another game or a file, which an id cannot name")
    values = _values(name, kind.parameter_specification)
    try:
        check(name.game, values, kind.parameter_specification)
    except TooLarge as error:
        raise BadGame(str(error)) from None
    try:
        rules = spiel.load_game(name.game, values)
    except Exception as error:  # theirs, or what a binding makes of it
        raise BadGame(f"{name.game} refuses its parameters: {_first_line(error)}") from None
    try:
        return _admit(spiel, _written(name.game, values, kind.parameter_specification), rules)
    except (BadGame, MissingExtra):
        raise
    except Exception as error:
        raise BadGame(f"{name.game} does not start: {_first_line(error)}") from None


def rules_version() -> str:
    """The bridge's version and the library's: either may change what happens."""
    return f"1-{version('open_spiel')}"


def _values(name: Name, known: dict[str, Any]) -> dict[str, Any]:
    return {key: _value(name.game, key, text, known) for key, text in name.params.items()}


def _value(game: str, key: str, text: str, known: dict[str, Any]) -> Any:
    if key not in known or key.endswith(_FILES) or isinstance(known[key], dict):
        raise BadGame(f"{game} has no parameter {key!r} that an id may set")
    value: Any
    match known[key]:
        case bool():
            value = {"true": True, "false": False}.get(text.lower())
        case int():
            value = int(text) if text.removeprefix("-").isdecimal() else None
        case float():
            value = _number(text)
        case _:
            return text
    if value is None:
        raise BadGame(f"{game}'s {key} is like {known[key]!r}, got {text!r}")
    return value


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _written(game: str, values: dict[str, Any], known: dict[str, Any]) -> str:
    """The one name of a game with these parameters: alphabetical, without those at their default."""
    told = {
        key: str(value).lower() if isinstance(value, bool | int) else f"{value}"
        for key, value in values.items()
        if value != known[key]
    }
    return str(Name(game, told))


def _admit(spiel: Any, name: str, rules: Any) -> Game:
    kind, seats = rules.get_type(), rules.num_players()
    if not 2 <= seats <= SEATS_MAX:
        raise BadGame(f"{name} has {seats} players; a session has 2 to {SEATS_MAX}")
    if kind.dynamics not in (
        spiel.GameType.Dynamics.SEQUENTIAL,
        spiel.GameType.Dynamics.SIMULTANEOUS,
    ):
        raise BadGame(f"{name} is a mean-field game")
    if kind.chance_mode == spiel.GameType.ChanceMode.SAMPLED_STOCHASTIC:
        raise BadGame(f"{name} draws its chance inside the library, so no seed replays it")
    bounds = (rules.min_utility(), rules.max_utility())
    if not all(math.isfinite(each) and abs(each) <= UTILITY_MAX for each in bounds):
        raise BadGame(f"{name} has no bounds of its returns")
    perfect = kind.information == spiel.GameType.Information.PERFECT_INFORMATION
    recalls = kind.provides_information_state_string
    if not (perfect or recalls or kind.provides_observation_string):
        raise BadGame(f"{name} does not say what a player knows")
    public = None
    if not perfect and kind.provides_factored_observation_string:
        observation = require("open_spiel.python.observation", "openspiel")
        public = observation.make_observation(
            rules, spiel.IIGObservationType(True, False, spiel.PrivateInfoType.NONE)
        )
    game = Game(name, kind.long_name, rules, seats, perfect, recalls, public)
    _try(game)
    if not perfect and _hides_moves(game):
        raise BadGame(f"{name} hides moves from rivals, and the arena's log tells each at once")
    return game


def _try(game: Game) -> None:
    """Begin the game and ask what a session will ask. Raises whatever the library raises: some games
    load with parameters that they cannot be played with."""
    rng = random.Random(0)  # noqa: S311 - which deal is tried is no secret
    position = game.rules.new_initial_state()
    for _ in range(_DEALT):
        if not position.is_chance_node():
            break
        position.apply_action(rng.choice(position.legal_actions()))
    else:
        raise BadGame(f"{game.name} deals for more than {_DEALT} draws")
    if position.is_terminal():
        raise BadGame(f"{game.name} ends before anybody has moved")
    seats = _deciding(game, position)
    for seat in seats:
        for action in position.legal_actions(seat):
            position.action_to_string(seat, action)
    after = _after(position, {seat: position.legal_actions(seat)[0] for seat in seats})
    for each in (position, after):
        goes_on = not (each.is_terminal() or each.is_chance_node())
        if goes_on and not any(map(each.legal_actions, _deciding(game, each))):
            raise BadGame(f"{game.name} goes on where nobody has a move")
        str(each)
        game.seen_by_all(each)
        for seat in range(game.seats):
            game.seen_by(each, seat)


def _hides_moves(game: Game) -> bool:
    """Whether in some probed position two moves of a seat leave a rival with equal knowledge.

    A move that ends the game hides nothing: its end reveals all. The probes are the same every time.
    """
    rng = random.Random(0)  # noqa: S311 - which positions are probed is no secret
    return any(_hides_in_one_playout(game, rng) for _ in range(_PROBES))


def _hides_in_one_playout(game: Game, rng: random.Random) -> bool:
    position = game.rules.new_initial_state()
    for _ in range(_PROBED_PLIES):
        if position.is_terminal():
            return False
        if position.is_chance_node():
            position.apply_action(rng.choice(position.legal_actions()))
            continue
        seats = _deciding(game, position)
        chosen = {seat: rng.choice(position.legal_actions(seat)) for seat in seats}
        for seat in seats:
            others = [each for each in position.legal_actions(seat) if each != chosen[seat]]
            if others and _alike(game, position, seat, chosen, rng.choice(others)):
                return True
        position = _after(position, chosen)
    return False


def _deciding(game: Game, position: Any) -> list[int]:
    if position.is_simultaneous_node():
        return [seat for seat in range(game.seats) if position.legal_actions(seat)]
    return [position.current_player()]


def _alike(game: Game, position: Any, seat: int, chosen: dict[int, int], other: int) -> bool:
    one, two = _after(position, chosen), _after(position, {**chosen, seat: other})
    if one.is_terminal() or two.is_terminal():
        return False
    rivals = [each for each in range(game.seats) if each != seat]
    return any(game.seen_by(one, each) == game.seen_by(two, each) for each in rivals)


def _after(position: Any, chosen: dict[int, int]) -> Any:
    after = position.clone()
    if position.is_simultaneous_node():
        after.apply_actions([chosen.get(seat, -1) for seat in range(position.num_players())])
    else:
        after.apply_action(chosen[position.current_player()])
    return after


def _first_line(error: Exception) -> str:
    first = str(error).partition("\n")[0]
    return first.encode("ascii", "replace").decode()[:100]
