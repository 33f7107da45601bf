"""Plays with a language model behind an OpenAI-compatible server.

One turn: ask; look at the answer (`faults`); if it cannot be sent, tell the model what was wrong and ask again,
`tries` times in all while time lasts; then send what can be saved of the best bad answer; then, as a
last resort, the last whole bad answer itself, so that the arena says what is wrong with it. Where the
model's server gave none of these (dead, silent, broken off), nothing is sent: ModelError. On the arena's second attempt the
model is told why the first did not count. What is written is streamed as it comes.

For small models there are three helps, all by JSON schema: bids and marks are constrained to the
legal ones, verses are written over a rhyme sheet (`rhymes`), and texts over a sheet of what their brief
demands (`prose`). A server that refuses schemas is asked without them from then on.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from contextlib import aclosing, nullcontext, suppress
from random import Random
from typing import Annotated, Any

import httpx
import msgspec
import structlog
from msgspec import Meta

from bots.brains import prose, rap, rhymes
from bots.brains.faults import (
    AnswerFault,
    Reply,
    better,
    diagnose,
    salvage,
    tidy_verse,
    weakness,
)
from bots.brains.openai import (
    ChatClient,
    Message,
    ModelError,
    ModelRefused,
    ModelUnavailable,
    Sampling,
    StreamBroken,
)
from bots.turn import Turn
from spaces import registry

RESERVE_S = 1.5
"""Kept for the way to the arena: no model call lasts into the last moments before the deadline."""
REPLY_CHARS = 8_192
"""More than any answer needs; a model that rambles on is cut off here."""
SHEET_LINE_CHARS = 60
"""Lines over a rhyme sheet are about this long; with less room the model writes freely."""
_SMALL = re.compile(r"(?<![0-9])[0-9]{2,3}M(?![A-Za-z])", re.IGNORECASE)

log = structlog.get_logger()


class LlmSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What makes a version of a hosted agent."""

    url: str
    """Base URL of the server, mostly ending in `/v1`."""
    model: str
    api_key: str = ""
    system: Annotated[str, Meta(max_length=4_000)] = "You are a sharp and playful contestant."
    temperature: Annotated[float, Meta(ge=0, le=2)] = 0.8
    top_p: Annotated[float, Meta(gt=0, le=1)] = 0.95
    max_tokens: Annotated[int, Meta(ge=8, le=4_096)] = 200
    seed: Annotated[int, Meta(ge=0, le=2**30)] | None = None
    tries: Annotated[int, Meta(ge=1, le=8)] = 3
    """Calls of the model for one attempt, at most."""
    constrain: bool = True
    """Ask for bids and marks under a JSON schema of the legal ones."""
    rhyme_sheet: bool | None = None
    """Write verses over a rhyme sheet, and texts over a sheet of their brief's demands. None: for models
    whose name says that they have less than a billion parameters, e.g. `SmolLM2-135M-Instruct`."""


class Question(msgspec.Struct, frozen=True):
    """What a turn asks of the model, and in which form the answer comes."""

    messages: list[Message]
    schema: Mapping[str, Any] | None = None
    shown: bool = False
    """Whether spectators may see it being written as it is."""
    joined: Callable[[list[str]], str] | None = None
    """Makes the answer of the parts that were written over a sheet; None: there is no sheet."""


