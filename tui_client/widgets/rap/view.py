"""A rap battle on screen: two columns of verses, and the verdict under them."""

from __future__ import annotations

from rich.text import Text
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from server.protocol import SessionView
from tui_client import theme
from tui_client.observed import RAP_BATTLE, rap_battle
from tui_client.space_view import SpaceView
from tui_client.text import clean
from tui_client.widgets.canvas import line
from tui_client.widgets.rap.verdict import VerdictPane
from tui_client.widgets.rap.verses import VersesPane


def _progress(view: SessionView) -> str:
    battle = rap_battle(view)
    assert battle is not None, "readable"
    return f"round {min(battle.round, battle.rounds)}/{battle.rounds}"


def _subject(view: SessionView) -> Text:
    battle = rap_battle(view)
    assert battle is not None, "readable"
    return line((" topic  ", theme.DIM), (clean(battle.topic, 160), theme.BRIGHT))


def _panes() -> Widget:
    ring = Horizontal(VersesPane(0), VersesPane(1), id="ring")
    return Vertical(ring, VerdictPane(), id=RAP_BATTLE, classes="view")


VIEW = SpaceView(RAP_BATTLE, lambda view: rap_battle(view) is not None, _progress, _subject, _panes)
