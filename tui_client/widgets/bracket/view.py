"""The screen of a tournament: bracket or table, standings, the games that are being played."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.containers import Horizontal, Vertical

from server.protocol import GameCard, StandingRow, TournamentView
from tui_client import theme
from tui_client.state import State
from tui_client.text import clean
from tui_client.tournament import Watched
from tui_client.widgets.bracket.names import Names, half, title
from tui_client.widgets.bracket.tables import cross, heats
from tui_client.widgets.bracket.tree import fits, tree
from tui_client.widgets.canvas import Part, fit, frame, line, spread
from tui_client.widgets.pane import Pane


def paint_bracket(state: State, width: int, height: int) -> list[Text]:
    watched = state.tournament
    if watched is None:
        return []
    view = watched.view
    if view is None:
        return frame(line(("TOURNAMENT", theme.TITLE)), [_waiting(watched)], width, height)
    return frame(
        line((title(view), theme.TITLE)),
        _body(view, watched, width - 4, height - 2),
        width,
        height,
        note=_progress(view),
    )


def _waiting(watched: Watched) -> Text:
    if not watched.trouble:
        return line(("waiting for the arena …", theme.DIM))
    return line((clean(watched.trouble, 120), theme.ALARM), ("   asking again", theme.DIM))


def _body(view: TournamentView, watched: Watched, width: int, height: int) -> list[Text]:
    if view.format == "round-robin":
        return cross(view, width)
    if view.seats == 2 and fits(view, width, height):
        return tree(view, width, height, watched.cursor)
    return heats(view, width, watched.cursor)


def _progress(view: TournamentView) -> Text:
    of = "" if view.format == "knockout" else f"/{view.total}"
    parts: list[Part] = [(f"{view.scored}{of} games", theme.PLAIN)]
    if view.given_up:
        parts.append((f"  {view.given_up} given up", theme.ALARM))
    if view.status == "ended":
        parts.append(("  over", theme.MONEY))
    return line(*parts)


def paint_places(state: State, width: int, height: int) -> list[Text]:
    watched = state.tournament
    view = None if watched is None else watched.view
    rows = [] if view is None else [_place(row, Names(view), width - 4) for row in view.standings]
    note = None if view is None else line((f"{view.entrants} entrants", theme.DIM))
    return frame(line(("STANDINGS", theme.TITLE)), rows, width, height, note=note)


def _place(row: StandingRow, names: Names, width: int) -> Text:
    style = theme.BRIGHT if row.rank == 1 else theme.PLAIN
    left = line((f"{row.rank:>3} ", theme.DIM), (names[row.entrant], style))
    right = line((f" {half(row.points)}", style), (f"/{half(row.possible)}", theme.FAINT))
    if row.note:
        right = line((f" {clean(row.note, 24)}", theme.DIM), right)
    return spread(left, right, width)


def paint_games(state: State, width: int, height: int) -> list[Text]:
    watched = state.tournament
    view = None if watched is None else watched.view
    if watched is None or view is None:
        return frame(line(("PLAYING NOW", theme.TITLE)), [], width, height)
    names = Names(view)
    at = next((n for n, game in enumerate(view.live) if game.session == watched.cursor), 0)
    first = max(0, min(at - (height - 2) // 2, len(view.live) - (height - 2)))
    rows = [_game(game, names, width - 4, game.session == watched.cursor) for game in view.live]
    note = line((str(len(view.live)), theme.DIM)) if view.live else None
    if not rows:
        rows = [line((_seed(view), theme.DIM))]
    return frame(line(("PLAYING NOW", theme.TITLE)), rows[first:], width, height, note=note)


def _seed(view: TournamentView) -> str:
    return f"seed {clean(view.seed[:24], 24)}…" if view.seed else "the next games are being formed"


def _game(game: GameCard, names: Names, width: int, selected: bool) -> Text:
    parts: list[Part] = [("▸ " if selected else "● ", theme.BRIGHT if selected else theme.FAINT)]
    for seat, entrant in enumerate(game.seats[:6]):
        if seat:
            parts.append((" vs " if len(game.seats) == 2 else " · ", theme.FAINT))
        two = len(game.seats) == 2
        parts.append((names[entrant], theme.seat_style(seat) if two else theme.PLAIN))
    again = f"  again ({game.attempt})" if game.attempt > 1 else ""
    row = fit(line(*parts, (again, theme.DIM)), width)
    if selected:
        row.stylize(theme.CURSOR)
    return row


class BracketPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_bracket(state, width, height)


class PlacesPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_places(state, width, height)


class GamesPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_games(state, width, height)


def tournament_panes() -> Horizontal:
    """The view's widgets, for the app to mount."""
    return Horizontal(
        BracketPane(),
        Vertical(PlacesPane(), GamesPane(), id="tournament-aside"),
        id="tournament",
        classes="view",
    )
