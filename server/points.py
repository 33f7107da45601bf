"""Fractals: the whole published formula. Pure.

Points are earned by what the platform has seen itself, never by what somebody says. What happened is a
*claim* (`points_claims`); what an account has earned before decides what of it is granted (`granted`), as awards that
are never changed or taken back. Points belong to an account and a season; nobody can give them away.

What no formula can know is whether two accounts are two people: an account costs nothing. So every
term is small, bounded by the day, and worth most to who plays many others. `points_formula` tells all this to
everybody, in words made of the constants here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from server.days import DAY_MS, day_of
from server.points_claims import Claim, Played, Viewed

SESSION_POINTS = {
    0: 10,
    100_000: 15,
    500_000: 20,
    1_000_000: 25,
    5_000_000: 35,
    25_000_000: 50,
}
"""By fee tier in micro-USDC: for each seat that played to the end without forfeiting the session."""
WON_PERCENT = 150
"""Of the points of a session, for the one best seat."""
HOUSE_PERCENT = 50
"""Of the points of a session in which all others are the house's agents."""
FULL_A_DAY = 10
"""Sessions of an account a day that count in full."""
HALF_A_DAY = 20
"""Sessions after those that count by half; later ones earn nothing that day."""
COMPANY_A_DAY = 5
"""Sessions a day that count against the same other accounts."""

ACTIVITY_POINTS = 5
"""A day with a session that counts, times the days in a row."""
STREAK_DAYS = 7
"""Days in a row after which another adds no more."""

CREATION_POINTS = 50
"""An agent whose first session counts."""
CREATION_AGENTS = 3
"""Agents of an account that are rewarded, ever."""

NEW_SPACE_POINTS = 20
"""The first session that counts of an account in a Space, each season."""
NEW_VERSION_POINTS = 10
"""The first session that counts of an agent's later version."""
VERSIONS_A_DAY = 1

VIEW_POINTS = 2
"""A verified view of a share link."""
VIEW_S = 20
"""How long after a link was opened its viewer must come back."""
VIEWS_A_LINK = 5
"""Views of one link that count a day."""
VIEWS_A_DAY = 10
"""Views of all links of an account that count a day."""

POINTS_A_DAY = 600
"""Of one account, of all kinds together; the award that would go beyond is cut to what is left."""


class Award(msgspec.Struct, frozen=True):
    """One line of an account's points; immutable."""

    id: str
    """Says what it is for, so that nothing is rewarded twice."""
    account: str
    agent: str | None
    code: str
    """`creation`, `session`, `activity`, `engagement` or `sharing`."""
    points: int
    """At least 1."""
    words: str
    """One line for people, at most 200 characters."""
    met: tuple[str, ...] = ()
    """Of a session: the other accounts in it, without the house's."""


class Standing(msgspec.Struct, frozen=True):
    """What an account has earned before, as far as it decides what a claim earns now."""

    today: tuple[Award, ...] = ()
    """Of this day (UTC) and season."""
    known: Mapping[str, Award] = {}
    """Awards of any time, by id: those of `asked` that there are."""

    def after(self, awards: Sequence[Award]) -> Standing:
        """The standing once these have been granted, too."""
        return Standing((*self.today, *awards), {**self.known, **{a.id: a for a in awards}})


def asked(claim: Claim, season: int, now_ms: int) -> list[str]:
    """The ids of the awards that `granted` must know of, in `Standing.known`."""
    if isinstance(claim, Viewed):
        return [_view_id(claim)]
    return [
        _session_id(claim),
        _activity_id(claim.account, now_ms),
        _activity_id(claim.account, now_ms - DAY_MS),
        _space_id(claim, season),
        _version_id(claim),
        *(_creation_id(claim.account, number) for number in range(1, CREATION_AGENTS + 1)),
    ]


def granted(claim: Claim, before: Standing, season: int, now_ms: int) -> list[Award]:
    """The awards of a claim; none when it has been granted before, or earns nothing any more today."""
    if isinstance(claim, Viewed):
        return _cut(_of_view(claim, before), before)
    session = _of_session(claim, before)
    if session is None:
        return []
    more = (
        _of_activity(claim, before, now_ms),
        _of_creation(claim, before),
        _of_space(claim, before, season),
        _of_version(claim, before),
    )
    return _cut([award for award in (*more, session) if award is not None], before)


def _cut(awards: Sequence[Award], before: Standing) -> list[Award]:
    """No more than the day has left, in this order."""
    left = POINTS_A_DAY - sum(award.points for award in before.today)
    kept = []
    for award in awards:
        points = min(award.points, left)
        if points <= 0:
            break
        left -= points
        words = award.words if points == award.points else f"{award.words}; cut by the day's cap"
        kept.append(msgspec.structs.replace(award, points=points, words=words))
    return kept


