"""The model gateway in a process of the arena: nothing listens, and no model is started, before an adapter is asked for."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from server.api.listen import ApiServer
from server.clock import unix_ms
from server.config import ConfigError
from server.embedded import llm
from server.training.library import AdapterLibrary, Content, Rows
from training.adapters import shapes
from training.documents.adapter import Base
from training.model import gguf_header
from training.serving.backend import Backend
from training.serving.gateway import ModelGateway
from training.serving.llama import Llama
from training.serving.vllm import Vllm
from training.serving.vllm_process import Bounds

Open = Callable[[], ModelGateway]
MAX_KEY = 4_096


class VllmService(msgspec.Struct, frozen=True):
    """A vLLM server that runs already."""

    url: str
    """…/v1."""
    key: str

    def __repr__(self) -> str:
        return f"VllmService({self.url!r})"


def vllm_service(url: str, key_file: str) -> VllmService | None:
    """What `models_vllm_url` and `models_vllm_key_file` name; None: nothing. Raises ConfigError."""
    if not url:
        return None
    if not url.startswith(("http://", "https://")) or not url.rstrip("/").endswith("/v1"):
        raise ConfigError(f"models_vllm_url: {url!r} is no address like http://127.0.0.1:8650/v1")
    if not key_file:
        raise ConfigError("models_vllm_key_file: name the file with the key of models_vllm_url")
    try:
        with Path(key_file).expanduser().open("rb") as file:
            key = file.read(MAX_KEY).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"models_vllm_key_file: {key_file} cannot be read: {error}") from None
    if not key:
        raise ConfigError(f"models_vllm_key_file: {key_file} is empty")
    return VllmService(url, key)


class Models:
    """A role (`server.role.Running`): the gateway, once somebody wants it."""

    def __init__(self, open_: Open, host: str, port: int, *, at_once: bool = False) -> None:
        """`at_once`: do not wait until it is wanted."""
        self._open = open_
        self._host = host
        self._port = port
        self._wanted = asyncio.Event()
        self._server: ApiServer | None = None
        self._stopped = asyncio.Event()
        if at_once:
            self._listen()

    def url(self) -> str:
        """The gateway's address, `…/v1`; from now on it serves. Raises CannotListen."""
        return f"{self._listen().address}/v1"

    def _listen(self) -> ApiServer:
        # The socket takes connections from here on; they wait until `run` has come to them.
        if self._server is None:
            self._gateway = self._open()
            self._server = ApiServer(self._gateway.app(), self._host, self._port)
            self._wanted.set()
        return self._server

    async def run(self) -> None:
        """Serve until `drain` or cancelled."""
        waits = [asyncio.create_task(each.wait()) for each in (self._wanted, self._stopped)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        if self._server is None:
            return
        async with self._gateway:
            await self._server.run()

    async def drain(self) -> None:
        self._stopped.set()
        if self._server is not None:
            await self._server.drain()


def embedded(
    rows: Rows,
    content: Content,
    folder: Path,
    name: str,
    capacity: int,
    log: Path,
    vllm: VllmService | None = None,
) -> ModelGateway:
    """A gateway before llama.cpp with the model that travels with us, or before a vLLM that serves it. Raises ServiceFailed, ValueError.

    `name`: what the base is called; `folder`: where fetched adapters lie.
    """
    model = llm.find_model()
    with model.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    base = Base(name=name, sha256=sha256)
    dimensions = shapes.of_gguf(gguf_header.read(model))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    library = AdapterLibrary(rows, content, folder, base, dimensions)
    backend: Backend
    if vllm is None:
        backend = Llama(base, model, capacity=capacity, log=log)
    else:
        backend = Vllm(base, vllm.url, vllm.key, Bounds(max_cpu_loras=capacity))
    return ModelGateway(backend, library, clock=unix_ms)
