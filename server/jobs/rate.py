"""The step `rate`: from the rules' returns, or the verdict's ranks, to new ratings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import msgspec

from server import leagues, ratings
from server.jobs.aftermath import Aftermath, Change, step_change
from server.jobs.faults import Permanent, TooEarly
from server.jobs.fence import Fence
from server.jobs.ranks import ranking
from server.protocol import Step
from server.store import Store
from server.store.ratings import RatingRow, StaleRatings, Standpoint
from server.store.sessions import SessionRow

NAME = "rate"
SHOWN = "rated"
TIMEOUT_S = 30.0
_TRIES = 10
"""Other sessions of the same versions may move the ratings in between."""


class RateStep:
    name = NAME
    timeout_s = TIMEOUT_S

    def __init__(self, *, store: Store, aftermath: Aftermath, moved: Callable[[str], None]) -> None:
        """`moved` is told the Space whose board has changed."""
        self._store = store
        self._aftermath = aftermath
        self._moved = moved

    async def run(self, session: str, fence: Fence) -> dict[str, object]:
        row = await self._store.sessions.get(session)
        if row is None:
            raise Permanent("there is no such session")
        why_not = await self._why_not(row)
        moves = await self._rate(row, why_not)
        self._moved(row.space)
        body = {"ratings": [_public(move, row) for move in moves]}
        done = Step(SHOWN, "done", why_not)
        await fence.check()
        await self._aftermath.tell(session, Change("rated", "host", body, (done,)), once="rated")
        return {"space": row.space, "rated": len(moves)}

    async def give_up(self, session: str, reason: str) -> None:
        await self._aftermath.tell(
            session, step_change(Step(SHOWN, "failed", f"not rated: {reason}"))
        )

    async def _why_not(self, row: SessionRow) -> str:
        record = await self._store.sessions.record(row.session)
        assert record is not None, "a stored session has its record"
        if record.gate:
            return "a candidate was being tested"
        return ratings.unrated(
            [seat.version for seat in record.seats], [seat.owner for seat in record.seats]
        )

    async def _rate(self, row: SessionRow, why_not: str) -> list[RatingRow]:
        """The moves that stand, in no particular order; the session's only ones, ever."""
        for _ in range(_TRIES):
            standing = await self._store.ratings.applied(row.session)
            if standing is not None:
                return standing
            ranks = (await ranking(self._store, row)).ranks
            moves = [] if why_not else await self._moves(row, ranks)
            try:
                if await self._store.ratings.apply(row.session, row.space, moves):
                    return moves
            except StaleRatings:
                continue
        raise TooEarly("the ratings of these versions do not come to rest")

    async def _moves(self, row: SessionRow, ranks: Sequence[int]) -> list[RatingRow]:
        versions = [seat.version for seat in row.seats]
        before = await asyncio.gather(
            *(self._store.ratings.standpoint(each, row.space) for each in versions)
        )
        after = ratings.update(ranks, [each.rating for each in before])
        won = ratings.winners(ranks)
        seats = zip(versions, before, after, won, strict=True)
        return [_move(version, was, now, best) for version, was, now, best in seats]


def _move(version: str, was: Standpoint, now: ratings.Rating, won: bool) -> RatingRow:
    ordinal_milli = ratings.ordinal_milli(now.mu_milli, now.sigma_milli)
    league = (
        leagues.placed(ordinal_milli)
        if was.league is None
        else leagues.after(was.league, ordinal_milli)
    )
    return RatingRow(
        version=version,
        mu_milli=now.mu_milli,
        sigma_milli=now.sigma_milli,
        was_mu_milli=was.rating.mu_milli,
        was_sigma_milli=was.rating.sigma_milli,
        won=won,
        number=was.sessions + 1,
        league=league,
        was_division=None if was.league is None else was.league.division,
    )


def _public(move: RatingRow, row: SessionRow) -> dict[str, object]:
    seat = next(each.seat for each in row.seats if each.version == move.version)
    body: dict[str, object] = {"seat": seat, **msgspec.to_builtins(move)}
    return body
