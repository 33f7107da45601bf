from __future__ import annotations

from typing import Any

import pytest

from server.config import ConfigError
from server.knobs import load
from server.signin import MAX_AGE_MS, SKEW_MS, Domains, SignInRefused, check
from server.siwe import SignInMessage

NOW = "2026-11-27T05:00:00Z"
NOW_MS = 1_795_755_600_000
OURS = Domains(["arena.example", "arena.example:8443"], "0.0.0.0", 8600)
HERE = Domains([], "192.0.2.7", 8600)


def message(**changes: Any) -> SignInMessage:
    fields: dict[str, Any] = {
        "domain": "arena.example",
        "address": "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "uri": "https://arena.example/v1/signin",
        "chain_id": 31_337,
        "nonce": "abcdefgh",
        "issued_at": NOW,
    }
    return SignInMessage(**fields | changes)


def code_of(found: SignInMessage, domains: Domains = OURS, now_ms: int = NOW_MS) -> str:
    """Why it is refused, or `good`."""
    try:
        check(found, domains, chain_id=31_337, now_ms=now_ms)
    except SignInRefused as refused:
        return refused.code
    return "good"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, "good"),
        ({"domain": "ARENA.example", "uri": "https://arena.EXAMPLE/"}, "good"),
        ({"domain": "arena.example:8443", "uri": "https://arena.example:8443"}, "good"),
        ({"scheme": "https"}, "good"),
        ({"expiration_time": "2026-11-27T05:00:01Z", "not_before": NOW}, "good"),
        ({"domain": "evil.example", "uri": "https://evil.example"}, "wrong-domain"),
        ({"domain": "arena.example.evil.example"}, "wrong-domain"),
        ({"domain": "arena.example:80", "uri": "http://arena.example:80"}, "wrong-domain"),
        ({"domain": "localhost", "uri": "http://localhost"}, "wrong-domain"),
        ({"domain": "%61rena.example", "uri": "https://%61rena.example"}, "wrong-domain"),
        ({"uri": "https://evil.example/"}, "wrong-domain"),
        ({"uri": "https://arena.example@evil.example/"}, "wrong-domain"),
        ({"uri": "ipfs://arena.example/"}, "wrong-domain"),
        ({"uri": "did:key:z6Mk"}, "wrong-domain"),
        ({"chain_id": 1}, "wrong-chain"),
        ({"expiration_time": NOW}, "stale-message"),
        ({"not_before": "2026-11-27T05:00:00.001Z"}, "stale-message"),
    ],
)
def test_a_message_must_be_ours_and_good_now(changes: dict[str, Any], code: str) -> None:
    assert code_of(message(**changes)) == code


def test_a_message_is_good_for_minutes_and_by_a_clock_a_little_ahead() -> None:
    assert code_of(message(), now_ms=NOW_MS + MAX_AGE_MS) == "good"
    assert code_of(message(), now_ms=NOW_MS + MAX_AGE_MS + 1) == "stale-message"
    assert code_of(message(), now_ms=NOW_MS - SKEW_MS) == "good"
    assert code_of(message(), now_ms=NOW_MS - SKEW_MS - 1) == "stale-message"


@pytest.mark.parametrize("domain", ["localhost:8600", "127.0.0.1", "[::1]:1", "192.0.2.7:8600"])
def test_without_a_name_an_arena_is_where_it_listens(domain: str) -> None:
    assert code_of(message(domain=domain, uri=f"http://{domain}/"), HERE) == "good"


@pytest.mark.parametrize("domain", ["arena.example", "localhost.evil.example", "[::2]", "0.0.0.0"])
def test_without_a_name_nowhere_else_is_ours(domain: str) -> None:
    assert code_of(message(domain=domain, uri=f"http://{domain}/"), HERE) == "wrong-domain"


def test_what_is_proposed_is_always_ours_whatever_the_request_calls_itself() -> None:
    assert OURS.suggested("arena.example:8443") == "arena.example:8443"
    assert OURS.suggested("evil.example") == "arena.example"
    assert HERE.suggested("127.0.0.1:9") == "127.0.0.1:9"
    for host in ("localhost:99999", "localhost:80\n", "localhost:\u0661", "evil.example", ""):
        assert HERE.suggested(host) == "localhost:8600"
    for host in ("::1", "::", "0.0.0.0", "a host"):
        assert Domains([], host, 8600).suggested("evil.example") == "localhost:8600"


@pytest.mark.parametrize("domain", ["https://arena.example", "arena.example/", "me@a.example", ""])
def test_a_domain_that_no_message_can_hold_is_no_setting(domain: str) -> None:
    with pytest.raises(ConfigError, match="signin_domains"):
        load(env={}, signin_domains=(domain,))
    assert load(env={}, signin_domains=("a.example", "[::1]:80")).signin_domains[1] == "[::1]:80"
