"""Recorded series: which window a draw means, what is told of it when, and how it is committed to."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec
import pytest

from server.oracle import Oracle, OracleFault
from server.oracle.asks import Used
from server.oracle.feeds import oracle as made
from server.oracle.recorded import RecordedFeed
from server.oracle.series import Series
from server.oracle.vega import recordings
from server.oracle.windows import candle_window, candles_of, question_window
from spaces.prediction import Prediction
from spaces.prediction.observations import commitment
from spaces.prediction.state import State
from spaces.seed import Streams
from spaces.space import Inquiry
from spaces.transcript.observations import as_kept

DRAWS = [str(n * 7**40 + n) for n in range(1, 26)]
VEGA = recordings()


def series(name: str, *values: float, **more: Any) -> Series:
    many = range(len(values))
    plain = Series(
        name=name,
        file="ab" * 32,
        source=f"{name}.csv",
        times=tuple(f"day {i}" for i in many),
        values=tuple(f"{value:g}" for value in values),
        rows=tuple(i + 2 for i in many),
    )
    return msgspec.structs.replace(plain, **more)


def oracle(*recorded: Series) -> Oracle:
    return Oracle({"recorded": RecordedFeed(lambda: recorded or VEGA)})


def question(draw: str, **more: Any) -> dict[str, Any]:
    return {"feed": "recorded", "series": "", "draw": draw, "history": 24, "horizon": 3} | more


def candles(draw: str, **more: Any) -> dict[str, Any]:
    return {"feed": "recorded", "series": "", "draw": draw, "history": 30, "candles": 50} | more


async def told(one: Oracle, kind: str, ask: dict[str, Any]) -> Any:
    observation = await one.answer(None, Inquiry(kind, ask, 1_000))
    assert as_kept(observation) == observation
    return observation


async def test_a_question_and_its_resolution_are_of_one_window_of_the_file() -> None:
    by_name = {one.name: one for one in VEGA}
    for draw in DRAWS:
        asked = await told(oracle(), "question", question(draw))
        resolved = await told(oracle(), "resolution", question(draw))
        value = resolved.value
        found = by_name[value["series"]]
        index = found.rows.index(value["row"])
        assert asked.value["history"] == list(found.values[index - 23 : index + 1])
        assert (value["value"], value["at"]) == (found.values[index + 3], found.times[index + 3])
        assert value["file"] == found.file
        opened = commitment(draw, value["file"], value["series"], value["row"])
        assert asked.value["commit"] == opened
        assert opened in asked.source
        assert f"row {found.rows[index + 3]}" in resolved.source


async def test_any_host_gives_the_same_answer() -> None:
    for kind, ask in [
        ("question", question(DRAWS[3])),
        ("resolution", question(DRAWS[3])),
        ("history", candles(DRAWS[3])),
        ("candle", candles(DRAWS[3], index=7)),
        ("unmask", candles(DRAWS[3])),
    ]:
        assert await told(oracle(), kind, ask) == await told(oracle(), kind, ask)


async def test_a_question_names_neither_series_nor_file_nor_time() -> None:
    for draw in DRAWS:
        asked = json.dumps(msgspec.to_builtins(await told(oracle(), "question", question(draw))))
        shown = json.dumps(msgspec.to_builtins(await told(oracle(), "history", candles(draw))))
        for one in VEGA:
            for secret in (one.name, one.file, one.source):
                assert secret not in asked + shown
        assert draw not in asked + shown


async def test_draws_reach_every_series_and_many_places() -> None:
    places = [question_window(VEGA, int(draw) + n, 24, 3) for n in range(15) for draw in DRAWS]
    assert {found.name for found, _ in places} == {one.name for one in VEGA}
    assert len({(found.name, index) for found, index in places}) > 300


def test_a_window_that_does_not_move_is_passed_over() -> None:
    still = series("still", *[1] * 20, 2, 3, 1, 2, 3, 1, 2)
    for draw in range(60):
        _, index = question_window([still], draw, 8, 2)
        assert len(set(still.values[index - 7 : index + 1])) > 1
    with pytest.raises(OracleFault, match="'dead' never moves"):
        question_window([series("dead", *[1] * 40)], 0, 8, 2)


def test_windows_of_one_session_never_overlap() -> None:
    """Else the answer to the third question could stand in the history of the first."""
    few = [one for one in VEGA if one.name.startswith("stocks GOOG")]
    for drawn in DRAWS:
        used: list[Used] = []
        for n in range(2):
            found, index = question_window(few, int(drawn) + n * 7**9, 20, 3, used)
            rows = set(found.rows[index - 19 : index + 4])
            for one in used:
                other = found.rows.index(one.row)
                assert rows.isdisjoint(found.rows[other - 19 : other + 4])
            used.append(Used(found.name, found.rows[index]))
    with pytest.raises(OracleFault, match=r"room for another question of 8 \+ 2 values after 1"):
        question_window([series("tea", *range(19))], 0, 8, 2, [Used("tea", 10)])


def test_a_series_without_room_makes_way_for_another() -> None:
    tea, rum = series("tea", *range(19)), series("rum", *range(19))
    found, _ = question_window([tea, rum], 0, 8, 2, [Used("tea", 10)])
    assert found is rum
    found, _ = question_window([tea, rum], 0, 8, 2, [Used("gold", 10), Used("tea", 999)])
    assert found is tea, "what is unknown takes no room"


async def test_a_session_with_many_questions_shows_no_answer_early() -> None:
    space = Prediction()
    params = {"questions": 4, "series": "stocks", "history": 24}
    for number in range(6):
        streams = Streams(bytes([number]) * 32)
        state: State = space.initial(space.params(params), streams)
        windows: list[tuple[str | None, set[int]]] = []
        while space.outcome(state) is None:
            inquiry = space.inquiry(state)
            if inquiry is None:
                state = space.forfeit(state, space.decisions(state)[0].seat, streams)
                continue
            observation = await told(oracle(), inquiry.kind, inquiry.ask)
            state = space.learn(state, observation, streams)
            if inquiry.kind == "resolution":
                name, row = observation.value["series"], observation.value["row"]
                windows.append((name, set(range(row - 23, row + 4))))
        for i, (name, rows) in enumerate(windows):
            assert all(rows.isdisjoint(other) for said, other in windows[:i] if said == name)


def test_the_last_place_leaves_room_for_the_value_that_is_asked_for() -> None:
    one = series("tea", *range(12))
    indices = {question_window([one], draw, 8, 2)[1] for draw in range(50)}
    assert indices == {7, 8, 9}


async def test_the_rules_learn_what_the_oracle_tells() -> None:
    """The oracle and the Space agree about every form: a session played through with real series."""
    space, seats = Prediction(), range(5)
    for number in range(4):
        streams = Streams(bytes([number]) * 32)
        state: State = space.initial(space.params({"questions": 2}), streams)
        while space.outcome(state) is None:
            inquiry = space.inquiry(state)
            if inquiry is not None:
                state = space.learn(state, await told(oracle(), inquiry.kind, inquiry.ask), streams)
                continue
            last = state.rounds[-1].last
            for seat in seats:
                action = space.parse("quantiles", f"quantiles: {' '.join([last] * 5)}")
                state = space.apply(state, seat, action, streams)
        assert len(space.notes(state)) == 2


async def test_candles_follow_each_other_without_a_gap_and_are_unmasked() -> None:
    for draw in DRAWS[:8]:
        history = (await told(oracle(), "history", candles(draw))).value["candles"]
        assert len(history) == 30
        close = history[0][0]
        played = [
            (await told(oracle(), "candle", candles(draw, index=index))).value
            for index in range(50)
        ]
        for first, high, low, last in [*history, *map(prices, played)]:
            assert first == close, "made candles open where the one before closed"
            low_, high_ = Fraction(low), Fraction(high)
            assert 0 < low_ <= min(Fraction(first), Fraction(last))
            assert high_ >= max(Fraction(first), Fraction(last))
            close = last
        unmasked = (await told(oracle(), "unmask", candles(draw))).value
        name, _, mirrored = unmasked["series"].partition(", ")
        found = next(one for one in VEGA if one.name == name)
        last = found.values[found.times.index(unmasked["last"])]
        pivot = Fraction(history[-1][3])
        shown = round(pivot**2 / Fraction(last), 2) if mirrored else Fraction(last)
        assert Fraction(close) == shown
        assert found.tradable


def prices(candle: dict[str, str]) -> tuple[str, str, str, str]:
    return candle["open"], candle["high"], candle["low"], candle["close"]


async def test_candle_sources_commit_to_one_window() -> None:
    sources = {
        (await told(oracle(), "history", candles(DRAWS[2]))).source,
        (await told(oracle(), "candle", candles(DRAWS[2], index=0))).source,
        (await told(oracle(), "candle", candles(DRAWS[2], index=49))).source,
    }
    assert len(sources) == 1
    unmasked = await told(oracle(), "unmask", candles(DRAWS[2]))
    name = unmasked.value["series"].partition(", ")[0]
    found = next(one for one in VEGA if one.name == name)
    row = int(unmasked.source.rpartition("row ")[2].partition(";")[0])
    assert commitment(DRAWS[2], found.file, found.name, row) in sources.pop()


def test_half_of_the_windows_are_mirrored() -> None:
    """So that who is always long, since prices rise in the long run, is right half of the time."""
    given = tuple((f"{n}.5", str(n + 2), str(n - 1), str(n + 1)) for n in range(5, 25))
    one = series("tea", *[n + 0.25 for n in range(6, 26)], candles=given)
    places = 20 - 15 + 1
    for place in range(places):
        straight, first = candle_window([one], place, 5, 10)
        mirrored, same = candle_window([one], place + places, 5, 10)
        assert first == same
        assert (straight.pivot, mirrored.pivot) == (None, straight[first - 1][3])
        assert mirrored[first - 1][3] == straight[first - 1][3]
        for index in range(20):
            opened, high, low, close = map(Fraction, mirrored[index])
            assert 0 < low <= min(opened, close) <= max(opened, close) <= high
            assert (close < mirrored_at(mirrored.pivot)) == (
                Fraction(straight[index][3]) > mirrored_at(mirrored.pivot)
            )
            product = close * Fraction(straight[index][3])
            assert abs(product - mirrored_at(mirrored.pivot) ** 2) <= Fraction(26, 200)
            assert all((price * 100).denominator == 1 for price in (opened, high, low, close))
    ups = sum(
        candle_window([one], int(draw) + n, 5, 10)[0].pivot is None
        for draw in DRAWS
        for n in range(40)
    )
    assert 400 < ups < 600, "of 1000"


def mirrored_at(pivot: str | None) -> Fraction:
    assert pivot is not None
    return Fraction(pivot)


async def test_mirrored_prices_can_be_computed_from_the_file() -> None:
    mirrored, rng = 0, random.Random(1)
    for _ in range(25):
        drawn = str(rng.getrandbits(256))
        unmasked = await told(oracle(), "unmask", candles(drawn))
        history = (await told(oracle(), "history", candles(drawn))).value["candles"]
        rule = unmasked.source.partition("; ")[2]
        assert bool(rule) == unmasked.value["series"].endswith(", mirrored")
        if rule:
            mirrored += 1
            pivot = history[-1][3]
            assert rule == f"mirrored, a price p of the file is shown as {pivot} * {pivot} / p"
    assert 5 < mirrored < 20


def test_what_anybody_can_foretell_is_not_traded() -> None:
    assert {one.name.partition(" ")[0] for one in VEGA if one.tradable} == {"stocks"}


def test_real_candles_are_taken_as_they_are() -> None:
    given = tuple((str(n), str(n + 2), str(n - 1), str(n + 1)) for n in range(5, 25))
    one = series("tea", *range(6, 26), candles=given)
    chosen, first = candle_window([one], 0, 5, 10)
    assert first == 5
    assert chosen[first] == given[5]
    assert chosen.count == 20


def test_values_that_are_no_prices_make_no_candles() -> None:
    assert candles_of(series("frost", 1, 2, -1, *range(1, 50)), 5) is None
    assert candles_of(series("jobs", *range(1, 50), tradable=False), 5) is None
    assert candles_of(series("short", 1, 2, 3), 5) is None
    with pytest.raises(OracleFault, match=r"above zero has 5 \+ 10 candles"):
        candle_window([series("short", 1, 2, 3)], 0, 5, 10)


@pytest.mark.parametrize(
    ("kind", "ask", "named"),
    [
        ("question", question("1", series="gold"), "no recorded series 'gold'; there are stocks"),
        ("question", question("1", feed="live"), "no feed 'live' on this host; there are recorded"),
        ("question", question("1", feed=["x"]), "no feed"),
        ("question", question("-1"), "draw"),
        ("question", question("1", history=9_000), r"no recorded series has 9000 \+ 3 values"),
        ("candle", candles("1", index=50), "candle 50 of 50"),
        ("candle", candles("1"), "index"),
        ("weather", question("1"), "no feed knows a 'weather'"),
    ],
)
async def test_what_cannot_be_answered_is_said(kind: str, ask: dict[str, Any], named: str) -> None:
    with pytest.raises(OracleFault, match=named):
        await told(oracle(), kind, ask)


async def test_a_series_may_be_named_or_its_beginning() -> None:
    for wanted in ("stocks", "stocks IBM"):
        for draw in DRAWS:
            resolved = await told(oracle(), "resolution", question(draw, series=wanted))
            assert resolved.value["series"].startswith(wanted)


async def test_a_draw_may_be_an_integer() -> None:
    as_text = await told(oracle(), "question", question("12345"))
    assert await told(oracle(), "question", question("") | {"draw": 12345}) == as_text


async def test_a_file_that_was_mended_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "tea.csv"
    file.write_text("date,price\n1900-01,a lot\n")
    one = made(str(file), (), "")
    with pytest.raises(OracleFault, match=r"tea\.csv"):
        await told(one, "question", question("1"))
    file.write_text("date,price\n" + "\n".join(f"{1900 + i}-01,{i % 5}" for i in range(40)))
    asked = await told(one, "question", question("1"))
    assert asked.value["history"][:2] != asked.value["history"][1:3]
    await one.close()


def test_the_recordings_are_long_and_well_named() -> None:
    assert len({one.name for one in VEGA}) == len(VEGA) == 15
    assert all(len(one.values) >= 60 for one in VEGA)
    assert all(one.unit and one.step for one in VEGA)
    assert sum(candles_of(one, 80) is not None for one in VEGA) == 4, "a default trade-wars"


def test_pandas_is_not_imported() -> None:
    code = "import sys; from server.oracle.vega import recordings; recordings(); "
    code += "sys.exit(any(name in sys.modules for name in ('pandas', 'pyarrow', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
