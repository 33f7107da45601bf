"""Which calls the desk asks for, when it repeats them, and what it makes of their answers."""

from __future__ import annotations

import stat
from pathlib import Path

import msgspec
import pytest

from tui_client.owner import arena, calls, desk, logins
from tui_client.owner.answers import OwnAgents, Registered
from tui_client.owner.calls import Answered, Problem, Read, Refused
from tui_client.owner.clerk import in_clear
from tui_client.owner.desk import Desk, OpenDesk, Pressed
from tui_client.owner.logins import Login, SignedIn, SignedOut
from tui_client.owner.pixels import Pixels, read_png, shrunk
from tui_client.recording import desk as recorded

READ = Read("/v1/things", dict, 5_000)
DOWN = Problem(0, "unreached", "no answer")


def ids(shelf: calls.Shelf, now_ms: int, read: Read = READ) -> list[str]:
    return [call.id for call in calls.due(shelf, [read], now_ms)]


def test_a_read_stays_the_same_call_until_it_is_answered() -> None:
    assert ids({}, 0) == ids({}, 60_000) == ["GET /v1/things #0"]
    shelf = calls.answered({}, READ.path, {"a": 1}, 1_000)
    assert ids(shelf, 5_999) == []
    assert ids(shelf, 6_000) == ["GET /v1/things #1"]


def test_what_never_changes_is_read_once() -> None:
    once = Read(READ.path, dict, 0)
    assert ids(calls.answered({}, READ.path, {}, 0), 10**12, once) == []


def test_a_failed_read_waits_longer_each_time_and_keeps_what_was_known() -> None:
    shelf = calls.answered({}, READ.path, {"a": 1}, 0)
    waits = []
    now_ms = 5_000
    for _ in range(7):
        shelf = calls.refused(shelf, READ.path, DOWN, now_ms)
        waits.append(shelf[READ.path].not_before_ms - now_ms)
        now_ms = shelf[READ.path].not_before_ms
        assert ids(shelf, now_ms - 1) == []
        assert len(ids(shelf, now_ms)) == 1
    assert waits == [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]
    assert shelf[READ.path].value == {"a": 1}


def test_the_server_says_how_long_to_wait() -> None:
    shelf = calls.refused({}, READ.path, Problem(429, "", "", 17_000), 0)
    assert ids(shelf, 16_999) == []
    assert ids(shelf, 17_000) == ["GET /v1/things #1"]


def test_an_answer_that_began_before_a_change_is_not_believed() -> None:
    shelf = calls.answered({}, READ.path, {"a": 1}, 0)
    shelf = calls.stale(shelf, "/v1/thi")
    assert shelf[READ.path].value == {"a": 1}
    assert ids(shelf, 1) == ["GET /v1/things #2"]
    assert calls.of_read(shelf, "GET /v1/things #1") is None
    assert calls.of_read(shelf, "GET /v1/things #2") == READ.path


def test_little_is_kept() -> None:
    shelf: calls.Shelf = {}
    for number in range(2 * calls.MAX_KEPT):
        shelf = calls.answered(shelf, f"/{number}", None, 0)
    assert len(shelf) == calls.MAX_KEPT
    assert f"/{2 * calls.MAX_KEPT - 1}" in shelf


# ---------------------------------------------------------------------- the desk


def at(*happened: desk.DeskInput, now_ms: int = 0) -> Desk:
    found = Desk()
    for one in happened:
        found, _ = desk.reduce(found, one, now_ms)
    return found


def test_nothing_is_asked_for_while_the_desk_is_closed_or_nobody_is_signed_in() -> None:
    assert desk.wanted(at(recorded.ME), 0) == []
    assert desk.wanted(at(OpenDesk()), 0) == []
    assert desk.wanted(at(OpenDesk(), SignedOut()), 0) == []
    assert [call.path for call in desk.wanted(at(OpenDesk(), recorded.ME), 0)] == [
        arena.own_agents().path,
        arena.balances().path,
    ]


def ordering(now_ms: int = 0) -> Desk:
    """Of an agent's automation that is being turned off."""
    found = recorded.at_desk().desk
    found, _ = desk.reduce(found, Pressed("o", "o"), now_ms)
    assert found.order is not None
    return found


