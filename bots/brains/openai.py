"""A streaming client of OpenAI-compatible chat completions, over httpx.

Speaks to OpenAI, vLLM, llama.cpp and their like. Only what those share is used: messages, sampling,
stop sequences, `response_format` with a JSON schema, server-sent events. No prompt is logged.

    ModelError
    ├── ModelUnavailable   no answer, or 429/5xx, after every retry; or none in time
    ├── ModelRefused       another 4xx: the request itself is at fault, or the key
    └── StreamBroken       the stream ended in the middle
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import httpx
import msgspec
from msgspec import Meta

from bots.api import is_loopback
from bots.errors import HostFault

CONNECT_S = 5.0
SILENCE_S = 60.0
"""Between two chunks; a small machine may think for a while before the first."""
RETRIES = 4
FIRST_PAUSE_S = 0.5
MAX_PAUSE_S = 20.0
REASON_CHARS = 300
MAX_LINE_BYTES = 1024 * 1024
"""One event of the stream; more is no chat completion."""


class ModelError(HostFault):
    """The model's server did not give an answer. Never the fault of the prompt's words."""

    public_reason = "its model did not answer"


class ModelUnavailable(ModelError):
    """Try again later."""


class ModelRefused(ModelError):
    """Trying again would not help."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"the model's server refuses: {status} {reason}")
        self.status = status


class StreamBroken(ModelError):
    """Some of the answer has been read, the rest will not come."""


class Message(msgspec.Struct, frozen=True):
    role: Literal["system", "user", "assistant"]
    content: str


class Sampling(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """As the API names them; None leaves it to the server."""

    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Meta(ge=1, le=8_192)] | None = None
    seed: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    frequency_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None
    presence_penalty: Annotated[float, Meta(ge=-2, le=2)] | None = None


class Chunk(msgspec.Struct, frozen=True):
    """A piece of the answer. `finish` stands in the last one: `stop`, `length`, …"""

    text: str
    finish: str | None = None


class _Delta(msgspec.Struct):
    content: str | None = None


class _Choice(msgspec.Struct):
    delta: _Delta = msgspec.field(default_factory=_Delta)
    finish_reason: str | None = None


class _Event(msgspec.Struct):
    choices: list[_Choice] = []
    error: Any = None


class ChatClient:
    """One model at one server. Safe to share between tasks; `close` when done."""

    def __init__(
        self, url: str, model: str, api_key: str = "", http: httpx.AsyncClient | None = None
    ) -> None:
        """`url` ends where `/chat/completions` is to be added, mostly in `/v1`. `http` is another's
        (`http_client`), for many clients of one server: it is used, and not closed."""
        self.model = model
        self._url = url.rstrip("/") + "/chat/completions"
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._http = http
        self._owned = http is None
        self._rng = random.Random()  # noqa: S311 # jitter

    async def close(self) -> None:
        if not self._owned:
            return
        http, self._http = self._http, None
        if http is not None:
            await http.aclose()

    async def stream(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        *,
        stop: Sequence[str] = (),
        schema: Mapping[str, Any] | None = None,
    ) -> AsyncGenerator[Chunk, None]:
        """The answer, piece by piece; the last chunk has `finish`. Raises ModelError.

        Retries until the first byte of a good answer, never after it. Closing the iterator early
        (`aclosing`) or cancelling closes the connection, by which servers stop generating. Bound the
        whole by `asyncio.timeout`.
        """
        body = self._body(messages, sampling, stop, schema)
        async with self._answer(body) as response:
            finish: str | None = None
            try:
                async for data in _events(response):
                    chunk = _read(data)
                    finish = chunk.finish or finish
                    if chunk.text:
                        yield Chunk(chunk.text)
            except httpx.HTTPError as error:
                raise StreamBroken(f"the stream broke: {type(error).__name__}") from error
            if finish is None:
                raise StreamBroken("the stream ended without a finish reason")
            yield Chunk("", finish)

    def _body(
        self,
        messages: Sequence[Message],
        sampling: Sampling,
        stop: Sequence[str],
        schema: Mapping[str, Any] | None,
    ) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": msgspec.to_builtins(messages),
            "stream": True,
            **msgspec.to_builtins(sampling),
        }
        if stop:
            body["stop"] = list(stop)
        if schema is not None:
            named = {"name": "answer", "strict": True, "schema": schema}
            body["response_format"] = {"type": "json_schema", "json_schema": named}
        return body

    @asynccontextmanager
    async def _answer(self, body: dict[str, Any]) -> AsyncIterator[httpx.Response]:
        """A response with status 200, its body unread."""
        for attempt in range(RETRIES + 1):
            last = attempt == RETRIES
            pause = min(MAX_PAUSE_S, FIRST_PAUSE_S * 2**attempt) * self._rng.uniform(0.5, 1.0)
            request = self._client().build_request(
                "POST", self._url, json=body, headers=self._headers
            )
            try:
                response = await self._client().send(request, stream=True)
            except httpx.HTTPError as error:
                if last:
                    raise ModelUnavailable(
                        f"no answer from the model at {self._url} ({type(error).__name__})"
                    ) from error
                await asyncio.sleep(pause)
                continue
            try:
                if response.status_code == 200:
                    yield response
                    return
                await self._refuse(response, last=last)
                pause = max(pause, _retry_after_s(response))
            finally:
                await response.aclose()
            await asyncio.sleep(min(pause, MAX_PAUSE_S))

    async def _refuse(self, response: httpx.Response, *, last: bool) -> None:
        """Raise for an answer that is no 200, unless it is worth another try."""
        status = response.status_code
        if status == 429 or status >= 500:
            if last:
                raise ModelUnavailable(f"the model's server answers {status} at every try")
            return
        text = (await response.aread()).decode("utf-8", "replace")
        raise ModelRefused(status, " ".join(text.split())[:REASON_CHARS])

    def _client(self) -> httpx.AsyncClient:
        # Made late: a client belongs to the event loop in which it is first used.
        if self._http is None:
            self._http = http_client(self._url)
        return self._http


def http_client(url: str) -> httpx.AsyncClient:
    """Connections to the server at `url`, for one event loop."""
    return httpx.AsyncClient(
        timeout=httpx.Timeout(SILENCE_S, connect=CONNECT_S),
        trust_env=not is_loopback(url),
        verify=urlsplit(url).scheme == "https",
    )


async def _events(response: httpx.Response) -> AsyncIterator[str]:
    """The data of each server-sent event until `[DONE]` (WHATWG HTML, 9.2.6; one line each)."""
    async for line in response.aiter_lines():
        if len(line) > MAX_LINE_BYTES:
            raise StreamBroken(f"an event of more than {MAX_LINE_BYTES} bytes")
        name, _, value = line.partition(":")
        if name != "data":
            continue  # comments, blank lines, other fields
        data = value.removeprefix(" ")
        if data == "[DONE]":
            return
        yield data


def _read(data: str) -> Chunk:
    try:
        event = msgspec.json.decode(data, type=_Event)
    except msgspec.DecodeError as error:
        raise StreamBroken(f"an event is no chat completion: {error}") from None
    if event.error is not None:
        raise StreamBroken(f"the model's server reports {str(event.error)[:REASON_CHARS]}")
    if not event.choices:
        return Chunk("")  # e.g. usage
    choice = event.choices[0]
    return Chunk(choice.delta.content or "", choice.finish_reason)


def _retry_after_s(response: httpx.Response) -> float:
    """The seconds form of Retry-After (RFC 9110, 10.2.3); 0 without one."""
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else 0.0
