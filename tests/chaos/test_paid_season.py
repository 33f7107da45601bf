"""The short form of a season for money (`python -m tests.chaos.season` plays the long one): everything goes wrong, all of it adds up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chain import anvil
from tests.chaos.season.season import Wanted, run


def kind() -> str:
    """anvil where it is to be had."""
    try:
        anvil.binary()
    except pytest.skip.Exception as why:
        print(f"on our own chain: {why}")
        return "devchain"
    return "anvil"


@pytest.mark.slow
async def test_every_payout_comes_once_and_everybody_gets_everything_back(tmp_path: Path) -> None:
    wanted = Wanted(
        sessions=80,
        kind=kind(),
        owners=4,
        space="openspiel:kuhn_poker",
        epoch_every_s=4,
        seed=1,
    )
    report = await run(wanted, tmp_path, print)
    assert report.doubts == []
    assert report.sessions >= wanted.sessions
    assert all(each.read for each in report.happened.reorganisations[1:]), "what counted was undone"