def test_an_order_that_is_not_answered_goes_out_again_under_its_key() -> None:
    found = ordering()
    first = calls.call_of(found.order, 0)[0] if found.order else None
    assert first is not None
    found, _ = desk.reduce(found, Refused(first.id, DOWN), 0)
    assert found.order is not None
    assert calls.call_of(found.order, 999) == []
    second = calls.call_of(found.order, 1_000)[0]
    assert (second.key, second.id != first.id) == (first.key, True)


def test_an_order_is_given_up_at_last_and_says_so() -> None:
    found = ordering()
    for _ in range(desk.MAX_TRIES):
        assert found.order is not None
        found, _ = desk.reduce(found, Refused(found.order.id, DOWN), 0)
    assert found.order is None
    assert found.notice is not None
    assert "it may have been done, so look" in found.notice.words


def test_an_order_that_is_refused_is_not_sent_again() -> None:
    found = ordering()
    assert found.order is not None
    refusal = Problem(409, "not-playing", "the agent is \x1b[31marchived")
    found, _ = desk.reduce(found, Refused(found.order.id, refusal), 0)
    assert found.order is None
    assert found.notice is not None
    assert found.notice.words == "turning it off: the agent is [31marchived"


def test_one_order_at_a_time() -> None:
    found = ordering()
    again, _ = desk.reduce(found, Pressed("o", "o"), 0)
    assert (again.order, again.ordered) == (found.order, found.ordered)


def test_a_change_makes_what_it_changed_old() -> None:
    found = ordering()
    assert found.order is not None
    found, _ = desk.reduce(found, Answered(found.order.id), 0)
    assert found.shelf[arena.automation(recorded.FROSTBITE).path].old
    assert not found.shelf[arena.own_agents().path].old


def test_an_order_whose_page_was_left_tells_no_other_page() -> None:
    found = recorded.at_desk("n", *"Bot").desk
    found, _ = desk.reduce(found, Pressed("ctrl+s"), 0)
    assert found.order is not None
    for key in ("escape", "escape", "p"):
        found, _ = desk.reduce(found, Pressed(key, None), 0)
    before = found.page
    made = Registered("a", "Bot", "secret")
    found, _ = desk.reduce(found, Answered(found.order.id, made), 0) if found.order else (found, "")
    assert found.page == before
    assert found.notice is not None
    assert found.notice.words == "saving: done"


def test_what_was_ordered_is_seen_to_its_end_although_the_desk_is_closed() -> None:
    found = ordering()
    found, _ = desk.reduce(found, Pressed("escape"), 0)
    assert not found.open
    assert [call.method for call in desk.wanted(found, 0)] == ["POST"]


def test_who_signs_out_orders_nothing() -> None:
    found, _ = desk.reduce(ordering(), SignedOut("gone"), 0)
    found, _ = desk.reduce(found, recorded.ME, 0)
    assert found.order is None


def test_what_was_being_saved_can_be_saved_after_signing_in_again() -> None:
    found = recorded.at_desk("n", *"Bot").desk
    for happened in (Pressed("ctrl+s"), SignedOut("gone"), recorded.ME):
        found, _ = desk.reduce(found, happened, 0)
    assert found.order is None
    for key in "ty":
        found, _ = desk.reduce(found, Pressed(key, key), 0)
    found, _ = desk.reduce(found, Pressed("ctrl+s"), 0)
    assert found.order is not None
    assert found.order.body["name"] == "Botty"


def test_a_model_is_not_asked_twice_for_what_it_may_be_writing() -> None:
    found = recorded.at_desk("e").desk
    for key in ("ctrl+g", "enter"):
        found, _ = desk.reduce(found, Pressed(key), 0)
    assert found.order is not None
    waiting, _ = desk.reduce(found, Refused(found.order.id, Problem(429, "", "", 1_000)), 0)
    assert waiting.order is not None
    gone, _ = desk.reduce(found, Refused(found.order.id, DOWN), 0)
    assert gone.order is None
    assert gone.notice is not None
    assert gone.notice.words == "the helper writes: no answer"


