"""llama.cpp as a process: a model, and adapters that a request may ask for by their place in the list.

    python -m training.serving.llama_process MODEL.gguf [ADAPTER.gguf …]

serves the OpenAI API on a loopback port, whose address is the one line that it writes, until a signal comes or its
standard input ends: so it ends with the process that started it, however that ends.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Sequence

BASE_NAME = "base"
SLOTS = 4
"""Requests answered at once; each slot has its own CONTEXT_TOKENS."""
CONTEXT_TOKENS = 2_048


def serve(model: str, port: int, name: str = BASE_NAME, adapters: Sequence[str] = ()) -> None:
    """Serve until a signal comes. `name` is what the base is called; port 0: any free one, which is printed."""
    import xllamacpp  # here: its shared library takes a moment, and only this process needs it

    params = xllamacpp.CommonParams()
    params.model.path = model
    params.model_alias = {name}
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_parallel = SLOTS
    params.n_ctx = SLOTS * CONTEXT_TOKENS
    if adapters:
        # Scale 0: a request that names no adapter is the base's. Left at 1, it would get the sum of all.
        params.lora_adapters = [xllamacpp.CommonAdapterLoraInfo(each, 0.0) for each in adapters]
        # What is kept of a prompt that was read does not say by which adapter it was.
        params.cache_ram_mib = 0
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
    server = xllamacpp.Server(params)  # serves on its own threads for as long as it is referenced
    if not port:
        print(server.listening_address, flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    os._exit(0)  # the library's threads have no orderly end; nothing of ours is unwritten


def _end_with_stdin() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    serve(sys.argv[1], 0, adapters=sys.argv[2:])
