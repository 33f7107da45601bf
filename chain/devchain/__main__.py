"""python -m chain.devchain FILE PORT CHAIN_ID INTERVAL_S: a chain in the foreground, for whoever starts it as a service."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from chain.devchain.running import run

if __name__ == "__main__":
    file, port, chain_id, interval_s = sys.argv[1:]
    try:
        asyncio.run(
            run(
                Path(file),
                port=int(port),
                chain_id=int(chain_id),
                interval_s=float(interval_s),
                ready=lambda url: print(url, flush=True),
            )
        )
    except (OSError, ValueError) as error:
        sys.exit(f"devchain: {error}")
