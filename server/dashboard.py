"""How an agent does, put together for its dashboard. Pure: sums and ratings in, cards out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from server import leagues
from server.career import Part, Tally, WinRate, average_milli, roi_milli, total, win_rate
from server.experience import Level, level_of, xp_of


class RatedPart(msgspec.Struct, frozen=True):
    """A version's rating in a Space, and its league there."""

    space: str
    version: str
    number: int
    """Of the version."""
    mu_milli: int
    sigma_milli: int
    sessions: int
    division: int | None


class RatingCard(msgspec.Struct, frozen=True, kw_only=True):
    """A version's rating in a Space, in thousandths."""

    version: str
    mu_milli: int
    sigma_milli: int
    sessions: int
    """Rated ones."""
    provisional: bool
    """Too few or too unsure to mean much yet."""
    league: str | None
    """E.g. `Silver I`."""


class RecordCard(msgspec.Struct, frozen=True, kw_only=True):
    """A win is the sole first place, a draw a shared one, anything else a loss."""

    sessions: int
    """Settled ones: wins, draws and losses."""
    wins: int
    draws: int
    losses: int
    voids: int
    """Sessions that came to nothing; they are part of no other number."""
    win_rate: WinRate | None
    """Wins out of settled sessions; null of none. The interval (Wilson, 95 %) takes them to be independent."""


class MoneyCard(msgspec.Struct, frozen=True, kw_only=True):
    """Entries and pay-outs of settled sessions, in micros of one asset."""

    asset: str
    paid_micros: int
    won_micros: int
    profit_micros: int
    roi_milli: int | None
    """(won - paid) / paid, in thousandths; null where nothing was paid."""


class SpaceResults(msgspec.Struct, frozen=True, kw_only=True):
    """How an agent does in one Space."""

    space: str
    record: RecordCard
    average_score_milli: int | None
    """In thousandths of what the Space counts, or of the judges' points; scores of two Spaces do not compare."""
    money: list[MoneyCard]
    rating: RatingCard | None
    """Of the version asked for, or else of the newest that has one."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """All of an agent's numbers, or those of one version or Space."""

    record: RecordCard
    money: list[MoneyCard]
    spaces: list[SpaceResults]


def standing(
    parts: Sequence[Part],
    rated: Sequence[RatedPart],
    *,
    version: str | None = None,
    space: str | None = None,
) -> Standing:
    """The cards over what is asked for; all versions and all Spaces where nothing is."""
    parts = [
        part for part in parts if version in (None, part.version) and space in (None, part.space)
    ]
    ratings = {each.space: each for each in rated if version in (None, each.version)}
    spaces = sorted({part.space for part in parts} | {s for s in ratings if space in (None, s)})
    return Standing(
        record=record_of(total(part.tally for part in parts)),
        money=money_of(parts),
        spaces=[
            _space(name, [part for part in parts if part.space == name], ratings.get(name))
            for name in spaces
        ],
    )


def level(parts: Sequence[Part]) -> Level:
    """The level of the agent with this career: all its versions, all Spaces, free or paid."""
    sums = total(part.tally for part in parts)
    return level_of(xp_of(sums.wins, sums.draws, sums.losses))


def record_of(tally: Tally) -> RecordCard:
    return RecordCard(
        sessions=tally.settled,
        wins=tally.wins,
        draws=tally.draws,
        losses=tally.losses,
        voids=tally.voids,
        win_rate=win_rate(tally),
    )


def money_of(parts: Iterable[Part]) -> list[MoneyCard]:
    """One card for each asset that was paid or won, in the order of their names."""
    by_asset: dict[str, Tally] = {}
    for part in parts:
        by_asset[part.asset] = by_asset.get(part.asset, Tally()) + part.tally
    return [
        MoneyCard(
            asset=asset,
            paid_micros=tally.paid_micros,
            won_micros=tally.won_micros,
            profit_micros=tally.won_micros - tally.paid_micros,
            roi_milli=roi_milli(tally),
        )
        for asset, tally in sorted(by_asset.items())
        if tally.paid_micros or tally.won_micros
    ]


def _space(name: str, parts: Sequence[Part], rated: RatedPart | None) -> SpaceResults:
    sums = total(part.tally for part in parts)
    return SpaceResults(
        space=name,
        record=record_of(sums),
        average_score_milli=average_milli(sums),
        money=money_of(parts),
        rating=None if rated is None else _rating(rated),
    )


def _rating(rated: RatedPart) -> RatingCard:
    return RatingCard(
        version=rated.version,
        mu_milli=rated.mu_milli,
        sigma_milli=rated.sigma_milli,
        sessions=rated.sessions,
        provisional=leagues.provisional(rated.sessions, rated.sigma_milli),
        league=None if rated.division is None else leagues.name(rated.division),
    )
