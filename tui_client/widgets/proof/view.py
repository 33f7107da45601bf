"""The panes of a proof, and the two lines above them: whose proof it is, and how far the arena says that it is."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.containers import Vertical

from tui_client import theme
from tui_client.state import State
from tui_client.text import clean
from tui_client.widgets.canvas import line
from tui_client.widgets.pane import Pane
from tui_client.widgets.proof.findings import FindingsPane
from tui_client.widgets.proof.names import NamesPane
from tui_client.widgets.session.steps import paint_steps
from tui_client.widgets.session.title import seats
from tui_client.words import space_title


def paint_proof_title(state: State, width: int) -> list[Text]:
    proof = state.proof
    if proof is None:
        return []
    spectated = state.spectated
    view = spectated.view if spectated is not None and spectated.session == proof.session else None
    card = next((each for each in state.cards() if each.session == proof.session), None)
    known = view or card
    name = line((" PROOF   ", theme.TITLE))
    session = line((f" {clean(proof.session, 64)}", theme.DIM))
    if known is None:
        return [name, session]
    name = line(name, (f"{space_title(known.space)}   ", theme.PLAIN))
    who = line(name, seats(known.seats, width - name.cell_len))
    told = paint_steps(view.steps if view is not None else (), width - session.cell_len - 2)
    return [who, line(session, "  ", told)]


class ProofTitlePane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_proof_title(state, width)


def proof_panes() -> Vertical:
    return Vertical(ProofTitlePane(), FindingsPane(), NamesPane(), id="proof", classes="view")