def test_a_change_does_not_hurry_who_said_when_to_come_back() -> None:
    shelf = calls.refused({}, READ.path, Problem(429, "", "", 17_000), 0)
    assert ids(calls.stale(shelf, "/"), 16_999) == []
    gone = calls.refused({}, READ.path, Problem(404, "no-automation"), 0)
    assert ids(calls.stale(gone, "/"), 1) != []


def test_another_account_sees_nothing_of_the_first() -> None:
    found = recorded.at_desk("e", "x").desk
    assert len(found.pages) == 2
    found, _ = desk.reduce(found, SignedOut(), 0)
    same, _ = desk.reduce(found, recorded.ME, 0)
    assert len(same.pages) == 2
    other, _ = desk.reduce(found, SignedIn("01KOTHER"), 0)
    assert (len(other.pages), other.shelf) == (1, {})


def test_an_answer_that_nobody_waits_for_changes_nothing() -> None:
    found = recorded.at_desk().desk
    late = Answered(f"GET {arena.OWN_AGENTS} #0", OwnAgents())
    assert desk.reduce(found, late, 0)[0] == found
    assert desk.reduce(found, Answered("order 7 #0"), 0)[0] == found


# ---------------------------------------------------------------------- logins


def kept(path: Path, mode: int = 0o600, expires_ms: int = 2_000) -> Path:
    body = {"http://h:1": {"token": "t", "account": "a", "wallet": "0x1", "expires_ms": expires_ms}}
    path.write_bytes(msgspec.json.encode(body))
    path.chmod(mode)
    return path


def test_the_login_of_this_arena_is_found(tmp_path: Path) -> None:
    path = kept(tmp_path / "logins.json")
    found = logins.find("http://h:1/", 1_000, path, {})
    assert found == Login("t", SignedIn("a", "0x1", 2_000))
    assert "t'" not in repr(found).replace("'a'", "")
    assert logins.find("http://h:2", 1_000, path, {}) == SignedOut()
    assert logins.find("http://h:1", 2_000, path, {}) == SignedOut("your login has expired")
    assert logins.find("http://h:1", 0, tmp_path / "none", {}) == SignedOut()


def test_a_login_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    path = kept(tmp_path / "logins.json", 0o644)
    assert path.stat().st_mode & stat.S_IRWXO
    found = logins.find("http://h:1", 1_000, path, {})
    assert isinstance(found, SignedOut)
    assert f"chmod 600 {path}" in found.reason


def test_a_broken_file_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "logins.json"
    path.touch(0o600)
    path.write_text("[")
    found = logins.find("http://h:1", 1_000, path, {})
    assert isinstance(found, SignedOut)
    assert "remove it, sign in again" in found.reason


def test_a_token_of_the_environment_wins(tmp_path: Path) -> None:
    path = kept(tmp_path / "logins.json")
    found = logins.find("http://h:1", 1_000, path, {"AGON_TOKEN": "mine"})
    assert found == Login("mine", SignedIn())


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://arena.example", True),
        ("http://127.0.0.1:8600", True),
        ("http://[::1]:1", True),
        ("http://arena.example", False),
        ("http://10.0.0.7:8600", False),
    ],
)
def test_a_login_is_never_sent_in_clear(
    url: str, fine: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AGON_INSECURE", raising=False)
    assert (in_clear(url) == "") is fine


# ---------------------------------------------------------------------- pictures


def test_only_small_pngs_are_pictures() -> None:
    import io

    from PIL import Image

    def png(size: tuple[int, int], kind: str = "PNG") -> bytes:
        out = io.BytesIO()
        Image.new("RGB", size, (10, 20, 30)).save(out, kind)
        return out.getvalue()

    assert read_png(png((2, 1))) == Pixels((((10, 20, 30),) * 2,))
    for data in (png((65, 2)), png((4, 4), "GIF"), b"", png((4, 4))[:40], b"\x89PNG\r\n\x1a\n" * 9):
        assert read_png(data) is None


def test_a_picture_shrinks_to_its_means() -> None:
    black, white = (0, 0, 0), (200, 200, 200)
    board = Pixels(((black, white), (white, black)))
    assert shrunk(board, 1) == Pixels((((100, 100, 100),),))
    assert shrunk(board, 4) == board
