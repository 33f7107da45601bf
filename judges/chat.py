"""One question to an OpenAI-compatible model server, one answer."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import msgspec

from judges.faults import JudgeUnavailable
from judges.leaning import Alternatives
from judges.prompt import Message

CONNECT_S = 5.0
TOP_LOGPROBS = 20
"""The most that OpenAI's API allows."""
MAX_RESPONSE = 1024 * 1024
"""Bytes of a response that are read."""


class Usage(msgspec.Struct, frozen=True):
    """Zeros where the server does not say."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class Answer(msgspec.Struct, frozen=True):
    text: str
    usage: Usage
    alternatives: Alternatives = ()
    """See `judges.leaning`; empty when not asked for or not told."""


class _Alternative(msgspec.Struct):
    token: str
    logprob: float


class _Token(msgspec.Struct):
    token: str
    top_logprobs: list[_Alternative] = []


class _Logprobs(msgspec.Struct):
    content: list[_Token] | None = None


class _Reply(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    message: _Reply
    logprobs: _Logprobs | None = None


class _Completion(msgspec.Struct):
    """The part of a chat completion that is used; unknown fields are ignored."""

    choices: list[_Choice]
    usage: Usage | None = None


class Chat:
    """A client of one model. Safe to use from several tasks."""

    def __init__(
        self,
        *,
        url: str,
        model: str,
        api_key: str = "",
        cache: bool = True,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`url` is the API's base, `…/v1`; `transport` is for tests.

        Without `cache` a llama.cpp server is told to answer from the prompt alone: with what it kept of
        an earlier prompt its probabilities move. Other servers may refuse the word.
        """
        self.model = model
        self._cache = cache
        self._http = httpx.AsyncClient(
            base_url=url,
            headers={"Authorization": f"Bearer {api_key}"} if api_key else {},
            timeout=httpx.Timeout(None, connect=CONNECT_S),  # the whole answer is bounded by `ask`
            transport=transport,
            trust_env=False,
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def ask(
        self,
        talk: tuple[Message, ...],
        schema: dict[str, Any],
        *,
        max_tokens: int,
        timeout_s: float,
        logprobs: bool = False,
    ) -> Answer:
        """The model's answer at temperature 0 with a fixed seed, held to the schema where the server
        can do that. Raises JudgeUnavailable, after `timeout_s` at the latest."""
        request = {
            "model": self.model,
            "messages": [{"role": each.role, "content": each.content} for each in talk],
            "temperature": 0,
            "seed": 0,
            "max_tokens": max_tokens,
            "response_format": {
                "type": "json_schema",
                "json_schema": {"name": "answer", "strict": True, "schema": schema},
            },
        }
        if logprobs:
            request |= {"logprobs": True, "top_logprobs": TOP_LOGPROBS}
        if not self._cache:
            request["cache_prompt"] = False
        return _read(await self._post(request, timeout_s))

    async def _post(self, request: dict[str, Any], timeout_s: float) -> bytes:
        try:
            async with asyncio.timeout(timeout_s):
                async with self._http.stream("POST", "chat/completions", json=request) as response:
                    if not response.is_success:
                        raise JudgeUnavailable(f"the model server answered {response.status_code}")
                    body = bytearray()
                    async for chunk in response.aiter_bytes():
                        body += chunk
                        if len(body) > MAX_RESPONSE:
                            raise JudgeUnavailable(
                                f"the model server sent more than {MAX_RESPONSE} bytes"
                            )
        except (httpx.HTTPError, TimeoutError) as error:
            raise JudgeUnavailable(f"no answer ({type(error).__name__})") from error
        return bytes(body)


def _read(body: bytes) -> Answer:
    try:
        completion = msgspec.json.decode(body, type=_Completion)
        choice = completion.choices[0]
    except (msgspec.DecodeError, UnicodeDecodeError, IndexError) as error:
        raise JudgeUnavailable(f"the model server's answer is no completion ({error})") from None
    told = choice.logprobs.content if choice.logprobs else None
    return Answer(
        text=choice.message.content or "",
        usage=completion.usage or Usage(),
        alternatives=tuple(
            (each.token, {other.token: other.logprob for other in each.top_logprobs})
            for each in told or ()
        ),
    )
