"""reasoning-gym behind one file: a puzzle from an index, an answer's score, and scoring again.

Nothing here touches Python's global random generator: every dataset of the catalogue draws from a
`random.Random` of its own. A puzzle travels as canonical text of the library's own entry, and answers
are scored against what that text says, never against the objects that it was made from: who scores
again years later, from the transcript alone, does what was done then.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import json
import sys
import types
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec

from spaces.logic.catalogue import GENERATORS, LEVELS, LIBRARY, Level

POINTS = 1_000
"""Of a puzzle that is fully solved; the scorer's 0.0 to 1.0 in thousandths."""
_ANY_INDEX = 2**53
_TRIES = 20
"""Some generators give up on an index now and then (a maze without a way); the stream's next is taken."""


class OtherLibrary(ValueError):
    """The installed reasoning-gym is not the one that these rules, or this note, are defined by."""


class Puzzle(msgspec.Struct, frozen=True):
    generator: str
    level: Level
    question: str
    entry: str
    """The library's entry as JSON with sorted keys: question, answer, metadata. Secret until the
    round is over, since it holds the solution."""
    solution: str
    """One right answer; others may score as high. As secret."""


class Score(msgspec.Struct, frozen=True):
    points: int
    """0 .. POINTS"""
    raised: bool = False
    """The scorer failed on this answer, which counts as 0."""


@functools.cache
def installed() -> str:
    """The version of the installed library; empty where there is none."""
    metadata = importlib.import_module("importlib.metadata")  # slow enough to be left for later
    try:
        return str(metadata.version("reasoning-gym"))
    except metadata.PackageNotFoundError:
        return ""


def check_library(version: str | None = None) -> None:
    """Raise OtherLibrary unless the library of `logic/1`, or of `version`, is installed."""
    what, wanted = ("this round was scored", version) if version else ("logic/1 is played", LIBRARY)
    if installed() != wanted:
        raise OtherLibrary(
            f"{what} with reasoning-gym {wanted}, installed is {installed() or 'none'}: "
            f"pip install reasoning-gym=={wanted}"
        )


def load() -> None:
    """Import the library and read its word lists: a second or two, once."""
    for name in GENERATORS:
        for level in LEVELS:
            dataset(name, level)


@functools.cache
def dataset(generator: str, level: Level) -> Any:
    """The library's maker of all puzzles of a generator and level, each from its index alone."""
    library = _library()
    settings = GENERATORS[generator].settings(level)
    return library.create_dataset(generator, seed=0, size=_ANY_INDEX, **settings)


def _library() -> Any:
    # The library imports a SAT solver, a C extension without wheels, for one generator that is not in
    # the catalogue. Where no compiler has built it, an empty module stands in.
    if "pycosat" not in sys.modules and importlib.util.find_spec("pycosat") is None:
        sys.modules["pycosat"] = types.ModuleType("pycosat")
    return importlib.import_module("reasoning_gym")


def make(generator: str, level: Level, indices: Iterator[int]) -> Puzzle:
    """The puzzle of the first of `indices` (whole numbers) for which the generator finds one.

    Raises RuntimeError when it finds none for 20 of them, which no listed generator has been seen to do.
    """
    puzzles = dataset(generator, level)
    failure: Exception | None = None
    for index in islice(indices, _TRIES):
        try:
            entry = puzzles[index]
        except Exception as error:  # whatever the library raises when it gives up
            failure = error
            continue
        written = json.dumps(entry, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return Puzzle(generator, level, entry["question"].strip(), written, entry["answer"])
    raise RuntimeError(f"{generator} found no {level} puzzle") from failure


def score(generator: str, level: Level, entry: str, answer: str | None) -> Score:
    """What the generator's own scorer gives an answer; None (forfeited) is 0."""
    if answer is None:
        return Score(0)
    scorer = dataset(generator, level).score_answer
    try:
        given = float(scorer(answer, json.loads(entry)))
    except Exception:  # an answer that the scorer cannot stand is a wrong answer
        return Score(0, raised=True)
    # A NaN is no score: it compares false with everything.
    return Score(round(POINTS * min(given, 1.0)) if given > 0 else 0)


class _Scored(msgspec.Struct):
    """Of the body of a note `scores`, what scoring it again takes."""

    generator: str
    level: Level
    library: str
    entry: str
    answers: list[str | None]


def rescore(body: Mapping[str, Any]) -> list[int]:
    """The points of a round, computed again from the body of its note `scores` and nothing else.

    The body may come from anyone. Raises OtherLibrary where it was scored with another version, and
    ValueError where it is no such note.
    """
    try:
        told = msgspec.convert(body, _Scored)
    except msgspec.ValidationError as error:
        raise ValueError(f"no note of scores: {error}") from None
    if told.generator not in GENERATORS:
        raise ValueError(f"logic/1 has no generator {told.generator!r}")
    check_library(told.library.removeprefix("reasoning-gym "))
    return [score(told.generator, told.level, told.entry, answer).points for answer in told.answers]
