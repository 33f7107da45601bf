"""Which window of which recorded series a draw means, and the candles of a series. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import msgspec

from server.oracle.asks import Used
from server.oracle.feed import OracleFault
from server.oracle.series import Candle, Series
from spaces.decimals import LIMIT, of_fraction
from spaces.prediction.score import scale

MAX_CANDLE = 4
"""Values that make one candle at most."""


def matching(series: Sequence[Series], wanted: str) -> list[Series]:
    """Those whose name is or begins with `wanted`. Raises OracleFault."""
    found = [one for one in series if one.name == wanted]
    found = found or [one for one in series if one.name.startswith(wanted)]
    if not found:
        names = ", ".join(one.name for one in series[:20])
        raise OracleFault(f"no recorded series {wanted!r}; there are {names}")
    return found


def question_window(
    series: Sequence[Series], draw: int, history: int, horizon: int, used: Sequence[Used] = ()
) -> tuple[Series, int]:
    """A series and the index of the last value to show; what is shown moves, the value asked for exists,
    and no value is of a window that is `used`. `draw % n` picks the series, the rest the place; where
    that place will not do it is the next one that does, and where there is none the next series has
    one. Raises OracleFault."""
    long_enough = [one for one in series if len(one.values) >= history + horizon]
    if not long_enough:
        raise OracleFault(f"no recorded series has {history} + {horizon} values")
    place, chosen = divmod(draw, len(long_enough))
    for one in (*long_enough[chosen:], *long_enough[:chosen]):
        index = _place(one, place, history, horizon, used)
        if index is not None:
            return one, index
    if used:
        raise OracleFault(
            f"no recorded series has room for another question of {history} + {horizon} values "
            f"after {len(used)}: take fewer questions, a shorter history or a longer series"
        )
    raise OracleFault(f"series {long_enough[chosen].name!r} never moves")


def _place(
    series: Series, draw: int, history: int, horizon: int, used: Sequence[Used]
) -> int | None:
    """The index of the last value to show; None where no window will do."""
    places = len(series.values) - history - horizon + 1
    rows = {row: index for index, row in enumerate(series.rows)} if used else {}
    taken = [rows[one.row] for one in used if one.series == series.name and one.row in rows]
    for tried in range(places):
        index = (draw + tried) % places + history - 1
        if any(abs(index - other) < history + horizon for other in taken):
            continue
        shown = [Fraction(value) for value in series.values[index - history + 1 : index + 1]]
        if scale(shown, horizon) > 0:
            return index
    return None


class Candles(msgspec.Struct, frozen=True):
    """A series as candles: its own, or made of `size` values each.

    A made candle opens where the one before closed, as a market that never sleeps does.
    """

    series: Series
    size: int
    pivot: str | None = None
    """Of mirrored prices: each p is shown as pivot * pivot / p, in the places the series has, so that
    what rose falls by as large a factor."""
    places: int = 0
    """Behind the point, of mirrored prices."""

    @property
    def count(self) -> int:
        values = len(self.series.values)
        return values if self.series.candles is not None else (values - 1) // self.size

    def __getitem__(self, index: int) -> Candle:
        first, high, low, last = self._recorded(index)
        if self.pivot is None:
            return first, high, low, last
        return (
            self._mirrored(first),
            self._mirrored(low),
            self._mirrored(high),
            self._mirrored(last),
        )

    def _mirrored(self, price: str) -> str:
        """Raises OracleFault where no number says it."""
        places = self.places
        turned = Fraction(str(self.pivot)) ** 2 / Fraction(price)
        # More places than the series has would tell that it is mirrored.
        shown = max(Fraction(round(turned * 10**places), 10**places), Fraction(1, 10**places))
        if shown >= LIMIT:
            raise OracleFault("a mirrored price is beyond all numbers")
        return of_fraction(shown)

    def _recorded(self, index: int) -> Candle:
        if self.series.candles is not None:
            return self.series.candles[index]
        start = index * self.size
        values = self.series.values[start : start + self.size + 1]
        return values[0], max(values, key=Fraction), min(values, key=Fraction), values[-1]

    def row(self, index: int) -> int:
        """The index of the series' value with which a candle closes."""
        return index if self.series.candles is not None else (index + 1) * self.size


def candles_of(series: Series, needed: int) -> Candles | None:
    """With as many values to a candle (up to MAX_CANDLE) as leaves `needed` candles. None where there
    are not so many, and for what is no price: values that are not above zero, or never fall."""
    if not series.tradable or any(value[0] == "-" or value == "0" for value in series.values):
        return None
    candles = Candles(series, max(1, min(MAX_CANDLE, (len(series.values) - 1) // needed)))
    return candles if candles.count >= needed else None


def candle_window(
    series: Sequence[Series], draw: int, history: int, played: int
) -> tuple[Candles, int]:
    """A series as candles and the index of the first one that is played. `draw % n` picks the series, what
    is left of it the place, and what is left then, odd or even, whether prices are mirrored at the last
    close that is shown: what prices do in the long run helps half of the time. Raises OracleFault."""
    needed = history + played
    held = [candles_of(one, needed) for one in series]
    long_enough = [candles for candles in held if candles is not None]
    if not long_enough:
        raise OracleFault(f"no recorded series above zero has {history} + {played} candles")
    chosen = long_enough[draw % len(long_enough)]
    turns, place = divmod(draw // len(long_enough), chosen.count - needed + 1)
    first = place + history
    if turns % 2:
        places = max(map(_places, chosen.series.values))
        chosen = msgspec.structs.replace(chosen, pivot=chosen[first - 1][3], places=places)
    return chosen, first


def _places(value: str) -> int:
    return len(value.partition(".")[2])
