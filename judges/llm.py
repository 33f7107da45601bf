"""A judge that asks a language model over the OpenAI API.

The answer is constrained by a JSON Schema where the server can do that, read strictly in any case, and
asked for again with the reason when it cannot be used. After the last attempt a JudgeFault is raised;
there is no default score.
"""

from __future__ import annotations

import asyncio
import enum
import functools
import time
from collections.abc import Sequence
from importlib import resources

import httpx
import msgspec

from judges import leaning, panel, prompt
from judges.case import Case
from judges.chat import Answer, Chat
from judges.faults import JudgeFault, JudgeUnavailable, JudgeUnreadable
from judges.leaning import Leaning, read_leaning
from judges.parse import Ballot, read_ballot
from judges.prompt import Message
from judges.rubric import Rubric
from judges.screen import screen
from judges.verdict import Opinion

ATTEMPTS = 3
"""Questions per order before the judge gives up; fewer when its time is up."""
BUDGET_S = 120.0
BACKOFF_S = 0.5
"""Before asking a server again that could not answer; doubles each time."""
MAX_TOLD_BACK = 600
"""Characters of a bad answer that the model is shown again."""


class Style(enum.StrEnum):
    """How a model is asked, always in orders in which a liking for a place cancels."""

    SCORES = "scores"
    """Points for each seat on each line, with reasons; all seats in each question, one question for
    each of `prompt.orders`. For models that can count: from about 7B."""
    LEANINGS = "leanings"
    """Which of two seats is better on each line, weighed by the model's probabilities
    (`judges.leaning`), for each of `prompt.pairs`. No reasons; works, weakly, with a 135M model."""


HOW = {
    Style.SCORES: "the mean over orders in which each seat stands once in every place",
    Style.LEANINGS: "points are how far the judge leans to each seat, asked pair by pair; even is 5.0",
}
"""How the points came about, for people."""
TOKENS_PER_LINE = {Style.SCORES: 48, Style.LEANINGS: 16}
"""Room in the answer for one rubric line, about twice what it needs: name and reason, or one letter."""
TOKENS_PER_SCORE = 16
"""The same for one seat's points on one line."""


class Call(msgspec.Struct, frozen=True):
    """One question to a model, until it had a usable answer or was given up."""

    model: str
    order: tuple[int, ...]
    attempts: int
    """Questions it took; 1 is the first answer."""
    prompt_tokens: int
    completion_tokens: int
    """Of all attempts that were answered; 0 where the server does not say."""
    latency_ms: int
    """All attempts together."""


