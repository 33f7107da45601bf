"""Who came where: from the rules' returns, or from the judges' verdict."""

from __future__ import annotations

import msgspec

from server import ratings
from server.jobs.faults import TooEarly
from server.protocol import VerdictView
from server.store import Store
from server.store.sessions import SessionRow


class Ranking(msgspec.Struct, frozen=True):
    """By seat."""

    ranks: tuple[int, ...]
    """Competition ranks: 1 is best, ties are equal (1, 1, 3)."""
    scores_milli: tuple[int, ...]
    """Thousandths of what the Space counts, or of the judges' points."""


async def ranking(store: Store, row: SessionRow) -> Ranking:
    """The ranking of a session that has ended. Raises TooEarly while there is no verdict."""
    returns = (row.outcome or {}).get("returns")
    if returns is not None:
        return Ranking(ratings.ranks_of(returns), tuple(1_000 * each for each in returns))
    body = await store.verdicts.get(row.session)
    if body is None:
        raise TooEarly("there is no verdict yet")
    verdict = msgspec.json.decode(body, type=VerdictView)
    return Ranking(tuple(verdict.ranks), tuple(verdict.totals_milli))
