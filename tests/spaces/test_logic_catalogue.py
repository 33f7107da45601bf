"""The curated generators: the same everywhere, harder by level, quick, plain, and safe to score."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import islice

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from spaces.logic import puzzles
from spaces.logic.answers import MAX_ANSWER
from spaces.logic.catalogue import GENERATORS, LEVELS, Level
from spaces.logic.puzzles import Puzzle
from spaces.seed import Streams
from tests.conformance.rig import seed_of

NAMES = list(GENERATORS)
SAMPLE = 40


def sample(name: str, level: Level, count: int = SAMPLE) -> list[Puzzle]:
    indices = Streams(seed_of(1)).draws(f"{name}:{level}", 2**32)
    return [puzzles.make(name, level, islice(indices, 20)) for _ in range(count)]


def fingerprint() -> str:
    """Of some puzzles of every generator and level, with all that scoring sees of them."""
    told = [
        (one.question, one.entry)
        for name in NAMES
        for level in LEVELS
        for one in sample(name, level, 8)
    ]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


@pytest.mark.parametrize("name", NAMES)
def test_the_generators_own_solution_scores_in_full(name: str) -> None:
    for level in LEVELS:
        for one in sample(name, level):
            assert puzzles.score(name, level, one.entry, one.solution) == puzzles.Score(
                1_000, 1_000
            )
            assert puzzles.score(name, level, one.entry, None).points == 0


def de_bruijn(length: int) -> str:
    """Digits among which every number of so many digits stands somewhere."""
    word = ["0"] * length
    seen = {"".join(word)}
    while True:
        tail = "".join(word[len(word) - length + 1 :])
        fresh = next((digit for digit in "9876543210" if tail + digit not in seen), None)
        if fresh is None:
            return "".join(word)
        seen.add(tail + fresh)
        word.append(fresh)


TIMES = "\u00d7"
COLOURS = "red green blue yellow orange purple white black pink magenta cyan brown gray violet gold"
KIN = "mother sister brother father grandmother grandfather aunt uncle cousin niece nephew husband wife"
NOTHING_SAID = [
    "zq",
    "!",
    "I do not know this one",
    "I cannot",
    "/",
    TIMES,
    f"2 {TIMES}",
    "0/0",
    "Ignore it.",
]
EVERYTHING_SAID = [
    "0123456789",
    de_bruijn(2),
    " ".join(str(number) for number in range(130)),
    "-".join(str(number) for number in range(-99, 30)),
    ", ".join(f"{number}/{number + 1}" for number in range(40)),
    f" {TIMES} ".join(["2", "3", "5", "7", "11", "13", "17", "19", "23", "29"]),
    "abcdefghijklmnopqrstuvwxyz",
    "yes no True False infeasible -1",
    COLOURS,
    KIN,
    "up down left right " * 20,
    "A# #A B# #B " * 30,
]


def hedged(one: Puzzle) -> list[str]:
    """Texts that hold the solution, with more around it; and those that hold the question."""
    question = " ".join(one.question.split())
    solution = one.solution
    if one.generator == "knights_knaves":
        # Its scorer passes over words that say of nobody what they are. Who is said to be both is neither.
        roles = re.findall(r"is an? (\w+)/(\w+)", question)[0]
        names = re.findall(r"(\w+) is an? ", solution)
        both = [f"{name} is a {role}" for name in names for role in roles]
        return [", ".join(both), ", ".join(reversed(both)), question[:MAX_ANSWER]]
    return [
        *(
            f"{solution}{more}"
            for more in (" zq", ", zq", "zq", f" or not {solution}", f", {solution}")
        ),
        *(f"{before}{solution}" for before in ("zq ", "zq, ", "zq", "0 or ")),
        question[:MAX_ANSWER],
        question[-MAX_ANSWER:],
    ]


@pytest.mark.parametrize("name", NAMES)
def test_only_a_solution_earns_points(name: str) -> None:
    """Neither a text that says nothing nor one that says everything, the solution among it."""
    for level in LEVELS:
        for one in sample(name, level, 20):
            for answer in [*NOTHING_SAID, *EVERYTHING_SAID, *hedged(one)]:
                score = puzzles.score(name, level, one.entry, answer[:MAX_ANSWER].strip())
                assert score.points == 0, (level, one.solution, answer)
                assert 0 <= score.mark <= 1_000


@pytest.mark.parametrize("name", NAMES)
def test_puzzles_are_plain_short_and_answered_in_one_line(name: str) -> None:
    for level in LEVELS:
        for one in sample(name, level):
            assert 0 < len(one.question) <= 1_600
            assert all(line.isprintable() for line in one.question.split("\n"))
            assert one.solution.isprintable()
            assert one.solution == one.solution.strip()
            assert 0 < len(one.solution) <= MAX_ANSWER / 2
            assert len(one.entry) < 5_000


@pytest.mark.parametrize("name", NAMES)
def test_a_higher_level_asks_for_more(name: str) -> None:
    """By the length of what is asked and answered: larger numbers, more steps, bigger grids."""

    def size(level: Level) -> float:
        sizes = (len(one.question) + len(one.solution) for one in sample(name, level))
        return statistics.fmean(sizes)

    easy, medium, hard = (size(level) for level in LEVELS)
    assert easy < medium < hard


def test_loading_makes_a_puzzle_of_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first one takes ten times as long as the next."""
    made: list[tuple[str, Level]] = []
    really = puzzles.make

    def make(name: str, level: Level, indices: Iterator[int]) -> Puzzle:
        made.append((name, level))
        return really(name, level, indices)

    monkeypatch.setattr(puzzles, "make", make)
    puzzles.load.cache_clear()
    puzzles.load()
    assert made == [(name, level) for name in NAMES for level in LEVELS]
    puzzles.load()
    assert len(made) == len(NAMES) * len(LEVELS), "once"


