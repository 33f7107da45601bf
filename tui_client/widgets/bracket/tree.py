"""The bracket of a knockout between two, as a tree from left to right. Pure."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from server.protocol import MatchCard, TournamentView
from tui_client import theme
from tui_client.widgets.bracket.names import Names, half, round_name
from tui_client.widgets.canvas import fit, line

LINK = 3
"""Columns between two rounds, where the lines run."""
LEAST = 11
"""A match needs so many columns."""
WIDE = 20
MOST = 30
MOST_ROUNDS = 64


def tree(view: TournamentView, width: int, height: int, selected: str | None) -> list[Text]:
    """The last rounds, as many as fit. Call where it `fits`."""
    first, cell = _window(view, width, height - 1)
    rounds = range(first, view.rounds + 1)
    tall = _size(view, first)
    unit = max(3, min(8, (height - 1) // tall))
    canvas = [[Text(" " * (cell + LINK), end="") for _ in rounds] for _ in range(tall * unit)]
    names = Names(view)
    matches = {(match.round, _place(match)): match for match in view.matches}
    for column, round_ in enumerate(rounds):
        span = unit << column
        for place in range(1, _size(view, round_) + 1):
            middle = (place - 1) * span + span // 2 - 1
            match = matches.get((round_, place))
            bye = match is None and (round_ + 1, (place + 1) // 2) in matches
            shown = [Text(" " * cell)] * 2 if bye else _match(match, names, cell, selected)
            for row, text in enumerate(shown):
                canvas[middle + row][column] = line(text, " " * LINK)
            if round_ < view.rounds:
                _join(canvas, column, middle, place, span)
    heads = [fit(line((round_name(view, each), theme.DIM)), cell + LINK - 1) for each in rounds]
    return [line(*(line(head, " ") for head in heads)), *(line(*row) for row in canvas)][:height]


def fits(view: TournamentView, width: int, height: int) -> bool:
    """Whether the tree can show the round that is being played. What an arena says is not trusted: a
    bracket without rounds has no tree, nor has one of more rounds than any arena plays."""
    if not 1 <= view.rounds <= MOST_ROUNDS or height < 4:
        return False
    first, cell = _window(view, width, height - 1)
    open_rounds = [match.round for match in view.matches if not match.through]
    return cell >= LEAST and min(open_rounds, default=view.rounds) >= first


def _window(view: TournamentView, width: int, height: int) -> tuple[int, int]:
    """The first round that is shown, and the columns of a match."""
    first = 1
    while first < view.rounds and (
        _size(view, first) * 3 > height or width // (view.rounds - first + 1) < LEAST + LINK
    ):
        first += 1
    return first, min(MOST, width // (view.rounds - first + 1) - LINK)


def _size(view: TournamentView, round_: int) -> int:
    """Matches of a round, byes included."""
    return 1 << (view.rounds - round_)


def _place(match: MatchCard) -> int:
    """From the top; 0, which is nowhere, where the name does not tell."""
    number = match.name.partition(".m")[2]
    return int(number) if number.isascii() and number.isdecimal() and len(number) < 10 else 0


def _match(match: MatchCard | None, names: Names, width: int, selected: str | None) -> list[Text]:
    """Two rows, the better seed above."""
    if match is None:
        blank = fit(line(("·", theme.FAINT)), width)
        return [blank, blank]
    playing = match.session is not None
    rows = []
    for player, points in zip(match.players[:2], match.points, strict=False):
        won = match.through[:1] == [player]
        name = (names[player], _style(match, won=won))
        mark = "●" if playing else " "
        score = line((half(points), theme.BRIGHT if won else theme.DIM), (f" {mark}", theme.FAINT))
        why = " by coin" if match.coin else " unplayed" if match.unplayed else ""
        note = (why, theme.DIM) if won and width >= WIDE else ""
        row = line(fit(line(name, note), width - score.cell_len), score)
        if playing and match.session == selected:
            row.stylize(theme.CURSOR)
        rows.append(row)
    return rows


def _style(match: MatchCard, *, won: bool) -> Style:
    if not match.through:
        return theme.PLAIN
    return theme.BRIGHT if won else theme.FAINT


def _join(canvas: list[list[Text]], column: int, middle: int, place: int, span: int) -> None:
    """The line from a match, whose rows are `middle` and the next, to the one that its winner plays:
    down from odd places, up from even ones."""
    target = (place - 1) // 2 * 2 * span + span  # the middle between the two feeders
    if place % 2:
        turn, between, corner = middle, range(middle + 1, target), "─╮ "
    else:
        turn, between, corner = middle + 1, range(target, middle + 1), "─╯ "
    for row in between:
        _draw(canvas, row, column, " │ ")
    _draw(canvas, turn, column, corner)


def _draw(canvas: list[list[Text]], row: int, column: int, link: str) -> None:
    text = canvas[row][column]
    canvas[row][column] = line(text[: text.cell_len - LINK], (link, theme.FRAME))
