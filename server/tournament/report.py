"""What a tournament has shown: win rates with their intervals, mean regret, who beat whom. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from rich.console import Group
from rich.table import Table
from rich.text import Text

from server.protocol import StandingRow
from server.tournament.fixture import points
from server.tournament.interval import wilson
from server.tournament.regret import Judged
from server.tournament.tournament import Game

MATRIX_OF = 16
"""More entrants than this make a table that fits no screen."""


class Line(msgspec.Struct, frozen=True):
    """One entrant."""

    rank: int
    name: str
    sessions: int
    wins: int
    draws: int
    losses: int
    win_rate: float
    win_rate_95: tuple[float, float]
    """Wilson's interval."""
    score: float
    """Points as a share of the possible ones, where a draw is half a win."""
    mean_regret_milli: float | None
    """Of its judged rounds, in thousandths of the stake; None where none was judged."""
    note: str = ""


class Report(msgspec.Struct, frozen=True):
    tournament: str
    space: str
    format: str
    sessions: int
    voided: dict[str, int]
    """Sessions that do not count, by reason; they were replayed, a few times at most."""
    given_up: int
    """Games that have no result: all their sessions were voided."""
    seconds: float
    seed_commit: str
    seed: str
    standings: list[Line]
    matrix: list[list[tuple[int, int, int] | None]]
    """[row][column]: wins, draws and losses of the row's entrant against the column's, in the order of
    `standings`; None for nobody and itself."""


class Regrets:
    """Sums over sessions, by entrant."""

    def __init__(self, entrants: int) -> None:
        self._sums = [0.0] * entrants
        self._counts = [0] * entrants

    def add(self, entrant: int, judged: Judged) -> None:
        self._sums[entrant] += judged.mean_milli * judged.weight
        self._counts[entrant] += judged.weight

    def mean_milli(self, entrant: int) -> float | None:
        count = self._counts[entrant]
        return round(self._sums[entrant] / count, 3) if count else None


def lines(standings: Sequence[StandingRow], names: Sequence[str], regrets: Regrets) -> list[Line]:
    """The standings with what can be reckoned from them."""
    return [
        Line(
            rank=row.rank,
            name=names[row.entrant],
            sessions=row.played,
            wins=row.wins,
            draws=row.draws,
            losses=row.losses,
            win_rate=round(row.wins / row.played, 4) if row.played else 0.0,
            win_rate_95=_rounded(wilson(row.wins, row.played)),
            score=round(row.points / row.possible, 4) if row.possible else 0.0,
            mean_regret_milli=regrets.mean_milli(row.entrant),
            note=row.note,
        )
        for row in standings
    ]


def matrix(
    standings: Sequence[StandingRow], games: Sequence[Game]
) -> list[list[tuple[int, int, int] | None]]:
    """Who beat whom, in the order of the standings."""
    place = {row.entrant: index for index, row in enumerate(standings)}
    counts = [[[0, 0, 0] for _ in standings] for _ in standings]
    for game in games:
        for seat, rank in enumerate(game.ranks or ()):
            for other, others in enumerate(game.ranks or ()):
                if seat != other:
                    row, column = place[game.fixture.seats[seat]], place[game.fixture.seats[other]]
                    _, result = points((rank, others))  # 0: the other is worse
                    counts[row][column][result] += 1
    return [
        [(cell[0], cell[1], cell[2]) if sum(cell) else None for cell in cells] for cells in counts
    ]


def _rounded(interval: tuple[float, float]) -> tuple[float, float]:
    return round(interval[0], 4), round(interval[1], 4)


def rendered(report: Report) -> Group:
    """As tables for a terminal."""
    parts: list[Any] = [_standings(report)]
    if 2 < len(report.standings) <= MATRIX_OF and report.format == "round-robin":
        parts += [Text(), _matrix(report)]
    coin = f"seed {report.seed} (committed as {report.seed_commit})"
    parts += [Text(), Text(_summary(report)), Text(coin, overflow="fold")]
    return Group(*parts)


def _summary(report: Report) -> str:
    rate = report.sessions / report.seconds if report.seconds else 0.0
    said = [f"{report.sessions} sessions in {report.seconds:.0f} s ({rate:.1f} a second)"]
    said += [f"{count} void: {reason}" for reason, count in report.voided.items()]
    said += [f"{report.given_up} games given up"] * bool(report.given_up)
    return "\n".join(said)


def _standings(report: Report) -> Table:
    table = Table(title=f"{report.space}: {report.format}", title_justify="left", box=None)
    for name in ("", "entrant"):
        table.add_column(name, no_wrap=True)
    for name in ("sessions", "won", "drawn", "lost", "win rate", "95 %", "score", "mean regret"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    for line in report.standings:
        low, high = line.win_rate_95
        regret = "-" if line.mean_regret_milli is None else f"{line.mean_regret_milli / 1000:.4f}"
        table.add_row(
            *(f"{line.rank}.", Text(line.name)),
            *(str(each) for each in (line.sessions, line.wins, line.draws, line.losses)),
            *(f"{line.win_rate:.1%}", f"{low:.1%} to {high:.1%}", f"{line.score:.1%}", regret),
            line.note,
        )
    return table


def _matrix(report: Report) -> Table:
    table = Table(title="won-drawn-lost of the row", title_justify="left", box=None)
    table.add_column("")
    for line in report.standings:
        table.add_column(Text(line.name), justify="right", no_wrap=True)
    for line, cells in zip(report.standings, report.matrix, strict=True):
        shown = ("·" if cell is None else "-".join(map(str, cell)) for cell in cells)
        table.add_row(Text(line.name), *shown)
    return table
