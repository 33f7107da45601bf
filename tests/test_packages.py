"""The packages are this checkout's: `spaces`, `judges` and others exist on package indexes, too."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", ["bots", "chain", "judges", "server", "spaces", "tui_client"])
def test_a_package_is_ours(name: str) -> None:
    origin = importlib.import_module(name).__file__
    assert origin is not None
    assert Path(origin).is_relative_to(ROOT)


def test_no_foreign_package_of_our_names_is_pinned() -> None:
    pinned = {
        line.split("==")[0].lower() for line in (ROOT / "constraints.txt").read_text().splitlines()
    }
    assert not pinned & {"agents", "spaces", "judges", "chain", "bots", "server"}
