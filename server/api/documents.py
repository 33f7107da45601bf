"""The documents that are generated from the types, and the check that they are up to date.

`python -m server.api.documents --check` names what is stale and exits 1; `--write` regenerates.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from server import points_formula
from server.api.asyncapi import asyncapi
from server.api.descriptions import encode
from server.api.openapi import openapi
from server.api.protocol_page import protocol_page
from server.api.routes import OPERATIONS

DOCS = Path(__file__).parents[2] / "docs"
"""In a checkout; an installed package has no documents to keep."""


def generated() -> dict[str, bytes]:
    """File name within `docs/` -> content."""
    return {
        "protocol.md": protocol_page().encode(),
        "openapi.json": encode(openapi(OPERATIONS)),
        "asyncapi.json": encode(asyncapi()),
        "points.md": points_formula.page().encode(),
    }


def stale(docs: Path = DOCS) -> list[str]:
    """The names of the files that are missing or differ from what the types say."""
    return [
        name
        for name, content in generated().items()
        if not (docs / name).is_file() or (docs / name).read_bytes() != content
    ]


def write(docs: Path = DOCS) -> list[str]:
    """Regenerate; returns the names of the files that changed."""
    changed = stale(docs)
    for name in changed:
        (docs / name).write_bytes(generated()[name])
    return changed


def main(arguments: Sequence[str] | None = None, docs: Path = DOCS) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(prog="python -m server.api.documents", description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--check", action="store_true", help="exit 1 when a document is stale")
    mode.add_argument("--write", action="store_true", help="regenerate the documents")
    chosen = parser.parse_args(arguments)
    if not docs.is_dir():
        print(f"no folder {docs}: run this in a checkout", file=sys.stderr)
        return 1
    if chosen.write:
        for name in write(docs):
            print(f"wrote docs/{name}")
        return 0
    found = stale(docs)
    for name in found:
        print(f"docs/{name} is stale: run `make docs` and commit it", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
