"""What the escrow costs: gas of each call, and of a settled session by the size of its batch.

    python -m benchmarks gas             one JSON line each, as all benchmarks
    python -m benchmarks.gas --write     makes its tables in docs/gas.md, and the snapshot that a test compares with (a minute)

Gas does not depend on the machine. Transactions are real ones (py-evm, Prague), so calldata, cold slots and the 21,000
of each are in it. Numbers are those of a second round: every slot that is used at all has been used before.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from benchmarks.gas_chain import Arena

BAR = 60_000
UNISWAP_SINGLE, UNISWAP_AVERAGE = 91_650, 62_824
SNAPSHOT = Path(__file__).parents[1] / "tests/chain/gas_escrow.json"
PAGE = Path(__file__).parents[1] / "docs/gas.md"
SCENES = ((1, 2), (16, 32), (256, 512), (256, 256), (256, 64))
"""Sessions a batch, and wallets that play them."""


def measured(scenes: tuple[tuple[int, int], ...] = SCENES) -> dict[str, Any]:
    """Calls and scenes; the same numbers on every machine."""
    arena = Arena(max(wallets for _, wallets in scenes))
    sessions = []
    for batch, wallets in scenes:
        with arena.tried():
            arena.epoch(batch, wallets)
            used = {name: round(gas) for name, gas in arena.epoch(batch, wallets).items()}
            sessions.append({"batch": batch, "wallets": wallets, **used})
    with arena.tried():
        arena.epoch(1, 2)
        calls = arena.calls()
        calls |= {f"claim, tree of {leaves}": arena.single_claim(leaves) for leaves in (16, 1_024)}
    return {"calls": calls, "sessions": sessions}


async def run(redis_url: str) -> list[dict[str, Any]]:
    """Needs no Redis."""
    peers = {"uniswap_single_claim": UNISWAP_SINGLE, "uniswap_average_claim": UNISWAP_AVERAGE}
    rows = (await asyncio.to_thread(measured))["sessions"]
    return [
        {
            "name": f"gas_per_session_batch_{row['batch']}_wallets_{row['wallets']}",
            "value": (total := row["open"] + row["close"] + row["claims"]),
            "unit": "gas",
            "bar": BAR if row["batch"] == 256 else None,
            "met": total <= BAR if row["batch"] == 256 else None,
            "peers": peers,
        }
        for row in rows
    ]


def tables(found: dict[str, Any]) -> dict[str, str]:
    """What stands between the marks of docs/gas.md."""
    calls = [f"| {name} | {gas:,} |" for name, gas in found["calls"].items()]
    return {
        "sessions": "\n".join([_SESSIONS, *map(_row, found["sessions"])]),
        "escrow": "\n".join(["| call | gas |", "|---|---|", *calls]),
    }


def page(text: str, found: dict[str, Any]) -> str:
    """The page with these tables in place of those that it had."""
    for name, table in tables(found).items():
        before, mark, rest = text.partition(
            f"<!-- {name}: made by python -m benchmarks.gas --write -->\n"
        )
        _, end, after = rest.partition(f"<!-- end of {name} -->\n")
        text = f"{before}{mark}{table}\n{end}{after}"
    return text


_SESSIONS = """\
| sessions a batch | wallets that play them | opening | closing | claims, each epoch | **all included** | claims each tenth epoch |
|---|---|---|---|---|---|---|"""


def _row(row: dict[str, Any]) -> str:
    wallets = "all different" if row["wallets"] == 2 * row["batch"] else f"{row['wallets']}"
    each_epoch = row["open"] + row["close"] + row["claims"]
    each_tenth = row["open"] + row["close"] + row["claims"] // 10
    parts = (row["open"], row["close"], row["claims"], each_epoch, each_tenth)
    return f"| {row['batch']} | {wallets} | {' | '.join(f'{gas:,}' for gas in parts)} |"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gas", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the page and the snapshot")
    write: bool = parser.parse_args().write
    found = measured()
    if write:
        SNAPSHOT.write_text(json.dumps(found, indent=1) + "\n")
        PAGE.write_text(page(PAGE.read_text(), found))
    else:
        print(*tables(found).values(), sep="\n\n")


if __name__ == "__main__":
    main()
