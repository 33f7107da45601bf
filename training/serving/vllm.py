"""vLLM as the gateway's backend: adapters come and go by alias while it answers.

Either a child of ours (`vllm_process`), or a server that runs already and whose endpoints for loading only we reach. Both
are watched: a child that has died is started again, and whatever server comes back without its adapters gets them again.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import msgspec
import structlog

from training.documents.adapter import Base
from training.serving.backend import CONFIG, WEIGHTS, BackendError, Target
from training.serving.vllm_process import Bounds, VllmProcess

WATCH_S = 2.0
MAX_WATCH_S = 60.0
"""Between two looks at a server that does not answer."""
GIVEN_UP = 4
"""Looks in vain, one after the other, after which a child that lives is ended, and then started again."""
CLOSE_S = 2.0
"""For a look that is under way; a start is not waited for."""
LOOK_TIMEOUT_S = 10.0
LOAD_TIMEOUT_S = 60.0
"""Milliseconds on a quiet machine: a few megabytes are read."""
REASON_CHARS = 300
MAX_MODELS = 4_096
_ALIAS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}@v[0-9]{1,6}-[0-9a-f]{8}\.[0-9a-z]{1,13}")
"""What `routes` calls one load of an adapter: nobody else names anything so."""

log = structlog.get_logger()


class _Model(msgspec.Struct):
    id: str
    parent: str | None = None


class _Models(msgspec.Struct):
    data: list[_Model]


class Vllm:
    """A `Backend`. Aliases are never used twice, as vLLM's prefix cache is by name (vllm#42125)."""

    def __init__(
        self, base: Base, server: VllmProcess | str, key: str = "", bounds: Bounds | None = None
    ) -> None:
        """`server`: one that is ours to start and end, or the URL (…/v1) of one that runs, with its key. That one has to
        read the adapters' folders by the same paths, and `bounds` tells with which limits it was started."""
        self.base = base
        self._process = server if isinstance(server, VllmProcess) else None
        bounds = bounds or (self._process.bounds if self._process else Bounds())
        self.capacity = bounds.max_cpu_loras
        self.at_once = bounds.at_once
        self.together = bounds.max_loras
        self._url, self._key = (server.rstrip("/"), key) if isinstance(server, str) else ("", "")
        self._folders: dict[str, Path] = {}
        """What it has to have, by alias. vLLM reads a folder again when it has put an adapter out of memory."""
        self._there: frozenset[str] = frozenset()
        """Those of them that the server has."""
        self._used: set[str] = set()
        self._down = "vLLM was not started"
        """Why it cannot be asked; empty: it can."""
        self._changing = asyncio.Lock()
        self._watching: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def start(self) -> None:
        if self._watching is not None:
            return
        self._closing.clear()
        await self._mend()
        self._watching = asyncio.create_task(self._watch())

    async def close(self) -> None:
        watching, self._watching = self._watching, None
        self._closing.set()
        if watching is not None:
            await asyncio.wait((watching,), timeout=CLOSE_S)
            watching.cancel()
            with suppress(asyncio.CancelledError):
                await watching
        self._down = "vLLM was closed"
        if self._process is not None:
            await self._process.stop()

    async def load(self, alias: str, folder: Path) -> None:
        if alias in self._used:
            raise BackendError(f"{alias} was used before: every load has an alias of its own")
        if not _ALIAS.fullmatch(alias):
            raise BackendError(f"{alias[:80]!r} is no alias: expected <agent>@v<n>-<sha8>.<load>")
        folder = _adapter(folder)
        self._see_that_it_lives()
        if self._down:
            raise BackendError(self._down)
        async with self._changing:
            self._used.add(alias)
            await self._put(alias, folder)
            self._folders[alias] = folder
            self._there |= {alias}

    async def keep(self, alias: str) -> None:
        """Nothing to do: it stands beside the others."""

    async def unload(self, alias: str) -> None:
        self._there -= {alias}
        if self._folders.pop(alias, None) is None or self._down:
            return
        async with self._changing:
            # Whatever goes wrong, it is no longer one of ours: the watch takes it out.
            with suppress(BackendError):
                await self._take_out(alias)

    async def models(self) -> frozenset[str]:
        base, aliases = await self._list()
        if self.base.name not in base:
            raise BackendError(f"vLLM serves {', '.join(sorted(base))[:200]}, not {self.base.name}")
        return aliases

    @asynccontextmanager
    async def asking(self, alias: str | None, *, bare: bool = False) -> AsyncGenerator[Target]:
        self._see_that_it_lives()
        if self._down:
            raise BackendError(self._down)
        if alias is not None and alias not in self._there:
            raise BackendError(f"vLLM does not have {alias}")
        model = self.base.name if alias is None or bare else alias
        yield Target(self._address, {"model": model}, self._headers())

    # ------------------------------------------------------------------ watching

    async def _watch(self) -> None:
        failed = 0
        while not await self._closes_within(min(MAX_WATCH_S, WATCH_S * 2**failed)):
            was = self._down
            try:
                await self._mend()
                failed = 0
            except BackendError as error:
                failed += 1
                self._down = str(error)
                if self._process is not None and failed >= GIVEN_UP:
                    await self._process.stop()  # it lives and does not answer
            if self._down != was:
                log.warning("vllm", down=self._down or None, adapters=len(self._there))

    async def _closes_within(self, pause_s: float) -> bool:
        with suppress(TimeoutError):
            async with asyncio.timeout(pause_s):
                await self._closing.wait()
        return self._closing.is_set()

    async def _mend(self) -> None:
        """Have it up with its adapters and no others of ours. Raises BackendError."""
        async with self._changing:
            self._see_that_it_lives()
            if self._process is not None:
                await self._process.start()
            there = await self.models()
            for alias in there - self._folders.keys():
                await self._take_out(
                    alias
                )  # of a gateway before us, or a load that nobody saw the end of
            for alias in self._folders.keys() - there:
                await self._put_again(alias)
            self._there = (await self.models()) & self._folders.keys()
            self._down = ""

    async def _put_again(self, alias: str) -> None:
        folder = self._folders.get(alias)
        try:
            if folder is not None:
                await self._put(alias, _adapter(folder))
        except BackendError as error:  # the others shall not wait for it
            log.warning("vllm_adapter_lost", alias=alias, reason=str(error))

    def _see_that_it_lives(self) -> None:
        if self._process is not None and not self._down and not self._process.alive:
            self._down = f"vLLM has ended and is being started again: {self._process.why()}"
            self._there = frozenset()

    # ------------------------------------------------------------------ asking the server

    async def _put(self, alias: str, folder: Path) -> None:
        body = {"lora_name": alias, "lora_path": str(folder)}
        try:
            answer = await self._post("load_lora_adapter", body)
            if not answer.is_success:
                raise BackendError(f"vLLM does not load {alias}: {_reason(answer)}")
        except BaseException:
            with suppress(BackendError):
                await self._take_out(alias)
            raise

    async def _take_out(self, alias: str) -> None:
        answer = await self._post("unload_lora_adapter", {"lora_name": alias})
        if not answer.is_success and answer.status_code != 404:
            raise BackendError(f"vLLM does not unload {alias}: {_reason(answer)}")

    async def _list(self) -> tuple[frozenset[str], frozenset[str]]:
        """Bases, and aliases of ours."""
        async with self._http() as http:
            try:
                answer = await http.get(f"{self._address}/models", timeout=LOOK_TIMEOUT_S)
                found = msgspec.json.decode(answer.raise_for_status().content, type=_Models).data
            except (httpx.HTTPError, msgspec.DecodeError) as error:
                raise BackendError(
                    f"vLLM at {self._address} does not say what it serves ({_said(error)})"
                ) from None
        if len(found) > MAX_MODELS:
            raise BackendError(f"vLLM at {self._address} has more than {MAX_MODELS} models")
        bases = frozenset(each.id for each in found if each.parent is None)
        return bases, frozenset(each.id for each in found if _ALIAS.fullmatch(each.id))

    async def _post(self, path: str, body: dict[str, str]) -> httpx.Response:
        async with self._http() as http:
            try:
                return await http.post(f"{self._address}/{path}", json=body)
            except httpx.HTTPError as error:
                raise BackendError(
                    f"vLLM at {self._address} does not answer ({_said(error)})"
                ) from None

    def _http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            timeout=httpx.Timeout(LOAD_TIMEOUT_S, connect=5),
            headers=self._headers(),
            trust_env=self._process is None and not self._url.startswith("http://127.0.0.1"),
            verify=self._address.startswith("https:"),
        )

    @property
    def _address(self) -> str:
        return self._process.url if self._process is not None else self._url

    def _headers(self) -> dict[str, str]:
        key = self._process.key if self._process is not None else self._key
        return {"Authorization": f"Bearer {key}"} if key else {}


def _adapter(folder: Path) -> Path:
    """The same, absolute. Raises BackendError where vLLM would find no adapter."""
    for name in (WEIGHTS, CONFIG):
        if not (folder / name).is_file():
            raise BackendError(f"{folder} is no adapter: it has no {name}")
    return folder.absolute()


def _reason(answer: httpx.Response) -> str:
    try:
        said = msgspec.json.decode(answer.content)["error"]["message"]
    except (msgspec.DecodeError, KeyError, TypeError):
        said = answer.text
    return f"{answer.status_code} {' '.join(str(said).split())[:REASON_CHARS]}"


def _said(error: Exception) -> str:
    return (
        str(error.response.status_code)
        if isinstance(error, httpx.HTTPStatusError)
        else type(error).__name__
    )
