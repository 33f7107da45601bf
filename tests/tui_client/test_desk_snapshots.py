"""The owner's screens as committed text. `AGON_TEST_UPDATE_SNAPSHOTS=1` writes them anew: look at the diff."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui_client.screen import dump
from tui_client import recording, screenshot
from tui_client.app import WatchApp
from tui_client.owner.desk import Resized
from tui_client.state import State, reduce

FOLDER = Path(__file__).parent / "snapshots"

SCREENS: dict[str, Callable[[], State]] = {**screenshot.DESK_PICTURES, **screenshot.DESK_SCREENS}


@pytest.mark.parametrize("size", [(140, 45), (100, 30), (80, 24)], ids=["wide", "usual", "narrow"])
async def test_screens(size: tuple[int, int]) -> None:
    """One app shows them all, one after another: each must paint over the one before."""
    app = WatchApp(clock=lambda: recording.START_MS)
    async with app.run_test(size=size) as pilot:
        for name, shown in SCREENS.items():
            app.state = reduce(shown(), Resized(size[0]))
            app.repaint()
            await pilot.pause()
            app.repaint()
            await pilot.pause()
            screen = "\n".join(row.rstrip() for row in dump(app).splitlines()) + "\n"
            path = FOLDER / f"{name}-{size[0]}x{size[1]}.txt"
            if os.environ.get("AGON_TEST_UPDATE_SNAPSHOTS"):
                path.write_text(screen, encoding="utf-8")
            assert screen == path.read_text(encoding="utf-8"), name
