"""The llm brain as a writer: what a brief still lacks, what is saved, and the sheet of a small model."""

from __future__ import annotations

import json
import random
import re
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.brains import openai, prose
from bots.brains.faults import AnswerFault, Reply, better, diagnose, salvage, weakness
from bots.brains.llm import LlmBrain, LlmSettings
from bots.turn import Turn
from spaces.seed import Streams
from spaces.writing import Writing
from tests.bots.model import Model, Script, model, says

SPACE = Writing()
BRIEF: dict[str, Any] = {
    "form": "tweet",
    "subject": "a snail race",
    "constraints": [{"is": "mention", "word": "copper"}, {"is": "ends", "mark": "?"}],
}
GOOD = "Three snails, one copper cup and all of Sunday. Who blinks first?"
POOR = "Three snails and one cup."


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai, "FIRST_PAUSE_S", 0.01)


def turn(brief: dict[str, Any] = BRIEF, seed: int = 0, **more: Any) -> Turn:
    state = SPACE.initial(SPACE.params(brief), Streams(seed.to_bytes(32, "big")))
    fields: dict[str, Any] = {
        "session": "s",
        "space": "writing",
        "turn": 1,
        "seat": 2,
        "kind": "text",
        "view": SPACE.observe(state, 2),
        "prompt": SPACE.prompt(state, 2),
        "deadline_ms": int(time.time() * 1000) + 30_000,
        "arena_ms": lambda: int(time.time() * 1000),
    }
    return Turn(**(fields | more))


async def act(server: Model, asked: Turn, **settings: Any) -> str:
    brain = LlmBrain(LlmSettings(**({"url": server.url, "model": "big"} | settings)))
    try:
        return await brain.act(asked)
    finally:
        await brain.close()


async def test_nothing_of_a_sealed_text_is_shown_while_it_is_written() -> None:
    shown: list[str] = []
    async with model(says(GOOD[:10], GOOD[10:])) as server:
        answer = await act(server, turn(writer=lambda piece: shown.append(piece or "")))
    assert answer == GOOD
    assert shown == []
    assert 'The text uses the word "copper".' in server.asked[0]["messages"][-1]["content"]


async def test_what_the_brief_still_lacks_is_told_and_the_better_text_is_sent() -> None:
    async with model(says(POOR), says(GOOD)) as server:
        assert await act(server, turn()) == GOOD
        told = server.asked[1]["messages"][-1]["content"]
        assert 'the text uses the word "copper"; the text ends with a question' in told


async def test_of_poor_texts_the_one_that_misses_least_is_sent() -> None:
    async with model(says(POOR), says("A copper cup."), says(POOR)) as server:
        assert await act(server, turn()) == "A copper cup."


async def test_what_models_wrap_around_a_text_is_removed() -> None:
    wrapped = f'Sure, here is your post:\n\n"{GOOD}"'
    async with model(says(wrapped)) as server:
        assert await act(server, turn()) == GOOD


async def test_a_text_that_stays_too_long_is_cut_after_a_sentence() -> None:
    long = says("One copper snail won. " * 20)
    async with model(long, long, long) as server:
        answer = await act(server, turn())
    assert answer.endswith("snail won.")
    assert 200 < len(answer) <= 280


async def test_a_small_model_writes_over_a_sheet_of_the_brief() -> None:
    parts = {"part1": "Three snails wait.", "part2": "Who drinks from the copper cup?"}
    async with model(says(json.dumps(parts))) as server:
        answer = await act(server, turn(), model="SmolLM2-135M-Instruct")
    assert answer == "Three snails wait. Who drinks from the copper cup?"
    schema = server.asked[0]["response_format"]["json_schema"]["schema"]
    assert list(schema["properties"]) == ["part1", "part2"]


async def test_a_server_without_schemas_is_asked_in_words() -> None:
    refusal = Script('{"error": "response_format"}', status=400)
    async with model(refusal, says(GOOD)) as server:
        assert await act(server, turn(), model="SmolLM2-135M-Instruct") == GOOD
    assert "response_format" not in server.asked[1]


