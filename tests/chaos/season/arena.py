"""The arena of a season, split into processes: `door` (API and gateway), `table` (hosts, matchmaker, runner), and the `worker` that
settles, which is killed."""

from __future__ import annotations

import signal
from pathlib import Path

from server.embedded import database
from server.embedded.data_dir import DataDir
from server.embedded.llm import free_port
from server.settlement.compare import Found, look
from server.store.engine import open_database
from tests.chaos.arena_processes import Process
from tests.chaos.season.ground import Ground

ROLES = {
    "door": ("api", "gateway"),
    "table": ("host", "matchmaker", "runner"),
    "worker": ("worker",),
}
CONFIRMATIONS = 2


class Arena:
    """Use `stop` at the end."""

    def __init__(self, ground: Ground, folder: Path, space: str, epoch_every_s: int) -> None:
        self._ground = ground
        self._folder = folder
        port = free_port()  # by which the runner finds the API
        self._knobs = ground.knobs | {
            "AGON_SPACES": space if ":" in space else "",
            "AGON_LLM_URL": "http://127.0.0.1:9/v1",  # nobody is to think, and no model is to load
            "AGON_CHAIN_CONFIRMATIONS": str(CONFIRMATIONS),
            "AGON_EPOCH_EVERY_S": str(epoch_every_s),
            "AGON_PIN_REPLICAS": "1",
            "AGON_HTTP_CREDITS": "100000",
            "AGON_HTTP_CREDITS_PER_S": "10000",
            "AGON_LOG_LEVEL": "info",
            "AGON_API_PORT": str(port),
        }
        self._processes: dict[str, Process] = {}
        self._gone: list[Process] = []
        self.url = f"http://127.0.0.1:{port}"

    def start(self, *names: str) -> None:
        for name in names:
            (self._folder / f"{name}.json").unlink(missing_ok=True)
            lives = sum(each.name.startswith(name) for each in self._gone)
            called = f"{name}-{lives}" if lives else name
            self._processes[name] = Process(self._folder, called, ROLES[name], self._knobs)
        for name in names:
            self._processes[name].addresses()

    def end(self, name: str, how: signal.Signals) -> None:
        process = self._processes.pop(name)
        process.end(how)
        self._gone.append(process)

    def stop(self) -> None:
        """All that run, by SIGTERM."""
        for name in list(self._processes):
            self.end(name, signal.SIGTERM)

    async def compared(self) -> Found | None:
        """The ledger's `usdc:chain` and what the escrow held, at the block that the arena has read last."""
        with DataDir(str(self._folder / "data")) as data:
            books = open_database(database.url(data))
            try:
                escrow = self._ground.escrow
                reader = f"escrow:{escrow.address}"
                return await look(books, self._ground.node, escrow, reader)
            finally:
                await books.close()
