"""Where keys are kept, and the two HTTP calls of a bot."""

from __future__ import annotations

import asyncio
import json
import stat
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bots.api import INSECURE_VARIABLE, Api, Credentials, arena_url, check_private
from bots.errors import ArenaUnreachable, NotAnArena, RequestRefused, WouldSendInClear
from bots.keys import KEY_VARIABLE, Keys, default_path
from bots.private_file import PrivateFileError
from bots.signin import SignIn

URL = "http://127.0.0.1:8600"
MINE = Credentials("01AGENT", "agon_secret_secret_secret")


def test_a_kept_key_is_found_again_by_arena_and_name(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "deep" / "keys.toml")
    assert keys.find(URL, "Me") is None
    keys.keep(URL, "Me", MINE)
    keys.keep(URL, "You", Credentials("01B", "agon_b"))
    keys.keep("https://elsewhere", "Me", Credentials("01C", "agon_c"))
    assert keys.find(URL, "Me") == MINE
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600
    assert "secret" not in repr(MINE)


def test_forgetting_spares_a_key_that_was_replaced_meanwhile(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.toml")
    keys.keep(URL, "Me", MINE)
    keys.forget(URL, "Me", "agon_an_older_one")
    assert keys.find(URL, "Me") == MINE
    keys.forget(URL, "Me", MINE.key)
    assert keys.find(URL, "Me") is None


@given(st.text(min_size=1).filter(lambda s: not any(0xD800 <= ord(c) <= 0xDFFF for c in s)))
def test_any_name_survives_the_file(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        keys = Keys(Path(folder) / "keys.toml")
        keys.keep(URL, name, MINE)
        assert keys.find(URL, name) == MINE


@pytest.mark.parametrize("content", ["not toml [", 'a = "b"', '["http://x".Me]\nkey = 3'])
def test_a_broken_file_is_named_and_left_alone(tmp_path: Path, content: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(content)
    with pytest.raises(PrivateFileError, match=r"keys\.toml"):
        Keys(path).keep(URL, "Me", MINE)
    assert path.read_text() == content


def test_xdg_config_home_is_honoured() -> None:
    assert default_path({"XDG_CONFIG_HOME": "/etc/me"}) == Path("/etc/me/agon/keys.toml")
    assert default_path({"XDG_CONFIG_HOME": "relative"}).is_absolute()


@pytest.mark.parametrize(
    "url",
    ["ftp://x", "nonsense", "http://", "http://[::1", "http://a..b", "http://127.0.0.1:99999"],
)
def test_an_arenas_address_is_http(url: str) -> None:
    with pytest.raises(NotAnArena):
        arena_url(url)


def test_the_address_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGON_URL", "https://arena.example/")
    assert arena_url() == "https://arena.example"
    monkeypatch.delenv("AGON_URL")
    assert arena_url() == URL


Answer = Callable[[str, str, bytes], tuple[int, str, str]]


@asynccontextmanager
async def http(answer: Answer) -> AsyncIterator[Api]:
    """A server that gives (status, extra header, body) for (method, path, body)."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        method, path, _ = head.split(" ", 2)
        length = head.lower().partition("content-length:")[2].partition("\r\n")[0]
        body = await reader.readexactly(int(length or 0))
        status, header, text = answer(method, path, body)
        writer.write(f"HTTP/1.1 {status} X\r\nConnection: close\r\n{header}\r\n{text}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    try:
        yield Api(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    finally:
        server.close()
        await server.wait_closed()


async def test_registration_happens_once_and_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    seen = []

    def answer(method: str, path: str, body: bytes) -> tuple[int, str, str]:
        seen.append((method, path, json.loads(body)))
        reply = {
            "agent": "01A",
            "key": "agon_fresh_fresh_fresh",
            "owner_key": "agon_owner_owner_owner",
            "version": "01A@v1",
            "name": "Me",
        }
        return 201, "", json.dumps(reply)

    async with http(answer) as api:
        for _ in range(2):
            said: list[str] = []
            sign_in = SignIn(api, "Me", keys_file=tmp_path / "keys.toml", say=said.append)
            assert await sign_in.key() == "agon_fresh_fresh_fresh"
        assert seen == [("POST", "/v1/agents", {"name": "Me"})]
        kept = Keys(tmp_path / "keys.toml").find(api.url, "Me")
        assert kept == Credentials("01A", "agon_fresh_fresh_fresh", "agon_owner_owner_owner")
        monkeypatch.setenv(KEY_VARIABLE, "agon_from_the_environment")
        sign_in = SignIn(api, "Me", keys_file=tmp_path / "keys.toml", say=said.append)
        assert await sign_in.key() == "agon_from_the_environment"
        assert not sign_in.refused("agon_from_the_environment")  # not ours to replace


@pytest.mark.parametrize(
    ("status", "header", "text", "error", "words"),
    [
        (429, "Retry-After: 7\r\n", '{"detail": "slow down"}', ArenaUnreachable, "429 slow down"),
        (503, "", "gone", ArenaUnreachable, "503"),
        (404, "", "", NotAnArena, "does not exist"),
        (403, "", '{"detail": "registration is closed"}', RequestRefused, "registration is closed"),
        (200, "", "<html>", NotAnArena, "does not answer as an arena"),
        (200, "", '{"url": "http://x"}', NotAnArena, "expected ws://"),
    ],
)
async def test_answers_that_are_no_address(
    status: int, header: str, text: str, error: type[Exception], words: str
) -> None:
    async with http(lambda *_: (status, header, text)) as api:
        with pytest.raises(error, match=words) as raised:
            await api.gateway()
        if isinstance(raised.value, ArenaUnreachable):
            assert raised.value.retry_after_s == (7.0 if header else 0.0)


async def test_a_key_is_not_sent_in_clear_when_the_api_is_encrypted() -> None:
    class Encrypted(Api):
        async def _call(self, method: str, path: str, **content: object) -> object:  # type: ignore[override]
            request = httpx.Request("GET", self.url + path)
            return httpx.Response(200, text='{"url": "ws://arena.example"}', request=request)

    with pytest.raises(WouldSendInClear, match="AGON_INSECURE"):
        await Encrypted("https://arena.example").gateway()


async def test_a_local_arena_cannot_have_the_key_sent_elsewhere_in_clear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(INSECURE_VARIABLE, raising=False)
    async with http(lambda *_: (200, "", '{"url": "ws://192.0.2.1:8601"}')) as api:
        with pytest.raises(WouldSendInClear, match=r"ws://192\.0\.2\.1:8601"):
            await api.gateway()
        monkeypatch.setenv(INSECURE_VARIABLE, "1")
        assert await api.gateway() == "ws://192.0.2.1:8601"


async def test_nothing_is_asked_of_a_remote_arena_in_clear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(INSECURE_VARIABLE, raising=False)
    api = Api("http://arena.test")  # a name that never resolves: asking would say "unreachable"
    for call in (api.gateway(), api.register("Me")):
        with pytest.raises(WouldSendInClear, match="AGON_INSECURE=1"):
            await call


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://127.0.0.1:8600", True),
        ("ws://[::1]:8601", True),
        ("http://localhost", True),
        ("http://0.0.0.0:8600", True),
        ("https://arena.example", True),
        ("wss://arena.example", True),
        ("http://arena.example", False),
        ("HTTP://arena.example", False),
        ("ws://10.0.0.7:8601", False),
        ("http://127.0.0.1.arena.example", False),
        ("http://127.0.0.1@arena.example", False),
    ],
)
def test_where_a_key_may_go(url: str, private: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INSECURE_VARIABLE, "0")
    if private:
        check_private(url)
    else:
        with pytest.raises(WouldSendInClear):
            check_private(url)


async def test_nobody_there_says_what_to_do() -> None:
    async with http(lambda *_: (200, "", "")) as api:
        pass
    with pytest.raises(ArenaUnreachable, match="agon serve"):
        await api.gateway()