class ModelJudge:
    """One model's opinion of a case. Safe to use from several tasks."""

    def __init__(
        self,
        *,
        url: str,
        model: str,
        api_key: str = "",
        style: Style = Style.LEANINGS,
        budget_s: float = BUDGET_S,
        attempts: int = ATTEMPTS,
        backoff_s: float = BACKOFF_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`url` is the API's base, `…/v1`; `transport` is for tests.

        `budget_s` is for one opinion: every order and every attempt. Each order but the last may use
        half of what is left of it, since one slow answer costs less than the whole opinion; a server
        that hangs leaves a JudgeUnavailable and not a cut.
        """
        self.model = model
        self._style = Style(style)
        self.how = HOW[self._style]
        self._attempts = attempts
        self._budget_s = budget_s
        self._backoff_s = backoff_s
        self._chat = Chat(
            url=url,
            model=model,
            api_key=api_key,
            cache=self._style is not Style.LEANINGS,
            transport=transport,
        )

    async def aclose(self) -> None:
        await self._chat.aclose()

    async def opinion(
        self, rubric: Rubric, case: Case, nonce: str
    ) -> tuple[Opinion, tuple[Call, ...]]:
        """Judge the case in every order that the style asks for and take the mean. Raises JudgeFault.

        Seats that have forfeited (`judges.screen`) have no points, and are left out where two others remain.

        Cancelling is safe: nothing is kept between calls.
        """
        answers, calls = await self.answers(rubric, case, nonce)
        return self.opinion_of(answers, case), calls

    def opinion_of(self, answers: Sequence[Ballot | Leaning], case: Case) -> Opinion:
        """The mean of what it answered."""
        found = self._mean(answers, case.seats)
        return panel.without(found, screen(case).forfeited)

    async def answers(
        self, rubric: Rubric, case: Case, nonce: str
    ) -> tuple[tuple[Ballot | Leaning, ...], tuple[Call, ...]]:
        """What the opinion is the mean of, order by order: how far they differ tells the liking for a place."""
        template = load_prompt(rubric.prompt, self._style)
        answers: list[Ballot | Leaning] = []
        calls: list[Call] = []
        orders = self._orders(case)
        deadline = time.monotonic() + self._budget_s
        for asked, order in enumerate(orders):  # in turn: they share the server's cached prefix
            question = prompt.build(template, rubric, case, order, nonce)
            now = time.monotonic()
            until = deadline if asked + 1 == len(orders) else now + (deadline - now) / 2
            try:
                answer, call = await self._answer(rubric, order, question, until)
            except JudgeFault as fault:
                fault.calls = (*calls, *fault.calls)
                raise
            answers.append(answer)
            calls.append(call)
        return tuple(answers), tuple(calls)

    def _orders(self, case: Case) -> tuple[tuple[int, ...], ...]:
        forfeited = screen(case).forfeited
        left = [seat for seat in range(case.seats) if seat not in forfeited]
        seats = left if len(left) > 1 else range(case.seats)
        return prompt.orders(seats) if self._style is Style.SCORES else prompt.pairs(seats)

    def _mean(self, answers: Sequence[Ballot | Leaning], seats: int) -> Opinion:
        leanings = [each for each in answers if isinstance(each, Leaning)]
        if leanings:
            return leaning.opinion(self.model, leanings, seats)
        ballots = [each for each in answers if isinstance(each, Ballot)]
        return panel.opinion(self.model, ballots, seats)

    async def _answer(
        self, rubric: Rubric, order: tuple[int, ...], question: tuple[Message, ...], until: float
    ) -> tuple[Ballot | Leaning, Call]:
        started = time.monotonic()
        talk = question
        fault: JudgeFault = JudgeUnavailable("the judge was not asked")
        attempt = prompt_tokens = completion_tokens = 0

        def call() -> Call:
            latency_ms = int((time.monotonic() - started) * 1_000)
            return Call(self.model, order, attempt, prompt_tokens, completion_tokens, latency_ms)

        while attempt < self._attempts and time.monotonic() < until:
            attempt += 1
            try:
                answer = await self._ask(rubric, len(order), talk, until - time.monotonic())
                prompt_tokens += answer.usage.prompt_tokens
                completion_tokens += answer.usage.completion_tokens
                read = self._read(rubric, order, answer)
            except JudgeUnavailable as error:
                fault = error
                if attempt < self._attempts:
                    pause_s = self._backoff_s * 2 ** (attempt - 1)
                    await asyncio.sleep(min(pause_s, max(0.0, until - time.monotonic())))
            except JudgeUnreadable as error:
                fault = error
                talk = (*question, *_told(answer.text, error))
            else:
                return read, call()
        raise type(fault)(f"{self.model}: {fault.reason} (after {attempt} attempts)", (call(),))

    async def _ask(
        self, rubric: Rubric, seats: int, talk: tuple[Message, ...], timeout_s: float
    ) -> Answer:
        scores = self._style is Style.SCORES
        schema = (prompt.scores_schema if scores else prompt.choices_schema)(rubric, seats)
        a_line = TOKENS_PER_LINE[self._style] + (TOKENS_PER_SCORE * seats if scores else 0)
        max_tokens = a_line * len(rubric.lines)
        return await self._chat.ask(
            talk, schema, max_tokens=max_tokens, timeout_s=timeout_s, logprobs=not scores
        )

    def _read(self, rubric: Rubric, order: tuple[int, ...], answer: Answer) -> Ballot | Leaning:
        if self._style is Style.SCORES:
            return read_ballot(rubric, order, answer.text)
        return read_leaning(rubric, order, answer.text, answer.alternatives)


def _told(answer: str, error: JudgeUnreadable) -> tuple[Message, Message]:
    return (
        Message("assistant", answer[:MAX_TOLD_BACK]),
        Message("user", f"That cannot be used: {error.reason}. Answer again, with the JSON only."),
    )


@functools.cache
def load_prompt(name: str, style: Style) -> str:
    """The versioned prompt of that name and style (`judges/prompts/<name>.<style>.txt`)."""
    file = resources.files("judges").joinpath("prompts", f"{name}.{style}.txt")
    return file.read_text(encoding="utf-8")
