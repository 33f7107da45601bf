"""The matches of a knockout, one a row, and the cross table of a round-robin. Pure."""

from __future__ import annotations

from rich.text import Text

from server.protocol import TournamentView
from tui_client import theme
from tui_client.widgets.bracket.names import Names, half, round_name
from tui_client.widgets.canvas import Part, fit, line

CELL = 7
NAME = 16
MATRIX_OF = 16


def heats(view: TournamentView, width: int, selected: str | None) -> list[Text]:
    """Every match in a row, the latest round first; who goes on is bright."""
    names, rows = Names(view), []
    for round_ in sorted({match.round for match in view.matches}, reverse=True):
        rows.append(line((round_name(view, round_), theme.DIM)))
        for match in view.matches:
            if match.round != round_:
                continue
            parts: list[Part] = [("● " if match.session else "  ", theme.FAINT)]
            scored = sorted(
                zip(match.players, match.points, strict=False), key=lambda each: (-each[1], each[0])
            )
            for player, points in scored:
                on = player in match.through[: 1 if round_ == view.rounds else None]
                style = theme.BRIGHT if on else (theme.FAINT if match.through else theme.PLAIN)
                parts += [(names[player], style), (f" {half(points)}   ", theme.DIM)]
            if match.coin:
                parts.append(("by coin", theme.DIM))
            elif match.unplayed:
                parts.append(("unplayed", theme.DIM))
            row = fit(line(*parts), width)
            if match.session is not None and match.session == selected:
                row.stylize(theme.CURSOR)
            rows.append(row)
    return rows


def cross(view: TournamentView, width: int) -> list[Text]:
    """Points that the row took off the column, of the games between them."""
    names = Names(view)
    order = [row.entrant for row in view.standings]
    room = max(0, (width - NAME) // CELL)
    if not view.pairs or len(order) > MATRIX_OF:
        return [line((f"{view.entrants} entrants; who leads stands beside", theme.FAINT))]
    taken: dict[tuple[int, int], tuple[int, int]] = {}
    for pair in view.pairs:
        taken[pair.one, pair.other] = pair.points, pair.games
        taken[pair.other, pair.one] = 2 * pair.games - pair.points, pair.games
    shown = order[:room]
    head = [fit(line((names[each][: CELL - 1], theme.DIM)), CELL) for each in shown]
    rows = [line(" " * NAME, *head)]
    for row in order:
        cells = [fit(_cell(taken.get((row, column))), CELL) for column in shown]
        rows.append(line(fit(line(names[row]), NAME), *cells))
    return rows


def _cell(taken: tuple[int, int] | None) -> Text:
    if taken is None:
        return line(("·", theme.FAINT))
    points, games = taken
    style = theme.BRIGHT if points > games else theme.PLAIN
    return line((half(points), style), (f"/{games}", theme.FAINT))
