"""`docs/api.md` says what is so: its numbers are the code's."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.api.idempotent import MAX_KEY
from server.api.openapi import openapi
from server.api.routes import OPERATIONS
from server.api.tolls import CHANGING, READING, SHARES_OF_ADDRESS
from server.config import Config
from server.gateway.chores import REVOKED_S
from server.signin import MAX_AGE_MS, NONCE_TTL_S
from server.store.replies import KEPT_MS, LOST_MS

PAGE = " ".join((Path(__file__).parents[2] / "docs" / "api.md").read_text().split())


@pytest.mark.parametrize(
    "said",
    [
        f"{READING} to read and {CHANGING} to change something",
        f"An account has {Config().http_credits} and regains {Config().http_credits_per_s} a second",
        f"after {Config().login_days} days",
        f"1 to {MAX_KEY} printable",
    ],
)
def test_its_numbers_are_the_code_s(said: str) -> None:
    assert said in PAGE


def test_its_words_for_numbers_are_the_code_s() -> None:
    assert (SHARES_OF_ADDRESS, "four times as many" in PAGE) == (4, True)
    assert (NONCE_TTL_S, "for five minutes" in PAGE) == (300, True)
    assert (MAX_AGE_MS, "issued within ten minutes" in PAGE) == (600_000, True)
    assert (KEPT_MS, "remembered for a day" in PAGE) == (86_400_000, True)
    assert (LOST_MS, "more than a minute later" in PAGE) == (60_000, True)
    assert (REVOKED_S, "within about two seconds" in PAGE) == (2.0, True)


def test_what_is_dear_is_named() -> None:
    cost = {operation.id: operation.credits for operation in OPERATIONS}
    assert {cost[id] for id in ("createSignInNonce", "createKey", "createAgentKey")} == {10}
    assert {cost[id] for id in ("signIn", "registerAgent", "createTournament")} == {25}
    said = "10 for a nonce or a key, 25 to sign in, to register an agent or to make a tournament"
    assert said in PAGE
    described = openapi(OPERATIONS)["paths"]
    for operation in OPERATIONS:
        shown = described[operation.path][operation.method.lower()]
        assert shown["x-credits"] == operation.credits


def test_secrets_are_never_remembered() -> None:
    """The answers of these hold a key or a token, which would stand in the database."""
    secret = {"signIn", "createKey", "createAgentKey", "registerAgent", "cloneAgent", "importAgent"}
    idempotent = {operation.id for operation in OPERATIONS if operation.idempotent}
    assert not secret & idempotent
