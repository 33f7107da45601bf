"""What a session that has ended comes to: its result, who is paid what, what is counted for whom. Pure.

`results` finds the facts and writes all of this, in one transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from chain import payouts
from chain.payouts import Fees, Split
from server import points_claims
from server.ledger import Transfer, names, tiers
from server.store.careers import Ended, EndedSeat
from server.store.holds import HoldRow


class Payout(msgspec.Struct, frozen=True):
    """As in `agon-result/1` (PROOFS)."""

    to: str
    amount: int


class ResultRow(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a session. Amounts in micros of `asset`."""

    session: str
    status: Literal["settled", "void"]
    reason: str | None
    asset: str
    pot_micros: int
    ranks: tuple[int, ...] | None
    payouts: tuple[Payout, ...]
    fees: Fees
    settled_ms: int


class Seat(msgspec.Struct, frozen=True):
    """A seat of a session that is being settled."""

    seat: int
    agent: str
    version: str
    owner: str
    ticket: str | None


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How a session ended: by ranks and scores, or void for a reason."""

    session: str
    ranks: tuple[int, ...] | None = None
    scores_milli: tuple[int, ...] | None = None
    reason: str | None = None


class Facts(msgspec.Struct, frozen=True):
    """What the store knows of it."""

    session: str
    space: str
    tier_micros: int
    void: bool
    seats: list[Seat]
    by_forfeit: bool
    """As the rules say why it ended."""
    test: bool = False
    """A candidate was being tested: nothing of it is counted for anybody."""

    @property
    def asset(self) -> str:
        return tiers.asset_of(self.tier_micros)


class Settling(msgspec.Struct, frozen=True):
    """A session that is being settled, and what it comes to."""

    facts: Facts
    held: Sequence[HoldRow]
    ending: Ending
    split: Split
    row: ResultRow


def reckon(facts: Facts, held: Sequence[HoldRow], ending: Ending, now_ms: int) -> Settling:
    """`held` are the entries that were spent on it, in any order. Raises ValueError for ranks that are none."""
    split = _split(facts, held, ending)
    return Settling(facts, held, ending, split, _row(facts, split, ending, now_ms))


def _split(facts: Facts, held: Sequence[HoldRow], ending: Ending) -> Split:
    stakes = _stakes(facts, held)
    return payouts.refund(stakes) if ending.ranks is None else payouts.split(stakes, ending.ranks)


def _stakes(facts: Facts, held: Sequence[HoldRow]) -> list[int]:
    """What each seat paid, in seat order."""
    paid = {row.ticket: row.micros for row in held}
    return [paid.get(seat.ticket or "", 0) for seat in facts.seats]


def _row(facts: Facts, split: Split, ending: Ending, now_ms: int) -> ResultRow:
    return ResultRow(
        session=facts.session,
        status="void" if ending.ranks is None else "settled",
        reason=ending.reason,
        asset=facts.asset,
        pot_micros=sum(split.payouts) + split.fees.total,
        ranks=ending.ranks,
        payouts=tuple(
            Payout(names.agent(facts.asset, seat.agent), split.payouts[seat.seat])
            for seat in facts.seats
            if split.payouts[seat.seat]
        ),
        fees=split.fees,
        settled_ms=now_ms,
    )


def transfers(settling: Settling) -> list[Transfer]:
    """What empties the pot; all of it or nothing."""
    facts, split = settling.facts, settling.split
    session, asset = facts.session, facts.asset
    pot = names.pot(asset, session)
    what, code = ("refund", "refund") if split.refunded else ("pay", "winnings")
    wanted = [
        (
            f"{what}:{session}:{seat.seat}",
            names.agent(asset, seat.agent),
            split.payouts[seat.seat],
            code,
        )
        for seat in facts.seats
    ] + [
        (f"fee:{session}:{pool}", names.fees(asset, pool), getattr(split.fees, pool), "fee")
        for pool in names.POOLS
    ]
    paid = [each for each in wanted if each[2] > 0]
    return [
        Transfer(
            id=id_,
            debit=pot,
            credit=to,
            asset=asset,
            micros=micros,
            code=code,
            about=session,
            linked=number < len(paid) - 1,
        )
        for number, (id_, to, micros, code) in enumerate(paid)
    ]


def claims(settling: Settling) -> list[points_claims.Claim]:
    """What its accounts may claim points for; nothing when it is void."""
    facts, ranks = settling.facts, settling.ending.ranks
    if ranks is None or facts.test:
        return []
    return points_claims.for_session(
        facts.session,
        facts.space,
        facts.tier_micros,
        [
            points_claims.Seat(seat.owner, seat.agent, seat.version, ranks[seat.seat])
            for seat in facts.seats
        ],
        by_forfeit=facts.by_forfeit,
    )


def ended(settling: Settling) -> Ended:
    """What the careers of its seats take down."""
    facts, ending = settling.facts, settling.ending
    scores = ending.scores_milli or (None,) * len(facts.seats)
    stakes = _stakes(facts, settling.held)
    return Ended(
        session=facts.session,
        space=facts.space,
        asset=facts.asset,
        ranks=ending.ranks,
        seats=[
            EndedSeat(each.agent, each.version, score, paid, won)
            for each, score, paid, won in zip(
                facts.seats, scores, stakes, settling.split.payouts, strict=True
            )
        ],
    )