# --------------------------------------------------------------------------- sessions


def _session_id(claim: Played) -> str:
    return f"session:{claim.session}:{claim.agent}"


def _of_session(claim: Played, before: Standing) -> Award | None:
    """None where it earns nothing: then nothing else does by it, either."""
    if _session_id(claim) in before.known:
        return None
    played = [award for award in before.today if award.code == "session"]
    met = Counter(account for award in played for account in award.met)
    if claim.met and min(met[account] for account in claim.met) >= COMPANY_A_DAY:
        return None
    if len(played) >= FULL_A_DAY + HALF_A_DAY:
        return None
    points, words = tier_points(claim.tier_micros), f"played {claim.space}"
    for percent, why in (
        (WON_PERCENT if claim.won else 100, "won"),
        (100 if claim.met else HOUSE_PERCENT, "against the house alone"),
        (100 if len(played) < FULL_A_DAY else 50, f"session {len(played) + 1} of the day"),
    ):
        if percent != 100:
            points, words = max(1, points * percent // 100), f"{words}, {why} x {percent / 100:g}"
    return _award(_session_id(claim), claim, "session", points, words, claim.met)


def tier_points(tier_micros: int) -> int:
    """The points of a seat in a session of this fee tier; a tier between two counts as the lower."""
    return SESSION_POINTS[max(tier for tier in SESSION_POINTS if tier <= max(0, tier_micros))]


# --------------------------------------------------------------------------- what a session brings besides


def _activity_id(account: str, at_ms: int) -> str:
    return f"activity:{account}:{day_of(at_ms)}"


def _of_activity(claim: Played, before: Standing, now_ms: int) -> Award | None:
    today = _activity_id(claim.account, now_ms)
    if today in before.known:
        return None
    yesterday = before.known.get(_activity_id(claim.account, now_ms - DAY_MS))
    days = min(STREAK_DAYS, 1 if yesterday is None else yesterday.points // ACTIVITY_POINTS + 1)
    words = f"active on {day_of(now_ms)}: {ACTIVITY_POINTS} x {days} of {STREAK_DAYS} days in a row"
    return _award(today, claim, "activity", ACTIVITY_POINTS * days, words)


def _creation_id(account: str, number: int) -> str:
    return f"creation:{account}:{number}"


def _of_creation(claim: Played, before: Standing) -> Award | None:
    for number in range(1, CREATION_AGENTS + 1):
        award = before.known.get(_creation_id(claim.account, number))
        if award is None:
            words = f"agent {number} of {CREATION_AGENTS} has played its first session"
            name = _creation_id(claim.account, number)
            return _award(name, claim, "creation", CREATION_POINTS, words)
        if award.agent == claim.agent:
            return None
    return None


def _space_id(claim: Played, season: int) -> str:
    return f"space:{claim.account}:{season}:{claim.space}"


def _of_space(claim: Played, before: Standing, season: int) -> Award | None:
    name = _space_id(claim, season)
    if name in before.known:
        return None
    words = f"the season's first session in {claim.space}"
    return _award(name, claim, "engagement", NEW_SPACE_POINTS, words)


def _version_id(claim: Played) -> str:
    return f"version:{claim.version}"


def _of_version(claim: Played, before: Standing) -> Award | None:
    name = _version_id(claim)
    today = sum(award.id.startswith("version:") for award in before.today)
    if claim.version.endswith("@v1") or name in before.known or today >= VERSIONS_A_DAY:
        return None
    words = f"the first session of version {claim.version.rpartition('@')[2]}"
    return _award(name, claim, "engagement", NEW_VERSION_POINTS, words)


# --------------------------------------------------------------------------- sharing


def _view_id(claim: Viewed) -> str:
    return f"view:{claim.token}:{claim.viewer}"


def _of_view(claim: Viewed, before: Standing) -> list[Award]:
    today = [award.id for award in before.today if award.code == "sharing"]
    of_link = sum(name.startswith(f"view:{claim.token}:") for name in today)
    again = any(name.endswith(f":{claim.viewer}") for name in today)
    known = again or _view_id(claim) in before.known
    if known or of_link >= VIEWS_A_LINK or len(today) >= VIEWS_A_DAY:
        return []
    words = f"verified view {of_link + 1} of {VIEWS_A_LINK} of the day, link {claim.token[:8]}…"
    return [
        Award(_view_id(claim), claim.account, claim.agent, "sharing", VIEW_POINTS, words),
    ]


def _award(
    name: str, claim: Played, code: str, points: int, words: str, met: tuple[str, ...] = ()
) -> Award:
    return Award(name, claim.account, claim.agent, code, points, words, met)
