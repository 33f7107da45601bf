"""An agent's numbers over time, for plots: few enough points, and no session left out. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import msgspec

from server.career import Bucket, Tally, average_milli, roi_milli

POINTS = 500
"""A series has at most so many points."""
Bucketing = Literal["auto", "session", "hour", "day", "week"]
WIDTH_HOURS: dict[Bucketing, int] = {"hour": 1, "day": 24, "week": 7 * 24}
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


class Cut(msgspec.Struct, frozen=True):
    """How an agent's hours are cut into the spans of a series."""

    bucket: Bucketing
    width_hours: int
    each: int
    """So many spans next to each other are put together, as often as it goes."""


def cut(bucketing: Bucketing, spans: Mapping[Bucketing, int]) -> Cut:
    """At most POINTS spans, whatever is asked for; `spans` says how many of each width have sessions.

    `auto` is the finest width that needs no putting together, or else the week.
    """
    if bucketing == "auto":
        bucketing = next((each for each in WIDTH_HOURS if spans[each] <= POINTS), "week")
    return Cut(bucketing, WIDTH_HOURS[bucketing], max(1, -(-spans[bucketing] // POINTS)))


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
