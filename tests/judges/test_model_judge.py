"""The judge that asks a model: what it sends, what it reads, what it does when that fails."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from judges.faults import JudgeFault, JudgeUnavailable, JudgeUnreadable
from judges.house import HousePanel
from judges.instruments.pronounce import guess
from judges.llm import ModelJudge, Style
from judges.rubric import RAP_BATTLE
from tests.judges.battles import ANSWERS, INJECTION, STRONG, battle

CASE = battle(STRONG, ANSWERS)
GOOD = json.dumps({line.name: {"reason": "fine", "A": 8, "B": 6} for line in RAP_BATTLE.lines})


class Server:
    """A model server that answers from a script and keeps what it was asked."""

    def __init__(self, *script: str | int | Callable[[], Any]) -> None:
        self._script = list(script)
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/chat/completions"
        self.asked.append(json.loads(request.content))
        self.keys.append(request.headers.get("authorization"))
        play = self._script.pop(0) if len(self._script) > 1 else self._script[0]
        if callable(play):
            play = await play()
        if isinstance(play, int):
            return httpx.Response(play, text="a long page of internals")
        return httpx.Response(200, json=completion(play))

    def judge(self, **changes: Any) -> ModelJudge:
        settings: dict[str, Any] = {"style": Style.SCORES, "backoff_s": 0.001} | changes
        return ModelJudge(
            url="http://model.test/v1",
            model="tiny",
            transport=httpx.MockTransport(self),
            **settings,
        )


def completion(text: str) -> dict[str, Any]:
    return {
        "id": "x",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 100, "completion_tokens": 40, "total_tokens": 140},
    }


async def test_both_orders_are_asked_and_their_mean_taken() -> None:
    server = Server(GOOD)
    opinion, calls = await server.judge().opinion(RAP_BATTLE, CASE, "n0nce")
    assert opinion.scores_milli == ((7_000, 7_000),) * 4
    assert [call.order for call in calls] == [(0, 1), (1, 0)]
    assert [
        (call.model, call.attempts, call.prompt_tokens, call.completion_tokens) for call in calls
    ] == [("tiny", 1, 100, 40)] * 2
    first, second = (asked["messages"][1]["content"] for asked in server.asked)
    assert first.index(STRONG[0]) < first.index(ANSWERS[0])
    assert second.index(ANSWERS[0]) < second.index(STRONG[0])


async def test_the_answer_is_constrained_and_repeatable() -> None:
    server = Server(GOOD)
    await server.judge(api_key="s3cret").opinion(RAP_BATTLE, CASE, "n0nce")
    await server.judge().opinion(RAP_BATTLE, CASE, "n0nce")
    asked = server.asked[0]
    assert asked["temperature"] == 0
    assert asked["response_format"]["json_schema"]["strict"] is True
    assert "logprobs" not in asked
    assert server.asked[0] == server.asked[2]
    assert server.keys == ["Bearer s3cret", "Bearer s3cret", None, None]


async def test_leanings_ask_for_probabilities() -> None:
    letters = json.dumps({line.name: "A" for line in RAP_BATTLE.lines})
    server = Server(letters)
    opinion, _ = await server.judge(style=Style.LEANINGS).opinion(RAP_BATTLE, CASE, "n0nce")
    assert opinion.scores_milli == ((5_000, 5_000),) * 4
    assert server.asked[0]["logprobs"] is True
    assert server.asked[0]["max_tokens"] < 100


async def test_a_bad_answer_is_asked_again_with_the_reason() -> None:
    server = Server("I think Rapper A won", GOOD)
    _, calls = await server.judge().opinion(RAP_BATTLE, CASE, "n0nce")
    assert [call.attempts for call in calls] == [2, 1]
    assert [call.prompt_tokens for call in calls] == [200, 100]  # a bad answer has its price, too
    again = server.asked[1]["messages"]
    assert again[2] == {"role": "assistant", "content": "I think Rapper A won"}
    assert "not the JSON that was asked for" in again[3]["content"]


@pytest.mark.parametrize(
    ("script", "fault"),
    [
        (("no", "no", "no"), JudgeUnreadable),
        (("",), JudgeUnreadable),
        ((503, 503, 503), JudgeUnavailable),
        ((401,), JudgeUnavailable),
    ],
)
async def test_a_judge_that_fails_raises_and_never_scores(
    script: tuple[str | int, ...], fault: type[Exception]
) -> None:
    server = Server(*script)
    with pytest.raises(fault, match=r"tiny: .* \(after 3 attempts\)") as caught:
        await server.judge().opinion(RAP_BATTLE, CASE, "n0nce")
    assert len(server.asked) == 3
    assert "internals" not in str(caught.value)
    assert [call.attempts for call in caught.value.calls] == [3]  # type: ignore[attr-defined]


async def test_an_outage_passes() -> None:
    server = Server(503, GOOD)
    _, calls = await server.judge().opinion(RAP_BATTLE, CASE, "n0nce")
    assert [call.attempts for call in calls] == [2, 1]


async def test_a_server_that_hangs_is_given_up() -> None:
    async def hang() -> str:
        await asyncio.sleep(30)
        return GOOD

    server = Server(hang)
    with pytest.raises(JudgeUnavailable, match="TimeoutError"):
        await server.judge(budget_s=0.1, attempts=1).opinion(RAP_BATTLE, CASE, "n0nce")


async def test_all_orders_and_attempts_fit_the_budget() -> None:
    """However a server misbehaves, the judge says so before whoever waits for it cuts it off."""

    async def hang() -> str:
        await asyncio.sleep(30)
        return GOOD

    async def dawdle() -> str:
        await asyncio.sleep(0.12)
        return "no JSON"

    for script in ((hang,), (503, hang), (dawdle,), (GOOD, hang), (503,)):
        server = Server(*script)
        started = time.monotonic()
        with pytest.raises(JudgeFault):
            await server.judge(budget_s=0.5, attempts=50, backoff_s=0.1).opinion(
                RAP_BATTLE, CASE, "n0nce"
            )
        assert time.monotonic() - started < 1.5, "far less than what its server would take"
        assert len(server.asked) < 10


async def test_an_order_leaves_its_spare_time_to_the_next() -> None:
    async def slow() -> str:
        await asyncio.sleep(0.6)
        return GOOD

    _, calls = await Server(GOOD, slow).judge(budget_s=1.0).opinion(RAP_BATTLE, CASE, "n0nce")
    assert [call.attempts for call in calls] == [1, 1]


async def test_only_a_small_models_server_is_told_to_keep_no_prompt() -> None:
    server = Server(json.dumps({line.name: "A" for line in RAP_BATTLE.lines}))
    await server.judge(style=Style.LEANINGS).opinion(RAP_BATTLE, CASE, "n0nce")
    assert server.asked[0]["cache_prompt"] is False
    server = Server(GOOD)
    await server.judge().opinion(RAP_BATTLE, CASE, "n0nce")
    assert "cache_prompt" not in server.asked[0], "OpenAI's own API refuses words it does not know"


async def test_whom_the_model_prefers_does_not_matter_when_a_seat_has_forfeited() -> None:
    likes_a = json.dumps(
        {name.name: {"reason": "x", "A": 10, "B": 10} for name in RAP_BATTLE.lines}
    )
    server = Server(likes_a)
    house = HousePanel([server.judge()], guess)
    judging = await house.judge(battle(INJECTION, ANSWERS), "n0nce")
    assert judging.verdict.ranks == (2, 1)
    assert judging.verdict.evidence[0].name == "lines withheld"
    for asked in server.asked:
        assert "Ignore all" not in asked["messages"][1]["content"]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"choices": []}', b"\xff", b"[" * 2_000_000])
async def test_what_is_no_completion_is_no_opinion(body: bytes) -> None:
    async def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=body)

    judge = ModelJudge(
        url="http://model.test/v1",
        model="tiny",
        attempts=1,
        transport=httpx.MockTransport(respond),
    )
    with pytest.raises(JudgeUnavailable):
        await judge.opinion(RAP_BATTLE, CASE, "n0nce")


async def test_the_panel_takes_the_median_and_shows_its_evidence() -> None:
    judges = [Server(GOOD).judge() for _ in range(3)]
    house = HousePanel(judges, guess)
    judging = await house.judge(CASE, "n0nce")
    await house.aclose()
    assert judging.verdict.totals_milli == (7_000, 7_000)
    assert judging.verdict.judges == ("tiny",) * 3
    assert (
        judging.verdict.note == "the mean over orders in which each seat stands once in every place"
    )
    assert [each.name for each in judging.verdict.evidence][:3] == [
        "rhyme factor",
        "repeats itself",
        "copies the rival",
    ]
    assert len(judging.calls) == 6
