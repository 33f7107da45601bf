"""Lua scripts, by file: called by their hash, sent in full only to a Redis that does not know them.

redis-py's own `register_script` asks `SCRIPT EXISTS` before every pipeline; here a pipeline costs one
round trip, and only a `NOSCRIPT` answer (Redis was restarted) costs more.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

_FOLDER = Path(__file__).parent
CHUNK = 64
"""Calls sent in one pipeline: enough to hide the round trip; while Redis runs one, the next is packed."""

Call = tuple[Sequence[str], Sequence[Any]]
"""Keys and arguments of one call."""


class Script:
    """One Lua script. All keys of a call lie in one slot of a Redis Cluster."""

    def __init__(self, *files: str) -> None:
        """`files` are read from this folder and joined in order."""
        self.source = "\n".join((_FOLDER / file).read_text(encoding="utf-8") for file in files)
        # Redis names scripts by SHA-1; nothing is protected by it.
        self.sha = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()

    async def run(self, redis: Redis, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """The script's answer. Raises redis.exceptions.RedisError."""
        try:
            answer: Any = redis.evalsha(self.sha, len(keys), *keys, *args)
            return await answer
        except NoScriptError:
            answer = redis.eval(self.source, len(keys), *keys, *args)
            return await answer

    async def run_all(self, redis: Redis, calls: Sequence[Call]) -> list[Any]:
        """The answers of many calls, in order, by few round trips at the same time.

        Calls on the same channel belong into different rounds.
        When the connection breaks half-way some calls may have run: callers use idempotent scripts
        and repeat all of them. Raises redis.exceptions.RedisError.
        """
        chunks = [calls[start : start + CHUNK] for start in range(0, len(calls), CHUNK)]
        answers = await asyncio.gather(*(self._pipelined(redis, chunk) for chunk in chunks))
        return [answer for chunk in answers for answer in chunk]

    async def _pipelined(self, redis: Redis, calls: Sequence[Call]) -> list[Any]:
        answers = await self._attempt(redis, calls)
        if any(isinstance(answer, NoScriptError) for answer in answers):
            await redis.script_load(self.source)
            missed = [i for i, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            again = await self._attempt(redis, [calls[i] for i in missed])
            for i, answer in zip(missed, again, strict=True):
                answers[i] = answer
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    async def _attempt(self, redis: Redis, calls: Sequence[Call]) -> list[Any]:
        async with redis.pipeline(transaction=False) as pipeline:
            for keys, args in calls:
                pipeline.evalsha(self.sha, len(keys), *keys, *args)
            answers: list[Any] = await pipeline.execute(raise_on_error=False)
            return answers


@cache
def script(*files: str) -> Script:
    """The script of these files, read once."""
    return Script(*files)
