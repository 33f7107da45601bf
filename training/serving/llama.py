"""Adapters on llama.cpp: a server takes its adapters when it starts, and each request says which of them it wants.

So an adapter is loaded by starting another server that has it beside those of the one before; it is probed
there, and once it is kept, all go to the new server. The old one answers whom it owes an answer, and ends.
Servers share the base's pages, so that another costs its adapters, its caches and a second or so.

A server asked for an adapter that it has not answers as the base, without a word. Therefore each server is asked, once
it is up, what it has and by which number, and every request says the scale of every adapter.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from training.documents.adapter import Base
from training.serving.backend import GGUF, BackendError, Target
from training.serving.llama_process import BASE_NAME, SLOTS

CAPACITY = 16
"""Adapters at once: rank 16 on all layers of SmolLM2-135M is 20 MB."""
MAX_SERVERS = 3
"""The one in use, one that is probed, and one that still owes answers."""
START_S = 60.0
DRAIN_S = 120.0
"""How long a load waits for an old server to have given its answers."""
STOP_S = 5.0
_POLL_S = 0.05
_ROOT = Path(__file__).parents[2]


class Llama:
    """A `Backend` (`backend`)."""

    at_once = SLOTS
    together = 1

    def __init__(
        self, base: Base, model: Path, *, capacity: int = CAPACITY, log: Path | None = None
    ) -> None:
        """`model`: the GGUF of the base. `log`: where the servers write what they say, else nowhere."""
        self.base = base
        self.capacity = capacity
        self._model = model
        self._log = log
        self._servers: list[_Server] = []
        """Oldest first: the newest has all adapters that are wanted."""
        self._home: dict[str | None, _Server] = {}
        """Who answers as an alias; None: as the base."""
        self._kept: set[str | None] = {None}
        self._http = httpx.AsyncClient(timeout=httpx.Timeout(5), trust_env=False)
        self._reviving = asyncio.Lock()

    async def start(self) -> None:
        if not self._servers:
            self._home[None] = await self._add({})

    async def close(self) -> None:
        servers, self._servers = self._servers, []
        self._home.clear()
        await asyncio.gather(*(each.stop() for each in servers))
        await self._http.aclose()

    async def load(self, alias: str, folder: Path) -> None:
        file = folder / GGUF
        if not file.is_file():
            raise BackendError(f"{folder} has no {GGUF}: llama.cpp reads no other form")
        wanted = {each: server.adapters[each] for each, server in self._home.items() if each}
        if len(wanted) >= self.capacity:
            raise BackendError(
                f"{len(wanted)} adapters are loaded: there is room for {self.capacity}"
            )
        await self._make_room()
        self._home[alias] = await self._add({**wanted, alias: file})

    async def keep(self, alias: str) -> None:
        server = self._home[alias]
        self._kept.add(alias)
        newest = self._servers.index(server)
        for each in self._kept:
            known = self._home.get(each)
            holds = each is None or each in server.adapters
            if known is not None and holds and self._servers.index(known) < newest:
                self._home[each] = server
        await self._reap()

    async def unload(self, alias: str) -> None:
        self._home.pop(alias, None)
        self._kept.discard(alias)
        await self._reap()

    async def models(self) -> frozenset[str]:
        found: set[str] = set()
        for server in list(self._servers):
            told = await server.told(self._http)
            found |= {
                alias
                for alias, file in server.adapters.items()
                if file in told and self._home.get(alias) is server
            }
        return frozenset(found)

    @asynccontextmanager
    async def asking(self, alias: str | None, *, bare: bool = False) -> AsyncGenerator[Target]:
        server = await self._living(alias)
        server.owed += 1
        try:
            yield server.target(None if bare else alias)
        finally:
            server.owed -= 1
            await self._reap()

    async def _living(self, alias: str | None) -> _Server:
        """Who answers as the alias; one that has died is started again."""
        server = self._home.get(alias)
        if server is None:
            raise BackendError(f"llama.cpp has no adapter {alias}")
        if server.alive:
            return server
        async with self._reviving:
            server = self._home.get(alias)
            if server is not None and not server.alive:
                await server.start(self._http)
        if server is None:
            raise BackendError(f"the adapter {alias} has just been unloaded")
        return server

    async def _add(self, adapters: Mapping[str, Path]) -> _Server:
        server = _Server(self._model, adapters, self._log)
        await server.start(self._http)
        self._servers.append(server)
        return server

    async def _make_room(self) -> None:
        """Wait for old servers to have given their answers. Raises BackendError where that takes too long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN_S):
                while len(self._servers) >= MAX_SERVERS:
                    await self._reap()
                    await asyncio.sleep(_POLL_S)
        if len(self._servers) >= MAX_SERVERS:
            raise BackendError(f"{MAX_SERVERS} servers run, and none has given all its answers")

    async def _reap(self) -> None:
        """End the servers that answer as nobody and owe nothing."""
        used = set(map(id, self._home.values()))
        idle = [each for each in self._servers if id(each) not in used and not each.owed]
        self._servers = [each for each in self._servers if each not in idle]
        await asyncio.shield(asyncio.gather(*(each.stop() for each in idle)))


