from __future__ import annotations

import datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.weekly import DAYS, MINUTE_MS, WEEK_MS, Schedule, Window

SUNDAY = datetime.datetime(2026, 11, 29, tzinfo=datetime.UTC)


def at(day: str, clock: str) -> int:
    """Unix ms of a day of the week that follows SUNDAY."""
    hours, minutes = map(int, clock.split(":"))
    days = DAYS.index(day) + 1
    moment = SUNDAY + datetime.timedelta(days=days, hours=hours, minutes=minutes)
    return round(moment.timestamp() * 1_000)


OFFICE = Schedule((Window(("mon", "tue", "wed", "thu", "fri"), "08:00", "18:00"),))
NIGHTS = Schedule((Window(("sun",), "22:00", "06:00"),))


def test_without_windows_it_is_always_open() -> None:
    assert Schedule().open_at(0)
    assert Schedule().next_opening(123) == 123


@pytest.mark.parametrize(
    ("day", "clock", "is_open"),
    [
        ("mon", "07:59", False),
        ("mon", "08:00", True),
        ("fri", "17:59", True),
        ("fri", "18:00", False),
        ("sat", "12:00", False),
    ],
)
def test_a_window_holds_its_first_minute_and_not_its_last(
    day: str, clock: str, is_open: bool
) -> None:
    assert OFFICE.open_at(at(day, clock)) is is_open


def test_a_night_runs_into_the_next_day_and_the_next_week() -> None:
    assert NIGHTS.open_at(at("sun", "23:30"))
    assert NIGHTS.open_at(at("mon", "05:59"))
    assert not NIGHTS.open_at(at("mon", "06:00"))
    assert not NIGHTS.open_at(at("sat", "23:30"))


def test_it_tells_when_it_opens_next() -> None:
    friday_night = at("fri", "20:15")
    assert OFFICE.next_opening(friday_night) == at("mon", "08:00") + WEEK_MS
    assert OFFICE.words(friday_night) == "Mon 08:00 UTC"
    assert OFFICE.next_opening(at("tue", "09:00")) == at("tue", "09:00")


def test_a_whole_day_is_written_so() -> None:
    whole = Schedule((Window(("sat",), "00:00", "24:00"),))
    assert whole.open_at(at("sat", "23:59"))
    assert not whole.open_at(at("sun", "00:00"))


@pytest.mark.parametrize(
    "window",
    [
        {"days": ["mon"], "opens": "24:00", "closes": "01:00"},
        {"days": ["mon"], "opens": "8:00", "closes": "09:00"},
        {"days": ["mon"], "opens": "08:60", "closes": "09:00"},
        {"days": ["mon"], "opens": "08:00\n", "closes": "09:00"},
        {"days": ["mon"], "opens": "08:00", "closes": "08:00"},
        {"days": ["monday"], "opens": "08:00", "closes": "09:00"},
        {"days": [], "opens": "08:00", "closes": "09:00"},
    ],
)
def test_what_is_no_window_is_refused(window: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(window, Window)


clocks = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
windows = (
    st.tuples(
        st.lists(st.sampled_from(DAYS), min_size=1, max_size=3), clocks, clocks | st.just("24:00")
    )
    .filter(lambda each: each[1] != each[2])
    .map(lambda each: Window(tuple(each[0]), each[1], each[2]))
)


@given(st.lists(windows, max_size=3), st.integers(0, 2 * 10**12))
def test_the_next_opening_is_the_first_open_minute(given: list[Window], now_ms: int) -> None:
    schedule = Schedule(tuple(given))
    opens_ms = schedule.next_opening(now_ms)
    assert 0 <= opens_ms - now_ms <= WEEK_MS
    assert schedule.open_at(opens_ms)
    if opens_ms > now_ms:
        assert not schedule.open_at(opens_ms - 1)
        assert not schedule.open_at(now_ms)
        hours = range(now_ms, opens_ms, 61 * MINUTE_MS)
        assert not any(schedule.open_at(minute) for minute in hours)


@given(windows, st.datetimes(datetime.datetime(1990, 1, 1), datetime.datetime(2090, 1, 1)))
def test_it_agrees_with_the_calendar(window: Window, moment: datetime.datetime) -> None:
    clock, day = moment.strftime("%H:%M"), DAYS[moment.weekday()]
    yesterday = DAYS[moment.weekday() - 1]
    if window.closes > window.opens:
        expected = day in window.days and window.opens <= clock < window.closes
    else:
        expected = (day in window.days and clock >= window.opens) or (
            yesterday in window.days and clock < window.closes
        )
    now_ms = int(moment.replace(tzinfo=datetime.UTC).timestamp() * 1_000)
    assert Schedule((window,)).open_at(now_ms) is expected
