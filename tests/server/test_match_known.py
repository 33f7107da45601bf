"""Decisions whose answer the world tells in time: no outage, retry or late action gets past it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from server.match import Match, document
from server.match.engine import NO_TIME_LEFT
from spaces import registry, transcript
from spaces.space import Decision, Observation
from tests.conformance import tides
from tests.server.match_table import RETRY_MS, T0, Table, record_of, types

GUESS_MS = 30_000
KNOWN_MS = T0 + 50_000


class Ebb(tides.Tides):
    """Tides that come in at KNOWN_MS for everybody to see."""

    def decisions(self, state: tides.State) -> tuple[Decision, ...]:
        return tuple(
            msgspec.structs.replace(each, not_after_ms=KNOWN_MS)
            for each in super().decisions(state)
        )


@pytest.fixture(autouse=True)
def ebb() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry._registered, Ebb.id, Ebb())
        yield


def begun(after_ms: int = 0) -> Table:
    table = Table(record_of("tides", rounds=1, limit_ms=60_000))
    table.now += after_ms
    table.hear(Observation("harbour.csv", {"tide": 50}))
    return table


def away(table: Table, ms: int) -> list[str]:
    """The host is gone for so long, and another one takes over."""
    table.now += ms
    table.match = table.restored()
    table.match.takeover(table.now)
    return types(table.collect())


def replayed(table: Table) -> transcript.Replayed:
    return transcript.replay(transcript.read(document(table.record, table.log)))


def test_the_deadline_is_never_after_the_answer() -> None:
    assert begun().match.next_deadline() == T0 + GUESS_MS
    table = begun(35_000)
    assert table.match.next_deadline() == KNOWN_MS
    assert [each.deadline_ms for each in table.view(None).decisions] == [KNOWN_MS] * 3


def test_a_turn_that_nobody_has_time_for_is_void() -> None:
    table = begun(50_000 - RETRY_MS + 1)
    assert types(table.log)[-3:] == ["oracle", "note", "void"]
    assert table.match.outcome == {"reason": NO_TIME_LEFT}
    assert replayed(table).outcome.termination == "void"


def test_a_takeover_gives_no_time_beyond_the_answer() -> None:
    table = begun()
    table.act(1, "50")
    assert away(table, 25_000) == ["turn"]
    assert table.match.next_deadline() == KNOWN_MS
    assert table.view(0).decisions[0].deadline_ms == KNOWN_MS
    again = Match(table.record, table.log, retry_ms=RETRY_MS)
    assert again.views() == table.match.views()


@pytest.mark.parametrize("gone_ms", [50_000 - RETRY_MS + 1, 50_000, 3_600_000])
def test_an_outage_that_leaves_no_time_is_our_fault(gone_ms: int) -> None:
    table = begun()
    table.act(1, "50")
    assert away(table, gone_ms) == ["void"]
    assert table.match.outcome == {"reason": NO_TIME_LEFT}
    assert table.act(0, "60") == []
    assert table.refusal().code == "over"
    assert replayed(table).outcome.termination == "void"


def test_a_retry_gets_no_time_beyond_the_answer() -> None:
    table = begun(35_000)
    table.now = KNOWN_MS - 1_000
    table.act(1, "a hundred")
    assert table.view(1).decisions[1].deadline_ms == KNOWN_MS
    table.wait(1_000)
    last = table.wait(0)
    assert types(last)[-2:] == ["note", "end"], "late with both attempts, as ever"
    assert table.match.status == "ended"
    assert replayed(table).state == table.match.state


def test_an_answer_that_came_when_it_was_known_is_refused() -> None:
    """Also if the tick that strikes the deadline is late."""
    table = begun(35_000)
    table.now = KNOWN_MS
    assert types(table.act(0, "60")) == ["action"], "just in time"
    table.now += 1
    assert table.act(1, "60") == []
    assert table.refusal().code == "not-your-turn"
    table.match = table.restored()
    table.now -= 5_000  # a clock that is behind the log does not count
    table.log.append(msgspec.structs.replace(table.log[-1], t=50_001, type="open", act=None))
    table.match = table.restored()
    assert table.act(2, "60") == []
    assert table.refusal().code == "not-your-turn"


# ------------------------------------------------------------------ the Spaces that have such


def question(table: Table, since_ms: int) -> int:
    """A live question that comes so long after its step began; when that was."""
    after_ms = table.now - since_ms
    history = [str(100 + i % 3) for i in range(24)]
    value: dict[str, Any] = {"history": history, "horizon": 3, "after_ms": after_ms}
    table.hear(Observation("an exchange", value))
    return after_ms


def test_no_forecast_of_a_live_value_that_is_public() -> None:
    live: dict[str, Any] = {"feed": "live", "series": "BTC/USDT", "questions": 1}
    table = Table(record_of("prediction", **live))
    after_ms = question(table, 55_000)
    assert table.match.next_deadline() == table.now + 60_000, "the usual time"
    for seat in range(4):
        table.act(seat, "quantiles: 99, 100, 101, 102, 103")
    assert away(table, 70_000) == ["turn"]
    assert table.match.next_deadline() == after_ms + 180_000, "no full minute any more"
    assert away(table, 50_000) == ["void"]
    assert table.act(4, "quantiles: 99, 100, 101, 102, 103") == []
    assert replayed(table).outcome.termination == "void"


@pytest.mark.parametrize(
    ("horizon", "cutoff_s", "last_s"), [(3, 60, 180), (2, 30, 120), (10, 60, 540), (5, 5, 240)]
)
def test_a_live_question_of_the_last_moment_leaves_both_attempts(
    horizon: int, cutoff_s: int, last_s: int
) -> None:
    """And the close that is asked for is never told before."""
    space = registry.get("prediction")
    live: dict[str, Any] = {"feed": "live", "series": "x", "horizon": horizon, "cutoff_s": cutoff_s}
    table = Table(record_of("prediction", **live))
    value = {"history": ["1", "2"] * 12, "horizon": horizon, "after_ms": T0}
    table.hear(Observation("an exchange", value))
    (limit,) = {each.not_after_ms for each in space.decisions(table.match.state)}
    assert limit == T0 + last_s * 1_000
    assert 60 + 2 * cutoff_s <= last_s <= horizon * 60


def test_a_recorded_question_has_all_the_time() -> None:
    for space in ("prediction", "trade-wars"):
        table = Table(record_of(space))
        table.hear()
        decisions = registry.get(space).decisions(table.match.state)
        assert {each.not_after_ms for each in decisions} == {None}
        assert away(table, 10**9) == ["turn"]


def test_no_order_at_a_live_price_that_is_public() -> None:
    table = Table(
        record_of("trade-wars", feed="live", series="BTC/USDT", rounds=2, candles=1, history=5)
    )
    after_ms = table.now - 55_000
    candle = ["100", "101", "99", "100"]
    table.hear(Observation("an exchange", {"candles": [candle] * 5, "after_ms": after_ms}))
    gap = table.match.state.params.gap
    for seat in range(5):
        table.act(seat, "order: FLAT")
    value = dict(zip(("open", "high", "low", "close"), candle, strict=True))
    table.now = after_ms + (gap + 1) * 60_000 + 30_000
    table.hear(Observation("an exchange", value))
    opens_ms = after_ms + (2 * gap + 1) * 60_000
    assert table.now + 2 * 30_000 <= opens_ms, "both attempts fit"
    decisions = registry.get("trade-wars").decisions(table.match.state)
    assert {each.not_after_ms for each in decisions} == {opens_ms}
    for seat in range(4):
        table.act(seat, "order: FLAT")
    assert away(table, opens_ms - table.now - 15_000) == ["turn"]
    assert table.match.next_deadline() == opens_ms
    assert away(table, 160_000) == ["void"]
    assert table.match.outcome == {"reason": NO_TIME_LEFT}