def test_a_text_that_meets_its_brief_has_no_weakness() -> None:
    assert weakness(GOOD, turn()) is None
    found = weakness(POOR, turn())
    assert found is not None
    assert found.fault is AnswerFault.OFF_BRIEF
    assert better(POOR, GOOD, turn()) == better(GOOD, POOR, turn()) == GOOD


@pytest.mark.parametrize(
    ("raw", "tidy"),
    [
        ("```\na\nb\n```", "a\nb"),
        ("Here is a poem about rain:\na\n\nb", "a\nb"),
        ("Here is the bakery:", "Here is the bakery:"),
        ("**Night Baker**\nCome.", "Night Baker\nCome."),
        ('"all of it"', "all of it"),
        ('"Go," she said, "now"', '"Go," she said, "now"'),
    ],
)
def test_tidying(raw: str, tidy: str) -> None:
    assert prose.tidy_text(raw) == tidy


@pytest.mark.parametrize(
    ("text", "limit", "whole", "fit"),
    [
        ("One. Two.", 9, True, "One. Two."),
        ("One. Two. Thr", 9, True, "One. Two."),
        ("One. Two. Thr", 99, False, "One. Two."),
        ("One\nTwo\nThr", 99, False, "One\nTwo"),
        ('He said "go." Then', 99, False, 'He said "go."'),
        ("no end at all", 5, True, ""),
    ],
)
def test_fitting(text: str, limit: int, whole: bool, fit: str) -> None:
    assert prose.fitted(text, limit, whole=whole) == fit


@given(st.text(max_size=400), st.sampled_from(["stop", "length", "time", "broken"]))
def test_what_is_salvaged_is_always_legal(text: str, finish: str) -> None:
    saved = salvage(Reply(text, finish), turn())
    assert saved is None or diagnose(Reply(saved), turn()) is None


def written(pattern: str, rng: random.Random) -> str:
    """Some string of the few forms of pattern that sheets use, anchored at both ends."""
    body = pattern.removeprefix("^").removesuffix("$")
    out, at = "", 0
    while at < len(body):
        piece, at = _piece(body, at)
        low, high = 1, 1
        if body[at : at + 1] in ("{", "?", "*", "+"):
            low, high, at = _times(body, at)
        out += "".join(_one(piece, rng) for _ in range(rng.randint(low, high)))
    return out


def _piece(body: str, at: int) -> tuple[str, int]:
    """A character, an escape, a class or a group, and where it ends."""
    if body[at] == "[":
        end = body.index("]", at) + 1
    elif body[at] == "(":
        depth, end = 0, at
        while True:
            depth += {"(": 1, ")": -1}.get(body[end], 0)
            end += 1
            if depth == 0:
                break
    elif body[at] == "\\":
        end = at + 2
    else:
        end = at + 1
    return body[at:end], end


def _times(body: str, at: int) -> tuple[int, int, int]:
    if body[at] in "?*+":
        least, most = {"?": (0, 1), "*": (0, 6), "+": (1, 6)}[body[at]]
        return least, most, at + 1
    end = body.index("}", at)
    low, _, high = body[at + 1 : end].partition(",")
    return int(low), int(high or low), end + 1


def _one(piece: str, rng: random.Random) -> str:
    if piece[0] == "(":
        return written(rng.choice(piece[1:-1].split("|")), rng)
    if piece[0] == "[":
        letters = {"[A-Z]": "ABC", "[a-z]": "xyz", "[a-z']": "xyz", "[.]": "."}[piece]
        return rng.choice(letters)
    return piece[-1]


@pytest.mark.parametrize("form", ["tweet", "job-listing", "advert", "story", "poem", "explanation"])
def test_whatever_a_sheet_lets_through_meets_the_brief(form: str) -> None:
    """But for titles, which may be a few words longer than what is counted."""
    for seed in range(150):
        rng, asked = random.Random(seed), turn({"form": form}, seed)
        sheet = prose.sheet_of(asked.view)
        parts = [written(pattern, rng) for pattern in sheet.patterns]
        for pattern, part in zip(sheet.patterns, parts, strict=True):
            assert re.match(pattern, part)
        text = sheet.joined(parts)
        titled = any(each["is"] == "title" for each in asked.view["constraints"])
        missed = [
            each for each in prose.missing(text, asked.view) if not (titled and "words" in each)
        ]
        assert missed == [], (text, sheet)