@pytest.mark.parametrize("name", NAMES)
def test_a_puzzle_takes_less_than_a_tick(name: str) -> None:
    for level in LEVELS:
        sample(name, level, 1)
        took = []
        for index in range(20):
            began = time.process_time()
            puzzles.make(name, level, iter([index, index + 1, index + 2]))
            took.append(time.process_time() - began)
        assert statistics.median(took) < 0.05


def test_puzzles_do_not_depend_on_the_process() -> None:
    """Nor on its hash seed: some generators of the library iterate over sets of strings."""
    script = (
        "import sys; sys.path.insert(0, '.'); "
        "from tests.spaces.test_logic_catalogue import fingerprint; print(fingerprint())"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    }
    assert printed == {fingerprint()}


@pytest.mark.parametrize("name", NAMES)
def test_a_puzzle_does_not_depend_on_those_before_it(name: str) -> None:
    one = puzzles.make(name, "medium", iter([5, 6, 7]))
    sample(name, "medium", 3)
    assert puzzles.make(name, "medium", iter([5, 6, 7])) == one


HOSTILE = st.text(max_size=MAX_ANSWER) | st.sampled_from(
    [
        "1e999999999", "-1e999999999", "9" * MAX_ANSWER, "9" * 199 + "/" + "9" * 200, "1/0", "nan",
        "inf", "NaN", f"9 {TIMES} " * 100, "[" * MAX_ANSWER, "(" * MAX_ANSWER, "a" * MAX_ANSWER, "up " * 133,
        "is " * 133, ", " * 200, "__import__('os').getpid()", "9**9**9**9", "\\frac{1}{", "1_0", "٤٢",
        TIMES, "/", ",", ".", "e", "True", "None", "{}", "[]", '""',
    ]
)  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(answer=HOSTILE)
def test_a_hostile_answer_is_scored_at_once(name: str, answer: str) -> None:
    (one,) = sample(name, "hard", 1)
    began = time.process_time()
    score = puzzles.score(name, "hard", one.entry, answer)
    assert time.process_time() - began < 0.05
    assert 0 <= score.points <= 1_000
    assert score == puzzles.score(name, "hard", one.entry, answer)


@pytest.mark.parametrize("entry", ["", "[]", "{}", "[" * 100_000, '{"answer": 4}', "9" * 10_000])
def test_a_forged_puzzle_scores_nothing(entry: str) -> None:
    for name in NAMES:
        assert puzzles.score(name, "easy", entry, "42").points in range(1_001)


def test_no_listed_generator_evaluates_text_while_scoring() -> None:
    """What the library's own code of the listed generators calls, as far as a scorer can reach it."""
    for name in NAMES:
        dataset = type(puzzles.dataset(name, "easy"))
        for function in vars(dataset).values():
            if inspect.isfunction(function) and function.__name__ != "__getitem__":
                source = inspect.getsource(function)
                assert "eval(" not in source
                assert "exec(" not in source
                assert "parse_expr" not in source
