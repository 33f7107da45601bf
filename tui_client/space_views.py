"""The Spaces that have a view of their own. A new one is one line here."""

from __future__ import annotations

from server.protocol import SessionView
from tui_client.space_view import SpaceView
from tui_client.widgets.board.view import VIEW as BID_TAC_TOE
from tui_client.widgets.logic.view import VIEW as LOGIC
from tui_client.widgets.prediction.view import VIEW as PREDICTION
from tui_client.widgets.rap.view import VIEW as RAP_BATTLE
from tui_client.widgets.trade_wars.view import VIEW as TRADE_WARS
from tui_client.widgets.writing.view import VIEW as WRITING

VIEWS: tuple[SpaceView, ...] = (
    BID_TAC_TOE,
    RAP_BATTLE,
    LOGIC,
    PREDICTION,
    TRADE_WARS,
    WRITING,
)
_BY_SPACE = {view.space: view for view in VIEWS}


def view_of(session: SessionView | None) -> SpaceView | None:
    """Whose panes show a session; None: the plain view."""
    if session is None:
        return None
    view = _BY_SPACE.get(session.space)
    return view if view is not None and view.readable(session) else None
