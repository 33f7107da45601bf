"""What accounts may claim points for: a session that was settled, a share link that was looked at. Pure.

A claim is what the platform has seen itself, never what somebody says. What it earns is `points`'s.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from server.identity import HOUSE_OWNER


class Seat(msgspec.Struct, frozen=True):
    """What is known of one seat of a settled session."""

    account: str
    agent: str
    version: str
    """`<agent>@v<number>`"""
    rank: int
    """Competition rank, 1 is best."""


class Played(msgspec.Struct, frozen=True):
    """A claim: an account's agent has played a session to its end."""

    session: str
    space: str
    tier_micros: int
    account: str
    agent: str
    version: str
    won: bool
    met: tuple[str, ...]
    """The other accounts, without the house's; sorted."""


class Viewed(msgspec.Struct, frozen=True):
    """A claim: somebody has looked at what an account shares, verified."""

    token: str
    viewer: str
    """The keyed hash of the network that looked: the same for all links of the account, another each day."""
    account: str
    agent: str | None
    """The agent that the link shows, if it is one's."""


Claim = Played | Viewed


def for_session(
    session: str, space: str, tier_micros: int, seats: Sequence[Seat], *, by_forfeit: bool = False
) -> list[Claim]:
    """What a settled session lets its accounts claim, by seat. A void session has no claims: do not ask.

    None for the house, and for anybody where one account had several seats (it decides what each of them
    does). A session that ended `by_forfeit` was played by its sole winner alone, or by nobody.
    """
    accounts = [seat.account for seat in seats if seat.account != HOUSE_OWNER]
    if len(set(accounts)) < len(accounts):
        return []
    alone = [seat.rank for seat in seats].count(1) == 1
    return [
        Played(
            session=session,
            space=space,
            tier_micros=tier_micros,
            account=seat.account,
            agent=seat.agent,
            version=seat.version,
            won=alone and seat.rank == 1,
            met=tuple(sorted(account for account in accounts if account != seat.account)),
        )
        for seat in seats
        if seat.account != HOUSE_OWNER and not (by_forfeit and not (alone and seat.rank == 1))
    ]
