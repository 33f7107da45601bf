"""Asks the arena's model to improve a prompt. The words are in `improving`."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import aclosing

import structlog

from bots.brains.llm import is_small
from bots.brains.openai import ChatClient, ModelError, ModelRefused
from server.agents.improving import (
    Ask,
    Improved,
    Question,
    Unusable,
    chosen,
    read_chosen,
    read_written,
    written,
)
from server.credits import Accounts
from spaces import registry
from spaces.seed import SEED_BYTES, Streams

ANSWER_CHARS = 32_768
TRIES = 2
BUDGET_S = 25.0
"""For one prompt, waiting for a turn included; clients wait 30 s."""
AT_ONCE = 2
MAX_INQUIRIES = 8

_log = structlog.get_logger()


class HelperAway(Exception):
    """The model did not answer, or nothing that could be used; trying again later may help."""


class Improver:
    """Safe to share between tasks."""

    def __init__(
        self,
        url: str,
        model: str,
        api_key: str = "",
        *,
        per_min: int = 6,
        budget_s: float = BUDGET_S,
    ) -> None:
        """`url` as `ChatClient` takes it. `per_min`: prompts of one account; each API process counts for
        itself."""
        self._server = (url, model, api_key)
        self._budget_s = budget_s
        self._small = is_small(model)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._accounts = Accounts(per_min, per_min / 60)

    def charge(self, account: str) -> int:
        """Count one prompt for the account and return 0, or count none and return the wait in ms."""
        return self._accounts.spend(account, 1, time.monotonic())

    async def improve(self, ask: Ask) -> Improved:
        """Raises HelperAway."""
        question, read = (chosen, read_chosen) if self._small else (written, read_written)
        client = ChatClient(*self._server)
        try:
            async with asyncio.timeout(self._budget_s), self._turns:
                for _ in range(TRIES):
                    try:
                        return read(ask, await _answer(client, question(ask)))
                    except Unusable as error:
                        _log.warning("prompt helper", model=client.model, reason=str(error))
        except TimeoutError:
            raise HelperAway("the model is busy; try again in a moment") from None
        except ModelError as error:
            _log.warning("prompt helper", model=client.model, reason=str(error))
            raise HelperAway("the model does not answer; try again later") from None
        finally:
            await client.close()
        raise HelperAway(
            "the model gave nothing that could be used; try again, or write it yourself"
        )


async def _answer(client: ChatClient, question: Question) -> str:
    """Asked once more in words where the server knows no schemas. Raises ModelError."""
    try:
        return await _asked(client, question, with_schema=True)
    except ModelRefused as error:
        if error.status not in (400, 422, 501):
            raise
    return await _asked(client, question, with_schema=False)


async def _asked(client: ChatClient, question: Question, *, with_schema: bool) -> str:
    schema = question.schema if with_schema else None
    text = ""
    async with aclosing(
        client.stream(question.messages, question.sampling, schema=schema)
    ) as stream:
        async for chunk in stream:
            text += chunk.text
            if len(text) > ANSWER_CHARS:
                break
    return text


def situation_of(space_id: str) -> str:
    """What an agent is shown in a Space when it must act: a made-up session's beginning. Blocks; empty where
    it cannot be made up."""
    rng = random.Random(0)  # noqa: S311 # an example
    streams = Streams(bytes(SEED_BYTES))
    try:
        space = registry.get_offered(space_id)
        state = space.initial(space.params({}), streams)
        for _ in range(MAX_INQUIRIES):
            if space.inquiry(state) is None:
                break
            state = space.learn(state, space.random_observation(state, rng), streams)
        return space.prompt(state, space.decisions(state)[0].seat)
    except Exception as error:  # a Space of another project may fail in any way; this is but a hint
        _log.info("prompt helper has no example", space=space_id, reason=repr(error))
        return ""
