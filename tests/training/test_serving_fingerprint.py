"""Whether a server's answers are an adapter's: noise passes, nothing and another thing do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.adapter_files import fingerprint
from training.serving.fingerprint import Misfit, compare

RECORDED = fingerprint("b" + "a" * 58)
BASE = {token: log / 1e6 for token, log in RECORDED.answers[0].base.items()}
ADAPTER = {token: log / 1e6 for token, log in RECORDED.answers[0].adapter.items()}


@given(st.lists(st.floats(-0.05, 0.05), min_size=8, max_size=8))
def test_a_server_that_is_a_little_off_fits(noise: list[float]) -> None:
    base = {token: log + noise[i] for i, (token, log) in enumerate(BASE.items())}
    adapter = {token: log + noise[4 + i] for i, (token, log) in enumerate(ADAPTER.items())}
    fit = compare(RECORDED, [(base, adapter)])
    assert fit.error < 0.3
    assert fit.base_error <= 0.05


def test_an_error_that_base_and_adapter_share_is_none() -> None:
    def off(logs: dict[str, float]) -> dict[str, float]:
        return {token: log + 0.2 for token, log in logs.items()}

    assert compare(RECORDED, [(off(BASE), off(ADAPTER))]).error < 1e-9


def test_a_server_that_leaves_the_adapter_out_is_found_out() -> None:
    with pytest.raises(Misfit, match="as if without it"):
        compare(RECORDED, [(BASE, BASE)])


def test_a_server_that_has_another_adapter_is_found_out() -> None:
    other = {token: 2 * BASE[token] - log for token, log in ADAPTER.items()}
    with pytest.raises(Misfit, match="200% of its shift is wrong"):
        compare(RECORDED, [(BASE, other)])


def test_an_adapter_that_says_what_the_base_never_says_is_told_too() -> None:
    base = {token: log for token, log in BASE.items() if token != "b"}
    assert compare(RECORDED, [(base, ADAPTER)]).error < 1e-9
    with pytest.raises(Misfit, match="as if without it"):
        compare(RECORDED, [(BASE, BASE)])


def test_a_server_of_another_model_is_found_out() -> None:
    with pytest.raises(Misfit, match="another model"):
        compare(RECORDED, [({"x": -1.0}, {"x": -1.0})])
    far = {token: log - 2 for token, log in BASE.items()}
    with pytest.raises(Misfit, match=r"2.00 nats"):
        compare(RECORDED, [(far, ADAPTER)])
