"""A season of Frostbite's, and of whom it is compared with: made up, in the shapes of `owner.answers`."""

from __future__ import annotations

import math
from typing import Any

from tui_client.owner import arena
from tui_client.owner.careers import (
    Board,
    Comparison,
    Earnings,
    HeadToHead,
    History,
    Level,
    Played,
    Point,
    Ranked,
    Rating,
    Record,
    Series,
    SpaceResults,
    Stats,
    Version,
    Versions,
    WinRate,
)
from tui_client.recording.cast import RAP, START_MS

FROSTBITE, EMBER, SOLVER, QUILL = "agent-frostbite", "agent-ember", "agent-solver", "agent-quill"
RAP_BATTLE, WRITING = "rap-battle", "writing"
DAY_MS = 86_400_000


def _record(wins: int, draws: int, losses: int, low: int, high: int, voids: int = 0) -> Record:
    sessions = wins + draws + losses
    rate = WinRate(1_000 * wins // sessions, low, high) if sessions else None
    return Record(sessions, wins, draws, losses, voids, rate)


def _money(paid: int, won: int) -> Earnings:
    """`paid` entries of one play dollar; `won` in tenths."""
    profit = won * 100_000 - paid * 1_000_000
    return Earnings("play", paid * 1_000_000, won * 100_000, profit, profit // (1_000 * paid))


def _rating(agent: str, number: int, mu: int, sigma: int, sessions: int, league: str) -> Rating:
    return Rating(f"{agent}@v{number}", mu, sigma, sessions, sessions < 10, league)


RATINGS = (
    _rating(FROSTBITE, 3, 27_300, 900, 52, "Gold II"),
    _rating(FROSTBITE, 2, 25_600, 1_100, 38, "Silver I"),
    _rating(FROSTBITE, 1, 23_900, 2_700, 9, "Silver III"),
)
"""Of each version, the newest first."""


def stats(agent: str, version: int | None = None, space: str = "") -> Stats:
    name = agent.removeprefix("agent-").capitalize()
    if agent == QUILL:
        return Stats(agent, name)
    if agent in (EMBER, SOLVER):
        spaces = (SpaceResults(RAP_BATTLE, _record(70, 8, 40, 503, 676), 8_010, (_money(118, 1_320),),
                               _rating(agent, 1, 31_200, 1_100, 118, "Platinum III")),)  # fmt: skip
        return Stats(agent, name, f"{agent}@v{version}" if version else None, _record(70, 8, 40, 503, 676),
                     (_money(118, 1_320),), spaces, Level(7, 1_890, 90, 700), 1, 640)  # fmt: skip
    rating = RATINGS[0] if version is None else RATINGS[3 - version]
    rap = SpaceResults(
        RAP_BATTLE, _record(58, 3, 38, 489, 679, 2), 7_640, (_money(99, 1_088),), rating
    )
    writing = SpaceResults(WRITING, _record(9, 0, 14, 222, 593), 6_900, (_money(23, 205),),
                           _rating(FROSTBITE, 3, 24_800, 2_100, 23, "Silver II"))  # fmt: skip
    shown = tuple(each for each in (rap, writing) if space in ("", each.space))
    return Stats(
        agent, name, f"{agent}@v{version}" if version else None, _record(67, 3, 52, 462, 635, 2),
        (_money(122, 1_293),), shown, Level(6, 1_905, 405, 600), 1, 1_240,
    )  # fmt: skip


def series(agent: str, space: str = "", count: int = 99) -> Series:
    """It rises, with every version a little faster."""
    lift = 4_000 if agent == EMBER else 0
    points = []
    for at in range(count):
        wave = math.sin(at / 6) * 450 + math.sin(at * 1.7) * 160
        mu = round(23_000 + lift + 45 * at + wave)
        sigma = round(700 + 3_000 / (1 + at / 6))
        score = round(6_700 + lift / 10 + 9 * at + math.sin(at * 2.3) * 900) if space else None
        roi = round(-180 + 3.1 * at + math.sin(at / 9) * 70)
        rated = (mu, sigma) if space else (None, None)
        points.append(Point(START_MS - (count - at) * 5_000_000, score, roi, *rated))
    return Series("session", "play", tuple(points))


def history() -> History:
    found = [
        Played(RAP, RAP_BATTLE, "live", START_MS - 48_000, f"{FROSTBITE}@v3", asset="play", paid_micros=1_000_000)
    ]  # fmt: skip
    outcomes = (
        "win",
        "win",
        "loss",
        "win",
        "draw",
        "loss",
        "win",
        "loss",
        "win",
        "win",
        "loss",
        "win",
    )
    for at, outcome in enumerate(outcomes * 2):
        seats, space = (5, WRITING) if at % 4 == 3 else (2, RAP_BATTLE)
        rank = {"win": 1, "draw": 1}.get(outcome, 2)
        won = {"win": 1_900_000, "draw": 1_000_000}.get(outcome, 0)
        if seats == 5:
            won = 2_375_000 if outcome == "win" else 0
        number = 3 if at < 14 else 2
        found.append(
            Played(f"01KPLAYED{99 - at:017d}", space, "void" if at == 5 else "ended", START_MS - 400_000 * (at + 1),
                   f"{FROSTBITE}@v{number}", None if at == 5 else outcome, rank, seats, 7_900 - 90 * (at % 7),
                   "play", 1_000_000, won, 27_300 - 40 * at, "Gold II")
        )  # fmt: skip
    return History(tuple(found))


VERSIONS = Versions(
    tuple(
        Version(f"{FROSTBITE}@v{number}", number, START_MS - (4 - number) * 9 * DAY_MS)
        for number in (3, 2, 1)
    )
)
BOARD = Board(
    (
        Ranked(EMBER, "Ember", f"{EMBER}@v4", 31_200),
        Ranked(FROSTBITE, "Frostbite", f"{FROSTBITE}@v3", 27_300),
        Ranked("agent-marrow", "Marrow", "agent-marrow@v1", 27_400),
    )
)


def answers() -> dict[str, Any]:
    """What each path is answered with."""
    found: dict[str, Any] = {arena.versions(FROSTBITE).path: VERSIONS}
    for agent in (FROSTBITE, SOLVER, QUILL):
        found[arena.stats(agent).path] = stats(agent)
    for agent in (SOLVER, QUILL):
        found[arena.versions(agent).path] = Versions((Version(f"{agent}@v1", 1, START_MS),))
        space = stats(agent).home
        for version, there in ((None, space), (1, space), (1, "")):
            told = stats(agent, version, there)
            found[arena.stats(agent, version=version, space=there).path] = told
            found[arena.history(agent, version=version, space=there).path] = History()
            found[arena.series(agent, version=version, space=there).path] = Series()
    for version in (None, 1, 2, 3):
        for space in ("", RAP_BATTLE, WRITING):
            told = stats(FROSTBITE, version, space)
            found[arena.stats(FROSTBITE, version=version, space=space).path] = told
            found[arena.history(FROSTBITE, version=version, space=space).path] = history()
            drawn = series(FROSTBITE, space)
            found[arena.series(FROSTBITE, version=version, space=space).path] = drawn
    for space in (RAP_BATTLE, WRITING):
        found[arena.board(space).path] = BOARD
    rivals = (
        (FROSTBITE, None, f"{EMBER}@v4", EMBER, 4),
        (f"{FROSTBITE}@v3", 3, f"{FROSTBITE}@v2", FROSTBITE, 2),
    )
    for a, mine_is, b, agent, number in rivals:
        for space in ("", RAP_BATTLE):
            sides = Comparison(stats(FROSTBITE, mine_is, space), stats(agent, number, space))
            found[arena.compare(a, b, space).path] = sides
            found[arena.series(agent, version=number, space=space).path] = series(agent, space)
        found[arena.head_to_head(a, b).path] = HeadToHead(22, 9, 1, 12)
    return found