class _Server:
    """One process."""

    def __init__(self, model: Path, adapters: Mapping[str, Path], log: Path | None) -> None:
        self.adapters = dict(adapters)
        """Alias -> file; two aliases may be of one file, e.g. a version's and its sparring partner's."""
        self.files = list(dict.fromkeys(self.adapters.values()))
        """In the order of llama.cpp's numbers."""
        self.owed = 0
        self._model = model
        self._log = log
        self._url = ""
        self._process: asyncio.subprocess.Process | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    def target(self, alias: str | None) -> Target:
        wanted = None if alias is None else self.adapters[alias]
        scales = [
            {"id": number, "scale": 1.0 if each == wanted else 0.0}
            for number, each in enumerate(self.files)
        ]
        return Target(f"{self._url}/v1", {"model": BASE_NAME, "lora": scales})

    async def start(self, http: httpx.AsyncClient) -> None:
        """Raises BackendError."""
        await self.stop()
        self._process = await self._spawn()
        try:
            async with asyncio.timeout(START_S):
                assert self._process.stdout is not None
                self._url = (await self._process.stdout.readline()).decode().strip()
                while not await self._answers(http):  # noqa: ASYNC110 - another process tells no event
                    await asyncio.sleep(_POLL_S)
                told = await self.told(http)
        except TimeoutError:
            await self.stop()
            raise BackendError(f"llama.cpp did not come up in {START_S:.0f} s") from None
        except BaseException:
            await self.stop()
            raise
        if told != tuple(self.files):
            await self.stop()
            raise BackendError("llama.cpp has not the adapters that it was given")

    async def told(self, http: httpx.AsyncClient) -> tuple[Path, ...]:
        """The files of the adapters that it says it has, in the order of its numbers. Raises BackendError."""
        known = {str(file): file for file in self.files}
        try:
            answer = await http.get(f"{self._url}/lora-adapters")
            listed: list[dict[str, Any]] = sorted(answer.json(), key=lambda each: each["id"])
            return tuple(known[each["path"]] for each in listed)
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise BackendError(f"llama.cpp does not say what it has: {error!r:.200}") from None

    async def stop(self) -> None:
        """Idempotent."""
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _spawn(self) -> asyncio.subprocess.Process:
        log = os.open(self._log or os.devnull, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "training.serving.llama_process", str(self._model)),
                *map(str, self.files),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                cwd=_ROOT,
                # It reads files that may come from anybody, and needs none of the arena's keys and addresses.
                env={name: value for name, value in os.environ.items() if name[:5] != "AGON_"},
            )
        finally:
            os.close(log)

    async def _answers(self, http: httpx.AsyncClient) -> bool:
        if not self.alive or not self._url:
            raise BackendError("llama.cpp ended at once: it cannot read its model or an adapter")
        try:
            return (await http.get(f"{self._url}/v1/models")).is_success
        except httpx.HTTPError:
            return False
