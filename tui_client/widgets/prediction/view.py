"""Prediction on screen: the fan, and the scores under it."""

from __future__ import annotations

from rich.text import Text
from textual.containers import Vertical
from textual.widget import Widget

from server.protocol import SessionView
from tui_client import theme
from tui_client.space_view import SpaceView
from tui_client.widgets.canvas import line
from tui_client.widgets.prediction.fan import FanPane
from tui_client.widgets.prediction.observed import PREDICTION, prediction
from tui_client.widgets.prediction.scores import ScoresPane


def _progress(view: SessionView) -> str:
    seen = prediction(view)
    assert seen is not None, "readable"
    if seen.phase == "over":
        return ""
    return f"question {min(seen.question, seen.questions)}/{seen.questions}"


def _subject(view: SessionView) -> Text:
    seen = prediction(view)
    assert seen is not None, "readable"
    asked = "quantiles" if seen.kind == "quantiles" else "the probability"
    feed = "a live market" if seen.feed == "live" else "series unnamed until they are out"
    told = "" if seen.phase == "over" else f" · {feed}"
    return line((f" {asked} of a value to come{told}", theme.DIM))


def _panes() -> Widget:
    return Vertical(FanPane(), ScoresPane(), id=PREDICTION, classes="view")


VIEW = SpaceView(PREDICTION, lambda view: prediction(view) is not None, _progress, _subject, _panes)
