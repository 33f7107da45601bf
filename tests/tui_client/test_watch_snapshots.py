"""The screens as committed text. `AGON_TEST_UPDATE_SNAPSHOTS=1` writes them anew: look at the diff."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tui_client.screen import dump
from tui_client import recording, screenshot
from tui_client.app import WatchApp
from tui_client.director import step
from tui_client.state import Input, Tick

FOLDER = Path(__file__).parent / "snapshots"

SCREENS: dict[str, Callable[[], list[Input]]] = {
    **screenshot.PICTURES,
    "bid-tac-toe-result": screenshot.bid_tac_toe_result,
    "trade-wars-decide": screenshot.trade_wars_decide,
    "trade-wars-result": screenshot.trade_wars_result,
    "prediction-sealed": screenshot.prediction_sealed,
    "prediction-resolving": screenshot.prediction_resolving,
    "prediction-result": screenshot.prediction_result,
    "probability": screenshot.probability,
    "logic-result": screenshot.logic_result,
    "writing-sealed": screenshot.writing_sealed,
    "writing-revealed": screenshot.writing_revealed,
    "writing-in-front": screenshot.writing_in_front,
    "openspiel": screenshot.openspiel,
    "textarena": screenshot.textarena,
    "opened": screenshot.opened,
    "docket": screenshot.docket,
    "judge": screenshot.judge,
    "court-committing": screenshot.court_committing,
    "court-found": screenshot.court_found,
    "court-sealed": screenshot.court_sealed,
    "proof-checking": screenshot.proof_checking,
    "proof-lie": screenshot.proof_lie,
    "proof-unable": screenshot.proof_unable,
}


@pytest.mark.parametrize("size", [(120, 34), (80, 24)], ids=["wide", "narrow"])
@pytest.mark.parametrize("name", SCREENS)
async def test_screen(name: str, size: tuple[int, int]) -> None:
    state = step(screenshot.folded(SCREENS[name]()), Tick(recording.START_MS + 4_000))
    app = WatchApp(clock=lambda: state.now_ms, state=state)
    async with app.run_test(size=size) as pilot:
        await pilot.pause()
        app.repaint()
        await pilot.pause()
        screen = "\n".join(row.rstrip() for row in dump(app).splitlines()) + "\n"
    path = FOLDER / f"{name}-{size[0]}x{size[1]}.txt"
    if os.environ.get("AGON_TEST_UPDATE_SNAPSHOTS"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(screen, encoding="utf-8")
    assert screen == path.read_text(encoding="utf-8")