class LlmBrain:
    """Plays any Space whose prompt says how to answer; knows rap battles best."""

    def __init__(
        self,
        settings: LlmSettings,
        limit: asyncio.Semaphore | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        """`limit` and `http` are shared by all brains that use one server; None: no limit of ours, and
        connections of its own, which `close` closes."""
        self._settings = settings
        self._client = ChatClient(settings.url, settings.model, settings.api_key, http)
        self._limit = limit
        self._schemas = True
        self._rng = Random(settings.seed)  # noqa: S311 # end words, not secrets
        small = settings.rhyme_sheet is None and is_small(settings.model)
        self._sheets = bool(settings.rhyme_sheet) or small

    async def close(self) -> None:
        await self._client.close()

    async def act(self, turn: Turn) -> str:
        """Raises ModelError when the model's server fails and no answer can be saved; the SDK then
        calls again while time lasts."""
        question = self._question(turn)
        said: list[Message] = []
        spare: str | None = None
        bad: str | None = None
        for number in range(self._settings.tries):
            if number:
                turn.restart()
                question = self._question(turn) if question.joined else question  # a new draw
            before_s = turn.time_left_s
            try:
                reply, question = await self._ask_plainly(turn, question, said, number)
            except ModelError as error:
                if spare is None and not bad:
                    raise
                log.warning("llm_failed_later", reason=str(error), call=number)
                break  # what came before it is better than nothing
            took_s = before_s - turn.time_left_s
            diagnosis = diagnose(reply, turn) or weakness(reply.text, turn)
            if diagnosis is None:
                return reply.text
            log.info("llm_answer_fault", fault=diagnosis.fault.value, space=turn.space, call=number)
            spare = better(salvage(reply, turn), spare, turn)
            bad = reply.text if reply.whole else bad or None  # the last word is the server's
            if turn.time_left_s <= took_s + RESERVE_S:
                break  # no time for another one like this
            if diagnosis.fault is AnswerFault.UNANSWERED:
                continue  # there is nothing to correct
            said = [Message("assistant", reply.text)] if reply.text.strip() else []
            said.append(Message("user", _correction(diagnosis.reason)))
        answer = spare if spare is not None else bad
        if answer is None:
            raise ModelUnavailable(
                f"the model {self._settings.model!r} gave no whole answer in time"
            )
        return answer

    # ------------------------------------------------------------------ the question

    def _question(self, turn: Turn) -> Question:
        system = self._settings.system
        if turn.kind == "verse" and turn.space == "rap-battle":
            roomy = turn.view["char_limit"] >= SHEET_LINE_CHARS * turn.view["bars"]
            if self._sheets and self._schemas and roomy:
                sheet = rhymes.draw(turn.view["bars"], self._rng)
                return Question(
                    rap.with_sheet(system, turn.view, sheet), rhymes.schema(sheet), True, "\n".join
                )
            messages = rap.freely(system, turn.view, turn.seat)
            return Question(_with_fault(messages, turn), shown=True)
        if turn.kind == "text" and turn.space == "writing" and self._sheets and self._schemas:
            form = prose.sheet_of(turn.view)
            return Question(
                prose.with_sheet(system, turn.view), form.schema, shown=False, joined=form.joined
            )
        messages = [Message("system", system), Message("user", turn.prompt)]
        schema = None
        if self._settings.constrain and self._schemas:
            with suppress(registry.UnknownSpace):
                space = registry.get_offered(turn.space)
                schema = space.answer_schema(turn.kind, turn.view, turn.seat)
        # Texts are sealed: nobody may see them before all are in, and the arena shows no piece of one.
        shown = schema is None and turn.kind != "text"
        return Question(_with_fault(messages, turn), schema, shown=shown)

    def _sampling(self, number: int) -> Sampling:
        settings = self._settings
        return Sampling(
            temperature=settings.temperature,
            top_p=settings.top_p,
            max_tokens=settings.max_tokens,
            seed=None if settings.seed is None else settings.seed + number,
            frequency_penalty=0.2 if self._sheets else None,
            presence_penalty=0.2 if self._sheets else None,
        )

    # ------------------------------------------------------------------ the answer

    async def _ask_plainly(
        self, turn: Turn, question: Question, said: list[Message], number: int
    ) -> tuple[Reply, Question]:
        """Ask; once more in words, if the server knows no schemas. Also the question that was asked."""
        try:
            return await self._ask(turn, question, said, number), question
        except ModelRefused as error:
            if question.schema is None or error.status not in (400, 422, 501):
                raise
        self._schemas = False
        question = self._question(turn)
        return await self._ask(turn, question, said, number), question

    async def _ask(self, turn: Turn, question: Question, said: list[Message], number: int) -> Reply:
        """One call of the model, within what is left of the turn's time."""
        # Under a sheet a new draw mends more than words about the last one.
        messages = question.messages if question.joined else [*question.messages, *said]
        answer = _Answer(turn, question)
        finish = "time"
        stream = self._client.stream(messages, self._sampling(number), schema=question.schema)
        try:
            async with (
                asyncio.timeout(max(0.1, turn.time_left_s - RESERVE_S)),
                self._limit or nullcontext(),
                aclosing(stream),
            ):
                async for chunk in stream:
                    await answer.add(chunk.text)
                    finish = chunk.finish or finish
                    if answer.complete:
                        finish = "length"
                        break
        except TimeoutError:
            finish = "time"
        except StreamBroken as error:
            log.warning("llm_stream_broken", reason=str(error))
            finish = "broken"
        return answer.reply(finish)


class _Answer:
    """An answer as it comes in: shown piece by piece, bounded, and read at its end."""

    def __init__(self, turn: Turn, question: Question) -> None:
        self._turn = turn
        self._question = question
        self._reader = rhymes.LineReader()
        self._text = ""
        self._full = False

    async def add(self, piece: str) -> None:
        self._text += piece
        shown = self._reader.feed(piece) if self._question.joined else piece
        if shown and self._question.shown:
            await self._turn.write(shown)

    @property
    def complete(self) -> bool:
        """Whether the rest of the stream can only do harm: enough whole lines, or far too much."""
        if self._turn.kind == "verse" and not self._question.joined:
            bars = self._turn.view["bars"]
            # The line after the last bar has begun, so the last bar is whole.
            self._full = len(tidy_verse(self._text + ".").split("\n")) > bars
        return self._full or len(self._text) > REPLY_CHARS

    def reply(self, finish: str) -> Reply:
        """`finish` as the server said it, or `time`, `broken`."""
        if self._question.joined is not None:
            lines = rap.from_json(self._text)
            if lines is not None:
                return Reply(self._question.joined(lines), finish)
            return Reply(self._reader.text, "length" if finish == "stop" else finish)
        if self._turn.kind == "text":
            return Reply(prose.tidy_text(self._text[:REPLY_CHARS]), finish)
        if self._turn.kind != "verse":
            return Reply(self._text[:REPLY_CHARS], finish)
        if self._full:
            lines = tidy_verse(self._text).split("\n")[: self._turn.view["bars"]]
            return Reply("\n".join(lines))
        return Reply(tidy_verse(self._text[:REPLY_CHARS]), finish)


def is_small(model: str) -> bool:
    """Whether the model's name says that it has less than a billion parameters."""
    return _SMALL.search(model) is not None


def _with_fault(messages: list[Message], turn: Turn) -> list[Message]:
    """On the arena's second attempt the model hears why the first did not count."""
    if turn.fault is None:
        return messages
    last = messages[-1]
    words = f"{last.content}\n\nYour first answer did not count: {turn.fault}"
    return [*messages[:-1], Message(last.role, words)]


def _correction(reason: str) -> str:
    return f"Your answer cannot be used: {reason}. Answer again, with nothing else."
