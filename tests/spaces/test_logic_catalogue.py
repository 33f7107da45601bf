"""The curated generators: the same everywhere, harder by level, quick, plain, and safe to score."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import statistics
import subprocess
import sys
import time
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
            assert puzzles.score(name, level, one.entry, one.solution) == puzzles.Score(1_000)
            assert puzzles.score(name, level, one.entry, None).points == 0


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


TIMES = "\u00d7"
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
