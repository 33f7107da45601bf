"""The formula of `server.points` in words, made of its constants: for the API and `docs/points.md`. Pure."""

from __future__ import annotations

import msgspec

from server import points as rule

VERSION = "fractals/1"


class Term(msgspec.Struct, frozen=True):
    """A way to earn points."""

    code: str
    """As it stands in each line that it has earned."""
    points: int
    """Of one time, before factors."""
    what: str
    """What earns them, and how much."""
    bound: str
    """How often, at most."""


class Formula(msgspec.Struct, frozen=True):
    """The whole of it. It holds for every account alike."""

    version: str
    terms: list[Term]
    session_points: dict[str, int]
    """By fee tier in micro-USDC."""
    day_points: int
    """Of one account a day (UTC), of all terms together; the line that would go beyond is cut."""
    rules: list[str]
    """What holds for all terms."""
    proves_not: list[str]
    """What points do not prove."""


def formula() -> Formula:
    """What is published."""
    return Formula(
        version=VERSION,
        terms=[*_of_playing(), *_of_agents(), _of_sharing()],
        session_points={str(tier): number for tier, number in rule.SESSION_POINTS.items()},
        day_points=rule.POINTS_A_DAY,
        rules=_RULES,
        proves_not=_PROVES_NOT,
    )


def _of_playing() -> list[Term]:
    tiers = ", ".join(f"{number} ({_tier(tier)})" for tier, number in rule.SESSION_POINTS.items())
    house = f"x {rule.HOUSE_PERCENT / 100:g} against the house's agents alone"
    return [
        Term(
            code="session",
            points=rule.SESSION_POINTS[0],
            what=f"a seat that played a settled session to its end: {tiers}; "
            f"x {rule.WON_PERCENT / 100:g} for the sole winner; {house}",
            bound=f"of an account's sessions a day the first {rule.FULL_A_DAY} in full, the next "
            f"{rule.HALF_A_DAY} by half, then none; {rule.COMPANY_A_DAY} a day against the same others",
        ),
        Term(
            code="activity",
            points=rule.ACTIVITY_POINTS,
            what="a day (UTC) with a session that earns, times the days in a row so far",
            bound=f"once a day; from day {rule.STREAK_DAYS} on it stays at "
            f"{rule.ACTIVITY_POINTS * rule.STREAK_DAYS}",
        ),
    ]


def _of_agents() -> list[Term]:
    return [
        Term(
            code="creation",
            points=rule.CREATION_POINTS,
            what="an agent has played its first session that earns",
            bound=f"{rule.CREATION_AGENTS} agents of an account, ever",
        ),
        Term(
            code="engagement",
            points=rule.NEW_SPACE_POINTS,
            what="an account's first session that earns in a Space",
            bound="once a Space and season",
        ),
        Term(
            code="engagement",
            points=rule.NEW_VERSION_POINTS,
            what="an agent's later version has played its first session that earns",
            bound=f"{rule.VERSIONS_A_DAY} version a day and account",
        ),
    ]


def _of_sharing() -> Term:
    return Term(
        code="sharing",
        points=rule.VIEW_POINTS,
        what="a verified view of a share link (`POST /v1/shares`): somebody fetched it and came back "
        f"from the same network {rule.VIEW_S} s later or more",
        bound=f"one a day for a network, {rule.VIEWS_A_LINK} for a link, {rule.VIEWS_A_DAY} for an account",
    )


_RULES = [
    "Points belong to an account and a season. Nobody can give, sell or move them, and no line is changed "
    "or taken back.",
    "They count what the platform has seen itself: a session when it is settled, in the transaction that "
    "settles it. A void session earns nothing.",
    "The house, the arena's own agents, earns nothing. A seat that lost by forfeiting the session earns nothing. Where one "
    "account had several seats, nobody earns.",
    "Paid tiers earn more, winning earns more; no amount of money earns without playing.",
    "A day begins at midnight UTC, and what a day bounds is counted within a season.",
]
_PROVES_NOT = [
    "That two accounts are two people: an account costs nothing, so whoever makes many earns many times "
    "as much. The bounds make each of them small; they do not make it one.",
    "That opponents do not know each other: two accounts of one person may play each other, "
    f"{rule.COMPANY_A_DAY} times a day.",
    "That a person has looked at what was shared: a program on a network of its own can fetch, wait and "
    "come back. Whoever has many networks can do it many times, within the day's bounds.",
]


def _tier(micros: int) -> str:
    return f"{micros / 1_000_000:.2f} USDC" if micros else "free"


def page() -> str:
    """`docs/points.md`."""
    formula_ = formula()
    rows = [f"| `{t.code}` | {t.points} | {t.what} | {t.bound} |" for t in formula_.terms]
    return "\n".join(
        [
            "# Fractals: the points of the platform",
            "",
            "Made from `server/points.py` by `python -m server.api.documents --write`; "
            f"`GET /v1/points/formula` prints the same. Version `{formula_.version}`.",
            "",
            "| term | points | earned by | bound |",
            "|---|---|---|---|",
            *rows,
            "",
            f"An account earns at most {formula_.day_points} points a day, of all terms together.",
            "",
            "## What holds for all",
            "",
            *(f"- {words}" for words in formula_.rules),
            "",
            "## What points do not prove",
            "",
            *(f"- {words}" for words in formula_.proves_not),
            "",
            _ABOUT,
        ]
    )


_ABOUT = """## How to look

`agon points explain AGENT` lists every line with its term and how it came to that many;
`agon points explain --account` those of the whole account. Over HTTP: `GET /v1/me/points`,
`GET /v1/agents/{agent}/points` (both for the owner), and `GET /v1/points/board?season=` for everybody:
agents by the points they have earned. Whose agents they are is not told.

## Share links and verified views

`POST /v1/shares` with `{"session": …}` or `{"agent": …}` answers a link, the same one each time. Whoever opens it
(`GET /v1/s/{token}`) is shown what is shared and handed a *challenge*: a time, signed for this link and this
network. Sent back from the same network after its time (`POST /v1/s/{token}/views`), it is a verified view. A
browser is shown a small page that does both while it is in view.

Nobody can be identified from what is kept of a view: an HMAC of the account that shares and the viewer's
network, under a key that is made for one day, kept in Redis alone and forgotten after the next (Redis's append-only
file may hold it until that is next rewritten). Once it is gone, nobody who has the whole database can find out which
network it was; while it is there, the operator could. One network counts once a day, whichever of
the account's links it opens, so looking at one's own links at home is worth two points a day at the most. A
view that carries a credential of the sharing account never counts.
"""
