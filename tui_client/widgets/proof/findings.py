"""What the verifier has found out, a fact a row: true, a lie, or not checked and why."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from tui_client import theme
from tui_client.proof.finding import Finding, Standing
from tui_client.proof.proof import Proof
from tui_client.state import State
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import fit, frame, line
from tui_client.widgets.pane import Pane
from tui_client.words import waiting_dots

WHAT_WIDTH = 17
MAX_WORDS = 400
_MARKS: dict[Standing, tuple[str, Style]] = {
    Standing.TRUE: ("✓", theme.BRIGHT),
    Standing.FALSE: ("✗", theme.ALARM),
    Standing.UNCHECKED: ("?", theme.FAINT),
}
_WORDS = {
    Standing.TRUE: theme.PLAIN,
    Standing.FALSE: theme.ALARM,
    Standing.UNCHECKED: theme.DIM,
}


def paint_findings(state: State, width: int, height: int) -> list[Text]:
    proof = state.proof
    if proof is None or height < 1:
        return []
    inner, room = max(8, width - 4), max(1, height - 2)
    rows = _rows(proof, inner, state.now_ms)
    # While it goes on the newest is in sight; then it is read from the top.
    first = max(0, len(rows) - room) if not proof.ended else 0
    first = min(first + proof.scroll, max(0, len(rows) - room))
    shown = rows[first : first + room]
    hidden = len(rows) - first - len(shown)
    note = line((f"↓ {hidden} more", theme.DIM)) if hidden else None
    return frame(summary(proof), shown, width, height, note)


def summary(proof: Proof) -> Text:
    """What it comes to."""
    wrong, good = proof.of(Standing.FALSE), proof.of(Standing.TRUE)
    left = len(proof.of(Standing.UNCHECKED))
    if wrong:
        said = ", ".join(clean(each.what, 24) for each in wrong)
        return line(("FALSE", theme.ALARM + Style(bold=True)), (f"  {said}", theme.ALARM))
    if not proof.ended:
        return line(("CHECKING", theme.TITLE), (f"  {len(good)} true so far", theme.DIM))
    if not good:
        return line(("NOTHING WAS CHECKED", theme.TITLE))
    told = f"  {len(good)} checked and true" + (f", {left} not checked" if left else "")
    return line(("HOLDS", theme.TITLE), (told, theme.DIM))


def _rows(proof: Proof, width: int, now_ms: int) -> list[Text]:
    rows = [row for each in proof.findings for row in _finding(each, width)]
    if proof.trouble:
        told = clean(proof.trouble, MAX_WORDS)
        rows += [line((piece, theme.ALARM)) for piece in wrap(told, width)]
    if not proof.ended:
        rows.append(line((f"checking {waiting_dots(now_ms)}", theme.DIM)))
    return rows


def _finding(finding: Finding, width: int) -> list[Text]:
    mark, style = _MARKS[finding.standing]
    lead = 2 + WHAT_WIDTH if width >= 3 * WHAT_WIDTH else 2
    pieces = wrap(clean(finding.words, MAX_WORDS), max(4, width - lead))
    what = clean(finding.what, 24)
    head = line((f"{mark} ", style), (what, theme.BRIGHT))
    if lead == 2:  # no room beside each other
        return [
            fit(head, width),
            *(line("  ", (each, _WORDS[finding.standing])) for each in pieces),
        ]
    rows = [line(fit(head, lead), (pieces[0], _WORDS[finding.standing]))]
    return rows + [line(" " * lead, (each, _WORDS[finding.standing])) for each in pieces[1:]]


class FindingsPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_findings(state, width, height)
