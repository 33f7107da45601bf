"""Which games of TextArena can be played here.

Ids are TextArena's own, read in any case and written in lower case, which is what ids on our wire
are; none of its ids differ by case alone. The variants `-raw` and `-train` differ only in how they
present themselves, which is ours to do, so an id without them is the game.
"""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable, Mapping
from importlib.metadata import version
from typing import Any, NamedTuple

from spaces.bridges.extras import require
from spaces.bridges.theirs.textarena.table import open_table, quiet

PREFIX = "textarena"
MAX_NAME = 38
"""Characters; with the prefix and the version of the rules it fits the 64 of the store's columns."""

_NAME = re.compile(r"[a-z0-9-]+")

SEALED: Mapping[str, str | None] = {
    "ColonelBlottoEnv": None,
    "GameOfPureStrategyEnv": None,
    "HighSocietyEnv": None,
    "IteratedMatchingPenniesEnv": None,
    "IteratedPrisonersDilemmaEnv": "decision",
    "IteratedRockPaperScissorsEnv": None,
    "IteratedStagHuntEnv": "decision",
    "IteratedTwoThirdsAverageEnv": None,
    "MarketEntryGameEnv": "decision",
    "PublicGoodsGameEnv": "decision",
    "SimpleBlindAuctionEnv": "bidding",
    "SnakeEnv": None,
    "SurroundEnv": None,
}
"""Games in which both players choose in secret, and the phase in which they do (None: always).

TextArena asks one after the other and keeps the first answer to itself; here both decide at once.
"""


class BadGame(ValueError):
    """The game cannot be a Space; the message says why."""


class Game(NamedTuple):
    name: str
    """In lower case."""
    title: str
    """TextArena's id."""
    make: Callable[[], Any]
    bracketed: bool
    """Whether an answer without square brackets is put into them."""
    sealed: bool
    sealed_phase: str | None

    def seals(self, phase: str | None) -> bool:
        """Whether both players choose in secret now."""
        return self.sealed and self.sealed_phase in (None, phase)


@functools.lru_cache(64)
def load(name: str) -> Game:
    """The game of an id. Raises BadGame, and MissingExtra without the library."""
    registry = require("textarena.envs.registration", "textarena").ENV_REGISTRY
    require("textarena.envs", "textarena")
    wanted = name.lower()
    if not (_NAME.fullmatch(wanted) and len(wanted) <= MAX_NAME):
        raise BadGame(f"no environment's id: {name[:40]!a}")
    if wanted.endswith(("-raw", "-train")):
        raise BadGame(f"{name} is a presentation; the game is {re.sub('-(raw|train)$', '', name)}")
    spec = next((registry[each] for each in registry if each.lower() == wanted), None)
    if spec is None:
        raise BadGame(f"TextArena has no environment {name!r}")
    if "jury_class" in spec.kwargs:
        raise BadGame(f"{spec.id} is judged by models of an outside service")
    return _admit(wanted, spec)


def rules_version() -> str:
    """The bridge's version and the library's: either may change what happens."""
    return f"1-{version('TextArena')}"


def _admit(name: str, spec: Any) -> Game:
    def make() -> Any:
        return entry(**spec.kwargs)

    try:
        with quiet():
            entry = _entry(spec.entry_point)
        table = open_table(make, 0)
    except AssertionError as error:
        raise BadGame(f"{spec.id} is not a game of two: {_first_line(error)}") from None
    except LookupError:
        raise BadGame(f"{spec.id} needs word lists that are not on this machine") from None
    except SyntaxError:
        raise BadGame(f"{spec.id} is written for a newer Python than this") from None
    except Exception as error:  # their constructors raise anything
        why = error.strerror if isinstance(error, OSError) else _first_line(error)
        raise BadGame(f"{spec.id} does not start: {type(error).__name__}: {why}") from None
    if table.done or table.to_act not in (0, 1):
        raise BadGame(f"{spec.id} ends before anybody has moved")
    kind = type(table.env).__name__
    wrappers = {wrapper.__name__ for wrapper in spec.default_wrappers or ()}
    bracketed = "ActionFormattingWrapper" in wrappers
    return Game(name, spec.id, make, bracketed, kind in SEALED, SEALED.get(kind))


def _entry(entry_point: Any) -> Any:
    if not isinstance(entry_point, str):
        return entry_point
    module, _, attribute = entry_point.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines() or [""]
    return lines[0].encode("ascii", "replace").decode()[:80]
