from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.days import DAY_MS
from server.points import VIEW_S
from server.shares import CHALLENGE_S, Answer, answer, challenge, new_token, viewer_of

SECRET, OTHER = b"s" * 32, b"o" * 32
NOON_MS = 20_000 * DAY_MS + DAY_MS // 2
ANN = viewer_of(SECRET, "account", "203.0.113.7")


def after(
    seconds: float, *, token: str = "link", viewer: str = ANN, secret: bytes = SECRET
) -> Answer:
    given_ = challenge(SECRET, "link", ANN, NOON_MS)
    return answer(secret, token, viewer, given_, NOON_MS + int(1_000 * seconds))


def test_who_comes_back_after_a_while_has_looked() -> None:
    assert after(VIEW_S) is Answer.VERIFIED
    assert after(CHALLENGE_S) is Answer.VERIFIED


def test_who_comes_back_at_once_or_much_later_has_not() -> None:
    assert after(VIEW_S - 0.001) is Answer.EARLY
    assert after(CHALLENGE_S + 0.001) is Answer.STALE
    assert after(-5) is Answer.EARLY
    late = challenge(SECRET, "link", ANN, NOON_MS + DAY_MS // 2 - 1)
    assert answer(SECRET, "link", ANN, late, NOON_MS + DAY_MS // 2 + 60_000) is Answer.STALE


def test_a_challenge_is_for_one_link_one_network_and_one_day() -> None:
    assert after(60, token="another") is Answer.FORGED
    assert after(60, viewer=viewer_of(SECRET, "account", "203.0.113.8")) is Answer.FORGED
    assert after(60, secret=OTHER) is Answer.FORGED


def test_a_viewer_is_another_for_every_account_and_every_secret() -> None:
    network = "203.0.113.7"
    found = {viewer_of(secret, who, network) for secret in (SECRET, OTHER) for who in ("a", "b")}
    assert len(found) == 4
    assert all(len(viewer) == 64 and network not in viewer for viewer in found)
    assert viewer_of(SECRET, "ab", "c") != viewer_of(SECRET, "a", "bc")


@given(st.text(max_size=90))
def test_what_is_made_up_is_worth_nothing(given_: str) -> None:
    assert answer(SECRET, "link", ANN, given_, NOON_MS) in (Answer.FORGED, Answer.STALE)


@given(st.integers(0, 10**15))
def test_a_changed_time_breaks_the_signature(made_ms: int) -> None:
    mac = challenge(SECRET, "link", ANN, NOON_MS).partition(".")[2]
    assert answer(SECRET, "link", ANN, f"{made_ms}.{mac}", NOON_MS + 60_000) in (
        Answer.VERIFIED if made_ms == NOON_MS else Answer.FORGED,
        Answer.STALE,
    )


def test_tokens_are_long_and_never_the_same() -> None:
    tokens = {new_token() for _ in range(1_000)}
    assert len(tokens) == 1_000
    assert all(len(token) == 22 for token in tokens)
