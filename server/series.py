"""An agent's numbers over time, for plots: few enough points, and no session left out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import msgspec

from server.career import Bucket, Tally, average_milli, gathered, roi_milli, thinned

POINTS = 500
"""A series has at most so many points."""
Bucketing = Literal["auto", "session", "hour", "day", "week"]
_HOUR_MS = 3_600_000
_WIDTHS_MS: dict[Bucketing, int] = {
    "hour": _HOUR_MS,
    "day": 24 * _HOUR_MS,
    "week": 7 * 24 * _HOUR_MS,
}
Rated = Callable[[str], tuple[int, int] | None]
"""Session -> (mu, sigma) after it, in thousandths; None where nothing is known."""


class SeriesPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A span of time, or one session."""

    at_ms: int
    """When the span began (a week begins on a Thursday, as unix time did), or the session was sealed."""
    sessions: int
    """Settled in it, in whatever asset."""
    wins: int
    voids: int
    score_milli: int | None
    """Average score; null without a Space."""
    paid_micros: int
    """In the series' asset, as all money here."""
    won_micros: int
    roi_milli: int | None
    """From the series' first point to the end of this one; null until something was paid."""
    mu_milli: int | None
    """The rating after the span's last session; null without a Space, or where it moved none."""
    sigma_milli: int | None
    last: str
    """The span's last session."""


def asset_of(hours: Sequence[tuple[str, Bucket]]) -> str:
    """What to plot where nobody says: USDC if any was paid, else play money."""
    return "usdc" if any(asset == "usdc" and b.tally.paid_micros for asset, b in hours) else "play"


def in_asset(hours: Sequence[tuple[str, Bucket]], asset: str) -> list[Bucket]:
    """The buckets with all that was played, and the money of one asset."""
    return [
        bucket
        if of == asset
        else msgspec.structs.replace(
            bucket, tally=msgspec.structs.replace(bucket.tally, paid_micros=0, won_micros=0)
        )
        for of, bucket in hours
    ]


def spans(hours: Sequence[Bucket], bucketing: Bucketing) -> tuple[Bucketing, list[Bucket]]:
    """What was chosen, and at most POINTS spans of it; neighbours are put together where there are more.

    `auto` takes the finest width that needs no putting together.
    """
    if bucketing != "auto":
        return bucketing, thinned(gathered(hours, _WIDTHS_MS[bucketing]), POINTS)
    for name, width_ms in _WIDTHS_MS.items():
        found = gathered(hours, width_ms)
        if len(found) <= POINTS:
            return name, found
    return "week", thinned(found, POINTS)


def points(buckets: Sequence[Bucket], rated: Rated, *, with_score: bool) -> list[SeriesPoint]:
    """The series of these buckets, oldest first."""
    found, so_far = [], Tally()
    for bucket in buckets:
        tally, so_far = bucket.tally, so_far + bucket.tally
        mu_milli, sigma_milli = rated(bucket.last) or (None, None)
        found.append(
            SeriesPoint(
                at_ms=bucket.at_ms,
                sessions=tally.settled,
                wins=tally.wins,
                voids=tally.voids,
                score_milli=average_milli(tally) if with_score else None,
                paid_micros=tally.paid_micros,
                won_micros=tally.won_micros,
                roi_milli=roi_milli(so_far),
                mu_milli=mu_milli,
                sigma_milli=sigma_milli,
                last=bucket.last,
            )
        )
    return found
