"""As much of vLLM as `training/serving/vllm.py` talks to, over real HTTP, in a process of its own.

    python fake_vllm.py -m vllm.entrypoints.openai.api_server --port PORT --served-model-name NAME …

It answers a chat with the name of whom it was asked for. An adapter whose folder has a file `refused` is refused in its
words; the one whose folder has a file `deadly` is the end of it.
"""

from __future__ import annotations

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

BASE = "SmolLM2-135M-Instruct"
START_S = float(os.environ.get("FAKE_START_S", "0"))


class Handler(BaseHTTPRequestHandler):
    adapters: dict[str, str] = {}  # noqa: RUF012 - one server a process
    key = os.environ.get("VLLM_API_KEY", "")

    def do_GET(self) -> None:
        if self._locked():
            return
        cards: list[dict[str, Any]] = [{"id": BASE, "parent": None}]
        cards += [{"id": name, "parent": BASE} for name in self.adapters]
        self._say(200, {"object": "list", "data": cards})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._locked():
            return
        name = body.get("lora_name", "")
        match self.path:
            case "/v1/load_lora_adapter":
                self._load(name, Path(body["lora_path"]))
            case "/v1/unload_lora_adapter" if self.adapters.pop(name, None):
                self._say(200, f"Success: LoRA adapter '{name}' removed successfully.")
            case "/v1/unload_lora_adapter":
                self._fail(404, f"The lora adapter '{name}' cannot be found.")
            case "/v1/chat/completions" if body["model"] in {BASE, *self.adapters}:
                self._say(200, {"choices": [{"message": {"content": body["model"]}}]})
            case _:
                self._fail(404, f"The model `{body.get('model')}` does not exist.")

    def _load(self, name: str, folder: Path) -> None:
        if (folder / "deadly").exists():
            os._exit(1)
        if name in self.adapters:
            self._fail(400, f"The lora adapter '{name}' has already been loaded.")
        elif (folder / "refused").exists():
            self._fail(500, "LoRA rank 64 is greater than max_lora_rank 32.")
        else:
            self.adapters[name] = str(folder)
            self._say(200, f"Success: LoRA adapter '{name}' added successfully.")

    def _locked(self) -> bool:
        locked = self.headers.get("Authorization", "") != (f"Bearer {self.key}" if self.key else "")
        if locked:
            self._fail(401, "Unauthorized")
        return locked

    def _fail(self, status: int, message: str) -> None:
        self._say(status, {"error": {"message": message, "code": status}})

    def _say(self, status: int, said: object) -> None:
        body = (said if isinstance(said, str) else json.dumps(said)).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


def serve(port: int) -> None:
    """Until it is killed."""
    print("Resolved architecture: LlamaForCausalLM", flush=True)
    time.sleep(START_S)
    if "--fail" in os.environ.get("FAKE", ""):
        sys.exit("ValueError: no room for the cache")
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()


if __name__ == "__main__":
    serve(int(sys.argv[sys.argv.index("--port") + 1]))
