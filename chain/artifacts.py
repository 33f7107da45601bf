"""Compiled contracts, as committed in `chain/artifacts/`. Needs no compiler: `python -m chain.compile` made them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).with_name("artifacts")


class Artifact(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One contract, ready to be deployed and called."""

    contract: str
    """The name of its source, without `.vy`."""
    compiler: str
    """`vyper 0.4.3`."""
    evm_version: str
    """The oldest EVM that it runs on."""
    optimiser: str
    sources_digest: str
    """SHA-256 over the source and all that it imports (vyper's integrity sum), hex."""
    abi: list[dict[str, Any]]
    bytecode: str
    """What creates it, hex with 0x; the constructor's arguments are appended."""
    runtime_bytecode: str
    """What stands on the chain afterwards, before its immutables, hex with 0x."""
    storage: dict[str, int]
    """Where each variable lies: name -> slot."""


@cache
def load(name: str) -> Artifact:
    """The contract of that name. Raises LookupError, which names those that there are."""
    path = FOLDER / f"{name}.json"
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in FOLDER.glob("*.json")))
        raise LookupError(f"no contract {name!r}; there are {known}")
    return msgspec.json.decode(path.read_bytes(), type=Artifact)
