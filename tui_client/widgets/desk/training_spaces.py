"""Where an agent may train: consent, budget, and what the next training waits for."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tui_client import theme
from tui_client.owner import arena
from tui_client.owner.learning import Learning, Training
from tui_client.owner.spans import span
from tui_client.owner.training import TrainingPage
from tui_client.owner.training_shown import (
    SPACES,
    learning_of,
)
from tui_client.state import State
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import frame, line, rail, spread
from tui_client.widgets.desk.fields import form_rows
from tui_client.widgets.pane import Pane
from tui_client.words import moment, space_title

REASON_CHARS = 280
GAUGE = 8


def paint_spaces(state: State, width: int, height: int) -> list[Text]:
    """The chosen Space with all that is known of it, the others in a line or two."""
    page = state.desk.page
    if not isinstance(page, TrainingPage):
        return []
    known = state.desk.known(state.now_ms)
    mine = page.focus == SPACES
    title = line(("SPACES", theme.TITLE if mine else theme.DIM))
    if page.form.fields:
        return frame(title, form_rows(page.form, width - 4, height - 2, 0), width, height)
    told = known.value(arena.training(page.agent).path, Training)
    chosen = learning_of(page, known)
    if told is None or chosen is None:
        problem = known.kept(arena.training(page.agent).path).problem
        words = clean(problem.detail, REASON_CHARS) if problem is not None else "…"
        if told is not None:
            words = "It plays in no Space yet: e on its dashboard chooses some."
        rows = [line((each, theme.DIM)) for each in wrap(words, max(8, width - 4))]
        return frame(title, rows, width, height)
    blocks = [
        _chosen(each, state.now_ms, width - 4, mine) if each == chosen else _other(each, width - 4)
        for each in told.spaces
    ]
    at, room = told.spaces.index(chosen), height - 2
    while sum(map(len, blocks[: at + 1])) > room and at:
        del blocks[0]
        at -= 1
    return frame(title, [row for block in blocks for row in block], width, height)


def _head(learning: Learning, width: int, mine: bool, pointed: bool) -> Text:
    on = learning.consent.on
    mark = line(("● ", theme.MONEY), ("on", theme.BRIGHT)) if on else line(("○ off", theme.DIM))
    pointer = ("▸ ", theme.BRIGHT) if mine else "  "
    name = (space_title(learning.space), theme.BRIGHT if pointed else theme.PLAIN)
    row = spread(line(pointer, name), mark, width)
    if mine:
        row.stylize(theme.CURSOR)
    return row


def _chosen(learning: Learning, now_ms: int, width: int, mine: bool) -> list[Text]:
    told, spent, budget = learning.eligibility, learning.spent_s, learning.consent.budget_s
    ready = theme.BRIGHT if told.ready else theme.PLAIN
    rows = [_head(learning, width, mine, pointed=True)]
    rows += [line("  ", (each, ready)) for each in _reason(learning, width - 2)]
    if told.needed > 0 and learning.job is None and not told.ready:
        rows.append(line("  ", rail(told.scored, told.needed, max(2, width - 12), theme.PLAIN)))
    if told.next_ms is not None and told.next_ms > now_ms:
        rows.append(line("  ", (f"until {moment(told.next_ms)}", theme.DIM)))
    week = line("  ", (f"{span(spent)} of {span(budget)}", theme.DIM), (" this week ", theme.FAINT))
    room = width - week.cell_len
    gauge = rail(spent, budget, GAUGE, theme.DIM) if room >= GAUGE else Text(end="")
    return [*rows, line(week, gauge)]


def _other(learning: Learning, width: int) -> list[Text]:
    told = "  ".join(_reason(learning, width - 2)[:1])
    return [_head(learning, width, mine=False, pointed=False), line("  ", (told, theme.FAINT))]


def _reason(learning: Learning, width: int) -> list[str]:
    if learning.job is not None:
        return ["a training is under way"]
    return wrap(clean(learning.eligibility.reason, REASON_CHARS), max(8, width))


class TrainingSpacesPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_spaces(state, width, height)
