"""Under the findings: against what it was checked, what can be copied by a key, and how to do the same by hand."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tui_client import theme
from tui_client.proof.finding import Name
from tui_client.proof.proof import Proof, names
from tui_client.state import State
from tui_client.text import clean, fit, wrap
from tui_client.widgets.canvas import fit as fit_line
from tui_client.widgets.canvas import frame, line
from tui_client.widgets.pane import Pane

WHAT_WIDTH = 13
MAX_AGAINST = 4
MAX_TEXT = 400
ROOMY = 30
"""Rows of a screen from which on each name has a row of its own."""


def paint_names(state: State, width: int, *, roomy: bool) -> list[Text]:
    """As high as it has to be. On a low screen what can be copied is named, and shown once it is copied."""
    proof = state.proof
    if proof is None:
        return []
    inner = max(8, width - 4)
    found = names(proof, state.spectated.view if state.spectated is not None else None)
    label = WHAT_WIDTH + 2 if roomy else 9
    rows = [
        *_against(proof, inner, label),
        *(_listed(found, inner) if roomy else _packed(found, inner)),
    ]
    copied = next((each for each in found if each.what == proof.copied), None)
    if copied is not None and not roomy:
        rows.append(line((fit(clean(copied.text, MAX_TEXT), inner), theme.MONEY)))
    title = line(("COPY", theme.TITLE), ("  by its number", theme.DIM))
    note = line((f"copied: {clean(copied.what, 24)}", theme.MONEY)) if copied is not None else None
    return frame(title, rows, width, len(rows) + 2, note, theme.FAINT)


def _against(proof: Proof, width: int, label: int) -> list[Text]:
    told = [clean(each, 200) for each in proof.against[:MAX_AGAINST]]
    pieces = [piece for each in told for piece in wrap(each, max(8, width - label))]
    lead = ("against", *[""] * len(pieces))
    return [
        line(fit_line(line((word, theme.DIM)), label), (piece, theme.PLAIN))
        for word, piece in zip(lead, pieces, strict=False)
    ]


def _listed(found: Sequence[Name], width: int) -> list[Text]:
    """What is cut here is copied whole."""
    return [
        line(
            (f"{key} ", theme.KEY),
            (f"{clean(name.what, WHAT_WIDTH - 1):<{WHAT_WIDTH}}", theme.DIM),
            (fit(clean(name.text, MAX_TEXT), max(4, width - WHAT_WIDTH - 2)), theme.PLAIN),
        )
        for key, name in enumerate(found, 1)
    ]


def _packed(found: Sequence[Name], width: int) -> list[Text]:
    """`1 session   2 transcript   3 epoch 7`, in as many rows as it takes."""
    rows = [Text(end="")]
    for key, name in enumerate(found, 1):
        short = f" {clean(name.text, 12)}" if len(name.text) < 10 else ""
        told = line((f"{key} ", theme.KEY), (f"{clean(name.what, 12)}{short}", theme.DIM), "   ")
        if rows[-1].cell_len and rows[-1].cell_len + told.cell_len > width:
            rows.append(Text(end=""))
        rows[-1] = line(rows[-1], told)
    return rows


class NamesPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_names(state, width, roomy=self.app.size.height >= ROOMY)
