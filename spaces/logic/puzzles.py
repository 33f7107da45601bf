"""reasoning-gym behind one file: a puzzle from an index, an answer's score, and scoring again.

Nothing here touches Python's global random generator: every dataset of the catalogue draws from a
`random.Random` of its own. A puzzle travels as canonical text of the library's own entry, and answers
are scored against what that text says, never against the objects that it was made from: who scores
again years later, from the transcript alone, does what was done then.

Only a solution earns points: all of them where the scorer gives its full mark, none below it. The
scorers were made to teach, so they pay a little for anything that is said, and a part for a long text
that holds the solution somewhere. Those marks are kept beside the points and decide nothing.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import itertools
import json
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from spaces.logic.catalogue import GENERATORS, LEVELS, LIBRARY, Level

POINTS = 1_000
"""Of a puzzle that is solved; also the scorer's full mark, in thousandths."""
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
    """What counts: POINTS or 0."""
    mark: int = 0
    """What the scorer gave, in thousandths: 0 .. POINTS."""
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


@functools.cache
def load() -> None:
    """Import the library, read its word lists, and make and score one puzzle of each kind: a second or
    two, once. A generator's first puzzle takes up to fifty milliseconds (sympy warms up), which
    would be a tick of the host."""
    for name in GENERATORS:
        for level in LEVELS:
            first = make(name, level, itertools.count())
            score(name, level, first.entry, first.solution)


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
    for index in itertools.islice(indices, _TRIES):
        try:
            entry = puzzles[index]
        except Exception as error:  # whatever the library raises when it gives up
            failure = error
            continue
        written = json.dumps(entry, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return Puzzle(generator, level, entry["question"].strip(), written, entry["answer"])
    raise RuntimeError(f"{generator} found no {level} puzzle") from failure


def score(generator: str, level: Level, entry: str, answer: str | None) -> Score:
    """By the generator's own scorer; None (forfeited) is 0."""
    if answer is None:
        return Score(0)
    scorer = dataset(generator, level).score_answer
    try:
        read = json.loads(entry)
        given = float(scorer(answer, read))
        whole = not GENERATORS[generator].counts_words or _words(answer) == _words(read["answer"])
    except Exception:  # an answer that the scorer cannot stand is a wrong answer
        return Score(0, raised=True)
    # A NaN is no mark: it compares false with everything.
    mark = round(POINTS * min(given, 1.0)) if given > 0 else 0
    # Every scorer writes its full mark as 1.0. The sums of parts that some give for the solution with
    # more behind it come as near as 0.9999999999999999 and 1.0000000000000002, so nothing near will do.
    return Score(POINTS if given == 1.0 and whole else 0, mark)


def _words(text: str) -> int:
    return len(text.replace(",", " ").split())


class _Scored(msgspec.Struct):
    """Of the body of a note `scores`, what scoring it again takes."""

    generator: str
    level: Level
    library: Annotated[str, Meta(pattern=r"^reasoning-gym [0-9a-zA-Z.+-]{1,40}\Z")]
    """Narrow, since it is told to whoever reads the error."""
    entry: str
    answers: list[str | None]


def rescore(body: Mapping[str, Any]) -> list[Score]:
    """The scores of a round, by seat, computed again from the body of its note `scores` and nothing else.

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
    return [score(told.generator, told.level, told.entry, answer) for answer in told.answers]
