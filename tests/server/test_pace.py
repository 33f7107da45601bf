"""Whether the embedded model is fast enough here: what is measured, and what is said of it."""

from __future__ import annotations

import pytest

from server import doctor
from server.doctor import Ailment
from server.embedded import pace
from server.embedded.pace import Pace, in_words, measure, too_slow
from tests.bots.model import model, says


def test_a_verse_has_its_turn_less_what_the_way_takes() -> None:
    quick = Pace(first_s=0.3, tokens=60, wrote_s=0.6)
    assert quick.tokens_s == pytest.approx(100)
    assert quick.turn_s() == pytest.approx(0.3 + pace.ANSWER_TOKENS / 100)
    assert not too_slow(quick)
    assert in_words(quick) == "100 tokens/s: the longest verse takes 2.3 s of its 58 s"


def test_what_is_enough_for_one_may_be_late_for_several() -> None:
    tight = Pace(first_s=5, tokens=63, wrote_s=10)
    assert not too_slow(tight)
    assert "but 4 written at once would be late" in in_words(tight)
    slow = Pace(first_s=10, tokens=30, wrote_s=10)
    assert too_slow(slow)
    assert too_slow(Pace(first_s=20, tokens=0, wrote_s=0))
    assert in_words(Pace(first_s=20, tokens=0, wrote_s=0)) == "wrote nothing in 20 s"


async def test_tokens_are_counted_as_they_come_and_not_waited_for_longer_than_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with model(says("a ", "b ", "c"), says(*["slow "] * 50, pause_s=0.1)) as server:
        found = await measure(server.url, "tiny")
        assert found.tokens == 2
        asked = server.asked[0]
        assert asked["max_tokens"] == pace.SAMPLE_TOKENS
        assert "night buses" in asked["messages"][-1]["content"]
        monkeypatch.setattr(pace, "LIMIT_S", 0.5)
        slow = await measure(server.url, "tiny")
        assert 1 <= slow.tokens <= 5
        assert slow.tokens_s < 15


async def test_a_machine_that_is_too_slow_is_an_ailment_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pace, "LIMIT_S", 0.7)
    async with model(says(*["slow "] * 50, pause_s=0.32)) as server:
        with pytest.raises(Ailment, match="too slow for rap battles") as caught:
            await doctor._pace(server.url, "tiny")
    assert "AGON_LLM_URL" in caught.value.remedy
