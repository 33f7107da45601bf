"""Config: sources in order, every knob explained, mistakes named."""

from __future__ import annotations

from pathlib import Path

import pytest

from judges.court.terms import FRAC_MICROS
from server import knobs
from server.config import Config, ConfigError


def test_the_house_plays_a_tier_that_is_open() -> None:
    assert knobs.load(env={"AGON_HOUSE_TIER": "100000"}).house_tier == 100_000
    for tier in ("7", "1000000"):
        with pytest.raises(ConfigError, match="house_tier"):
            knobs.load(env={"AGON_HOUSE_TIER": tier, "AGON_TIERS_OPEN": "0,100000"})


def test_environment_beats_file_beats_default(tmp_path: Path) -> None:
    file = tmp_path / "agon.toml"
    file.write_text('tick_ms = 50\napi_port = 1\nllm_model = "m"\n')
    loaded = knobs.load(file, env={"AGON_API_PORT": "2", "AGON_OPEN_REGISTRATION": "false"})
    assert (loaded.tick_ms, loaded.api_port, loaded.llm_model) == (50, 2, "m")
    assert loaded.open_registration is False
    assert loaded.retry_ms == Config().retry_ms


def test_lists_come_comma_separated(tmp_path: Path) -> None:
    assert knobs.load(env={"AGON_TIERS_OPEN": "0,100000"}).tiers_open == (0, 100_000)


@pytest.mark.parametrize(
    ("env", "named"),
    [
        ({"AGON_TICK_MS": "fast"}, "tick_ms"),
        ({"AGON_TICK_MS": "1"}, "tick_ms"),
        ({"AGON_API_PORT": "70000"}, "api_port"),
        ({"AGON_TYPO": "1"}, "AGON_TYPO"),
        ({"AGON_LOG_LEVEL": "loud"}, "log_level"),
    ],
)
def test_a_wrong_variable_is_named(env: dict[str, str], named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        knobs.load(env=env)


@pytest.mark.parametrize(
    ("text", "named"), [("tick = 5", "tick"), ("tick_ms = ", "TOML"), ("", None)]
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, named: str | None) -> None:
    file = tmp_path / "agon.toml"
    file.write_text(text)
    if named is None:
        assert knobs.load(file, env={}) == Config()
        return
    with pytest.raises(ConfigError, match=named):
        knobs.load(file, env={})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        knobs.load(tmp_path / "nowhere.toml", env={})


def test_every_knob_has_a_reason_and_loopback_is_the_default() -> None:
    assert all(len(knob.reason) > 20 for knob in knobs.knobs())
    assert Config().api_host == Config().gateway_host == "127.0.0.1"


def test_the_court_s_price_is_the_one_that_its_numbers_were_chosen_by() -> None:
    assert Config().frac_micros == FRAC_MICROS
