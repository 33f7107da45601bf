"""What a Space brings to the spectator's screen: how to read its observation, and its panes.

A view of its own is one folder of `widgets/` that ends in a `VIEW`, and one line in `space_views`. A Space without
one, or an observation of another shape (other rules, a broken server), gets the plain view.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rich.text import Text
from textual.widget import Widget

from server.protocol import SessionView


class SpaceView(NamedTuple):
    space: str
    """The Space's id; with a dash for anything else, also the id of its container in `app.tcss`."""
    readable: Callable[[SessionView], bool]
    """Whether the observation has the shape that the panes expect."""
    progress: Callable[[SessionView], str]
    """How far it is, in a word or two, e.g. `round 2/3`."""
    subject: Callable[[SessionView], Text]
    """What it is about, on one line."""
    panes: Callable[[], Widget]
    """A new container with the panes, whose id is `space`."""
