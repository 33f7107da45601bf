"""vLLM as a child of ours: the CPU build of `make serving-cpu`, on a loopback port, behind a key that nobody else has.

On a machine with a GPU vLLM is a service of its own and this is not used (`docs/operations.md`). Linux only, as that build is.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import httpx
import msgspec
from msgspec import Meta

from training.serving.backend import BackendError

START_TIMEOUT_S = 600.0
"""Half a minute on two idle cores; most of it is importing, which a busy machine makes long."""
STOP_S = 12.0
"""What the leash needs at most, and a bit."""
TELL_S = 5.0
LOG_TAIL = 64 * 1024
"""Bytes that are looked at for what it says of itself."""
MAX_LOG_BYTES = 16 * 1024 * 1024
"""At a start, a longer log becomes the old one."""
_POLL_S = 0.25
_DOOR = Path(__file__).parent / "door"
_STAGES = (
    ("Application startup complete", "ready"),
    ("KV cache size", "opening its port"),
    ("Loading weights took", "making room for contexts"),
    ("Starting to load model", "loading weights"),
    ("Initializing a V1 LLM engine", "starting its engine"),
    ("Resolved architecture", "starting its engine"),
)
"""Words of its log and what they mean, the latest first."""


class Bounds(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What one server may take."""

    max_loras: Annotated[int, Meta(ge=1, le=64)] = 4
    """Adapters in one batch."""
    max_cpu_loras: Annotated[int, Meta(ge=1, le=1_024)] = 16
    """Adapters in memory; not less than `max_loras`."""
    max_rank: Annotated[int, Meta(ge=1, le=512)] = 32
    """Of an adapter. Each has room for so much, whatever its own rank is. vLLM knows 1, 8, 16, 32, 64, 128, 256, 320 and 512."""
    at_once: Annotated[int, Meta(ge=1, le=1_024)] = 16
    """Requests in one batch."""
    context: Annotated[int, Meta(ge=256, le=131_072)] = 2_048
    """Tokens of a request, with its answer."""
    cache_mib: Annotated[int, Meta(ge=64, le=1_048_576)] = 512
    """For keys and values of all requests; SmolLM2-135M takes 23 KB a token."""
    threads: Annotated[int, Meta(ge=1, le=256)] = 1
    """Of the engine. For a small model one: more wait, spinning, for one another at every layer, and on a busy machine for
    a whole turn of the scheduler (40 tokens under load: 10 s with one, 92 s with two)."""


class VllmProcess:
    """One server: started, seen to live, ended. Of one event loop."""

    def __init__(
        self,
        python: Path,
        model: Path,
        name: str,
        folder: Path,
        bounds: Bounds = Bounds(),  # noqa: B008 - frozen
        told: Callable[[str], None] | None = None,
    ) -> None:
        """`python` has vLLM installed; `model` is a checkpoint as transformers reads it and `name` what it is called;
        the log is kept in `folder`; `told` hears a line every few seconds of a start."""
        self._python, self._model, self._name = python, model, name
        self.bounds, self._told = bounds, told
        self.log = folder / "vllm.log"
        self.url = ""
        """…/v1, once it was started. Each start has a port of its own."""
        self.key = ""
        """The bearer token that it wants."""
        self._process: Process | None = None
        self._log_from = 0
        """Where in the log the present start begins."""

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Return once it answers. Raises BackendError, and then nothing of it is left. Idempotent."""
        if self.alive:
            return
        if not self._python.is_file():
            raise BackendError(f"there is no {self._python}: `make serving-cpu` installs vLLM")
        self._process = await self._spawn()
        try:
            await self._ready()
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """End it with all its processes. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()  # the leash ends the group
        try:
            async with asyncio.timeout(STOP_S):
                await process.wait()
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    def why(self) -> str:
        """The last words of its log since it was started."""
        lines = [line.strip()[-200:] for line in self._said().splitlines() if line.strip()]
        return " / ".join([*lines[-2:], f"all of it is in {self.log}"])

    async def _spawn(self) -> Process:
        port = _free_port()
        self.url, self.key = f"http://127.0.0.1:{port}/v1", secrets.token_urlsafe(24)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > MAX_LOG_BYTES:
            self.log.replace(self.log.with_suffix(".old.log"))
        with self.log.open("ab") as log:
            self._log_from = log.tell()
            return await asyncio.create_subprocess_exec(
                *(str(self._python), str(_DOOR / "leash.py"), str(self._python)),
                *self._arguments(port),
                stdin=PIPE,
                stdout=log,
                stderr=log,
                env=self._environment(),
                start_new_session=True,
            )

    def _arguments(self, port: int) -> list[str]:
        # `vllm serve` looks for a distribution named vllm; the CPU build's has another name.
        limits = {
            "max-loras": self.bounds.max_loras,
            "max-cpu-loras": self.bounds.max_cpu_loras,
            "max-lora-rank": self.bounds.max_rank,
            "max-num-seqs": self.bounds.at_once,
            "max-model-len": self.bounds.context,
            "kv-cache-memory-bytes": self.bounds.cache_mib * 1024 * 1024,
        }
        return [
            *("-m", "vllm.entrypoints.openai.api_server", "--host", "127.0.0.1", "--port", str(port)),
            *("--model", str(self._model), "--served-model-name", self._name, "--dtype", "bfloat16"),
            *("--enable-lora", "--enforce-eager", "--distributed-executor-backend", "uni"),
            *("--middleware", "agon_door.Door"),
            *("--disable-uvicorn-access-log", "--disable-log-stats"),
            *(part for name, value in limits.items() for part in (f"--{name}", str(value))),
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AGON_", "PYTHON"))}
        return {
            **inherited,
            "PYTHONPATH": str(_DOOR),
            "VLLM_API_KEY": self.key,
            "VLLM_ALLOW_RUNTIME_LORA_UPDATING": "True",
            # The model runs in the engine's process, and not in one more that is told of each token by shared memory.
            "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
            "VLLM_CPU_OMP_THREADS_BIND": "nobind",
            "OMP_NUM_THREADS": str(self.bounds.threads),
            "HF_HUB_OFFLINE": "1",
            "VLLM_NO_USAGE_STATS": "1",
            "DO_NOT_TRACK": "1",
        }

    async def _ready(self) -> None:
        began = time.monotonic()
        tell_at = began + TELL_S
        async with httpx.AsyncClient(timeout=5, trust_env=False) as http:
            while not await self._answers(http):
                now = time.monotonic()
                if not self.alive:
                    raise BackendError(f"vLLM does not start: {self.why()}")
                if now - began > START_TIMEOUT_S:
                    raise BackendError(
                        f"vLLM is not up after {START_TIMEOUT_S:.0f} s: {self.why()}"
                    )
                if self._told is not None and now >= tell_at:
                    self._told(
                        f"vLLM: {self._stage()} ({now - began:.0f} s; about 30 s when nothing else runs)"
                    )
                    tell_at = now + TELL_S
                await asyncio.sleep(_POLL_S)

    async def _answers(self, http: httpx.AsyncClient) -> bool:
        try:
            headers = {"Authorization": f"Bearer {self.key}"}
            return (await http.get(f"{self.url}/models", headers=headers)).is_success
        except httpx.HTTPError:
            return False

    def _stage(self) -> str:
        said = self._said()
        return next((stage for words, stage in _STAGES if words in said), "importing itself")

    def _said(self) -> str:
        try:
            with self.log.open("rb") as log:
                log.seek(max(self._log_from, log.seek(0, os.SEEK_END) - LOG_TAIL))
                return log.read(LOG_TAIL).decode("utf-8", "replace")
        except OSError:
            return ""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
