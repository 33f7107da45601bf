"""`python -m chain.blockstore FOLDER PORT MAX_BYTES`: serve on the loopback port until a signal comes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import uvicorn

from chain.blockstore.access import token_of
from chain.blockstore.app import create_app
from chain.blockstore.store import BlockStore

GRACE_S = 5
IDLE_S = 75
"""A connection is kept open so long: longer than clients keep theirs, so that none is closed while it is used again."""
CONNECTIONS = 256
"""More at once are told to come back."""


def main(folder: Path, port: int, max_bytes: int) -> None:
    os.umask(0o077)
    folder.mkdir(parents=True, exist_ok=True)
    app = create_app(BlockStore(folder, max_bytes), folder, token_of(folder))
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        log_level="warning",
        access_log=False,
        server_header=False,
        ws="none",
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=GRACE_S,
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
