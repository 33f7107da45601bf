"""A judge that asks a language model over the OpenAI API.

The answer is constrained by a JSON Schema where the server can do that, read strictly in any case, and
asked for again with the reason when it cannot be used. After the last attempt a JudgeFault is raised;
there is no default score. The model is asked at temperature 0 with a fixed seed, so the same case and
nonce give the same answer from a server that computes deterministically.
"""

from __future__ import annotations

import asyncio
import functools
import time
from importlib import resources
from typing import Any

import httpx
import msgspec

from judges import panel, prompt
from judges.case import Case
from judges.faults import JudgeFault, JudgeUnavailable, JudgeUnreadable
from judges.parse import Ballot, read_ballot
from judges.prompt import Message
from judges.rubric import Rubric
from judges.verdict import Opinion

ATTEMPTS = 3
"""Questions per order before the judge gives up."""
BACKOFF_S = 0.5
"""Before asking a server again that could not answer; doubles each time."""
TOKENS_PER_LINE = 80
"""Room in the answer for one rubric line of two seats: about twice what it needs."""
MAX_TOLD_BACK = 600
"""Characters of a bad answer that the model is shown again."""


class Call(msgspec.Struct, frozen=True):
    """One question to a model that was answered with a ballot."""

    model: str
    order: tuple[int, ...]
    attempts: int
    """Questions it took; 1 is the first answer."""
    prompt_tokens: int
    completion_tokens: int
    """Of the last question; 0 where the server does not say."""
    latency_ms: int
    """All attempts together."""


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Reply(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Reply
    finish_reason: str | None = None


class _Completion(msgspec.Struct):
    """The part of a chat completion that is used; unknown fields are ignored."""

    choices: list[_Choice]
    usage: _Usage | None = None


class _Answer(msgspec.Struct, frozen=True):
    text: str
    usage: _Usage


class ModelJudge:
    """One model's opinion of a case. Safe to use from several tasks."""

    def __init__(
        self,
        *,
        url: str,
        model: str,
        api_key: str = "",
        timeout_s: float = 60.0,
        attempts: int = ATTEMPTS,
        backoff_s: float = BACKOFF_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`url` is the API's base, `…/v1`; `timeout_s` is for one answer; `transport` is for tests."""
        self.model = model
        self._attempts = attempts
        self._backoff_s = backoff_s
        self._timeout_s = timeout_s
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(timeout_s, connect=min(5.0, timeout_s)),
            transport=transport,
            trust_env=False,
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def opinion(
        self, rubric: Rubric, case: Case, nonce: str
    ) -> tuple[Opinion, tuple[Call, ...]]:
        """Judge the case in every order of its seats and take the mean. Raises JudgeFault.

        Cancelling is safe: nothing is kept between calls.
        """
        template = load_prompt(rubric.prompt)
        ballots: list[Ballot] = []
        calls: list[Call] = []
        for order in prompt.orders(case.seats):  # in turn: they share the server's cached prefix
            question = prompt.build(template, rubric, case, order, nonce)
            ballot, call = await self._ballot(rubric, order, question)
            ballots.append(ballot)
            calls.append(call)
        return panel.opinion(self.model, ballots), tuple(calls)

    async def _ballot(
        self, rubric: Rubric, order: tuple[int, ...], question: tuple[Message, ...]
    ) -> tuple[Ballot, Call]:
        started = time.monotonic()
        talk = question
        fault: JudgeFault = JudgeUnavailable("the judge was not asked")
        for attempt in range(1, self._attempts + 1):
            try:
                answer = await self._ask(rubric, len(order), talk)
            except JudgeUnavailable as error:
                fault = error
                if attempt < self._attempts:
                    await asyncio.sleep(self._backoff_s * 2 ** (attempt - 1))
                continue
            try:
                ballot = read_ballot(rubric, order, answer.text)
            except JudgeUnreadable as error:
                fault = error
                talk = (*question, *_told(answer.text, error))
                continue
            latency_ms = int((time.monotonic() - started) * 1_000)
            usage = answer.usage
            return ballot, Call(
                self.model, order, attempt, usage.prompt_tokens, usage.completion_tokens, latency_ms
            )
        raise type(fault)(f"{self.model}: {fault.reason} (after {self._attempts} attempts)")

    async def _ask(self, rubric: Rubric, seats: int, talk: tuple[Message, ...]) -> _Answer:
        try:
            async with asyncio.timeout(self._timeout_s):  # httpx bounds each read, not their sum
                response = await self._http.post(
                    "chat/completions", json=self._request(rubric, seats, talk)
                )
        except (httpx.TransportError, TimeoutError) as error:
            raise JudgeUnavailable(f"no answer ({type(error).__name__})") from error
        if not response.is_success:
            raise JudgeUnavailable(f"the model server answered {response.status_code}")
        try:
            completion = msgspec.json.decode(response.content, type=_Completion)
            choice = completion.choices[0]
        except (msgspec.DecodeError, IndexError) as error:
            raise JudgeUnavailable(
                f"the model server's answer is no completion ({error})"
            ) from None
        return _Answer(choice.message.content or "", completion.usage or _Usage())

    def _request(self, rubric: Rubric, seats: int, talk: tuple[Message, ...]) -> dict[str, Any]:
        return {
            "model": self.model,
            "messages": [{"role": each.role, "content": each.content} for each in talk],
            "temperature": 0,
            "seed": 0,
            "max_tokens": TOKENS_PER_LINE * len(rubric.lines),
            "response_format": {
                "type": "json_schema",
                "json_schema": {
                    "name": "scores",
                    "strict": True,
                    "schema": prompt.answer_schema(rubric, seats),
                },
            },
        }


def _told(answer: str, error: JudgeUnreadable) -> tuple[Message, Message]:
    return (
        Message("assistant", answer[:MAX_TOLD_BACK]),
        Message("user", f"That cannot be used: {error.reason}. Answer again, with the JSON only."),
    )


@functools.cache
def load_prompt(name: str) -> str:
    """The versioned prompt of that name (`judges/prompts/<name>.txt`)."""
    return resources.files("judges").joinpath("prompts", f"{name}.txt").read_text(encoding="utf-8")
