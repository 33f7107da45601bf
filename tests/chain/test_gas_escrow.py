"""What the escrow costs stays what it was. `python -m benchmarks.gas --write` takes a new snapshot."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks.gas import BAR, PAGE, SNAPSHOT, measured, page

TOLERANCE = 0.01
SMALL = ((1, 2), (16, 32))


@pytest.fixture(scope="module")
def snapshot() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(SNAPSHOT.read_text())
    return found


def near(gas: dict[str, int]) -> Any:
    return pytest.approx(gas, rel=TOLERANCE)


def test_calls_and_small_batches_cost_what_they_did(snapshot: dict[str, Any]) -> None:
    now = measured(SMALL)
    assert now["calls"] == near(snapshot["calls"])
    for row, before in zip(now["sessions"], snapshot["sessions"], strict=False):
        assert row == near(before)


@pytest.mark.slow
def test_large_batches_cost_what_they_did(snapshot: dict[str, Any]) -> None:
    for row, before in zip(measured()["sessions"], snapshot["sessions"], strict=True):
        assert row == near(before)


def test_the_page_says_what_the_snapshot_says(snapshot: dict[str, Any]) -> None:
    assert (text := PAGE.read_text()) == page(text, snapshot)


@pytest.mark.parametrize("wallets", [512, 256])
def test_a_settled_session_of_two_seats_costs_less_than_the_bar(
    snapshot: dict[str, Any], wallets: int
) -> None:
    """In batches of 256, whether wallets play once or twice, with everybody who won claimed for."""
    (row,) = [
        row for row in snapshot["sessions"] if (row["batch"], row["wallets"]) == (256, wallets)
    ]
    assert row["open"] + row["close"] + row["claims"] <= BAR
