"""`agon login`, `logout` and `whoami` against a real API on a real port."""

from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from bots.api import Api, Credentials
from bots.errors import NotAnArena
from bots.keys import Keys
from bots.logins import Logins, owner_api
from bots.owner import OwnerApi
from server.api.app import create_app
from server.cli import app
from server.commands.signing_in import propose
from server.config import Config
from server.store import Store
from tests.server.wallet import Wallet, serving

PASSPHRASE = "correct horse battery"
Agon = Callable[..., Coroutine[Any, Any, Result]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this user's files are; a passphrase, and a key derivation that costs nothing."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("AGON_PASSPHRASE", PASSPHRASE)
    monkeypatch.delenv("AGON_TOKEN", raising=False)
    monkeypatch.setattr("server.commands.keystore.SCRYPT_N", 2)
    return tmp_path / "config" / "agon"


@pytest.fixture
async def url(store: Store, redis: Redis, home: Path) -> AsyncIterator[str]:
    arena = create_app(
        config=Config(), store=store, redis=redis, gateway_address=lambda: "ws://127.0.0.1:1"
    )
    # The command's output is read: the arena's log would stand in it.
    with capture_logs():
        async with serving(arena) as address:
            yield address


@pytest.fixture
def agon(url: str) -> Agon:
    async def run(*arguments: str, fails: bool = False) -> Result:
        result = await asyncio.to_thread(
            CliRunner().invoke, app, [*arguments, "--url", url], catch_exceptions=True
        )
        assert (result.exit_code != 0) == fails, (result.output, result.exception)
        return result

    return run


async def test_a_wallet_is_made_and_signs_in(agon: Agon, url: str, home: Path) -> None:
    said = (await agon("login")).output
    wallet = home / "wallet.json"
    assert str(wallet) in said
    for file in (wallet, home / "logins.json"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert PASSPHRASE not in said
    login = Logins().find(url)
    assert login is not None
    assert login.token not in said
    me = json.loads((await agon("whoami", "--json")).output)
    assert (me["account"], me["wallet"]) == (login.account, login.wallet)
    assert login.wallet in (await agon("whoami")).output
    before = wallet.read_bytes()
    await agon("login")
    again = Logins().find(url)
    assert again is not None
    assert (again.account, wallet.read_bytes()) == (login.account, before)
    assert again.token != login.token


async def test_signing_out_ends_it_there_and_here(agon: Agon, url: str) -> None:
    await agon("login")
    login = Logins().find(url)
    assert login is not None
    assert "signed out" in (await agon("logout")).output
    assert Logins().find(url) is None
    async with httpx.AsyncClient(trust_env=False) as http:
        headers = {"Authorization": f"Bearer {login.token}"}
        assert (await http.get(f"{url}/v1/me", headers=headers)).status_code == 401
    assert "not signed in" in (await agon("logout")).output
    assert "agon login" in str((await agon("whoami", fails=True)).exception)


async def test_a_login_that_has_ended_there_is_forgotten_here(agon: Agon, url: str) -> None:
    await agon("login")
    await owner_api(url).post("/v1/signout")
    assert "signed out" in (await agon("logout")).output
    assert Logins().find(url) is None


async def test_a_wallet_elsewhere_signs_what_is_printed(
    agon: Agon, url: str, tmp_path: Path
) -> None:
    wallet = Wallet()
    printed = (await agon("login", "--print-message", wallet.address.lower())).stdout
    assert wallet.address in printed
    file = tmp_path / "message.txt"
    file.write_text(printed + "\n")  # as `echo` and editors leave it
    signature = "0x" + wallet.sign(printed).hex()
    await agon("login", "--message", str(file), "--signature", signature)
    login = Logins().find(url)
    assert login is not None
    assert login.wallet == wallet.address
    failed = await agon("login", "--message", str(file), "--signature", signature, fails=True)
    assert "nonce" in str(failed.exception)


async def test_an_agent_s_account_gets_the_wallet(agon: Agon, url: str) -> None:
    made = await Api(url).register("Ember")
    Keys().keep(url, "Ember", made)
    await agon("login", "--agent", "Ember")
    mine = await owner_api(url).get("/v1/me")
    playing = await OwnerApi(url, made.key).get("/v1/me")
    assert (mine["account"], mine["wallet"]) == (playing["account"], playing["wallet"])
    assert mine["wallet"]
    Keys().keep(url, "Frost", Credentials(made.agent, made.key))
    failed = await agon("login", "--agent", "Frost", fails=True)
    assert "plays and no more" in str(failed.exception)
    failed = await agon("login", "--agent", "Nobody", fails=True)
    assert "no key of an agent named 'Nobody'" in str(failed.exception)


@pytest.mark.parametrize(
    ("passphrase", "reason"), [("wrong horse battery", "passphrase is wrong"), ("", "wrong")]
)
async def test_a_wrong_passphrase_opens_nothing(
    agon: Agon, monkeypatch: pytest.MonkeyPatch, passphrase: str, reason: str
) -> None:
    await agon("login")
    monkeypatch.setenv("AGON_PASSPHRASE", passphrase)
    assert reason in str((await agon("login", fails=True)).exception)


async def test_a_short_passphrase_makes_no_wallet(
    agon: Agon, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGON_PASSPHRASE", "short")
    assert "8 characters" in str((await agon("login", fails=True)).exception)
    assert not (home / "wallet.json").exists()


async def test_without_a_terminal_or_variable_nobody_is_asked(
    agon: Agon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AGON_PASSPHRASE")
    assert "AGON_PASSPHRASE" in str((await agon("login", fails=True)).exception)


@pytest.mark.parametrize("content", ["", "{}", "[]", "not json", '{"version": 3, "crypto": {}}'])
async def test_what_is_no_wallet_is_named_and_left_alone(
    agon: Agon, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "mine.json"
    file.write_text(content)
    failed = await agon("login", "--wallet", str(file), fails=True)
    assert "mine.json" in str(failed.exception)
    assert file.read_text() == content


async def test_no_signature_for_another_arena_is_given(home: Path) -> None:
    async def nonce(_: Request) -> JSONResponse:
        """Of an arena that would sign in elsewhere with what it gets."""
        return JSONResponse(
            {
                "nonce": "abcdefgh12345678",
                "domain": "arena.example",
                "chain_id": 31_337,
                "issued_at": "2026-11-27T05:00:00Z",
                "expiration_time": "2026-11-27T05:05:00Z",
            }
        )

    evil = Starlette(routes=[Route("/v1/signin/nonce", nonce, methods=["POST"])])
    async with serving(evil) as address:
        with pytest.raises(NotAnArena, match=r"signs in at arena\.example"):
            await propose(OwnerApi(address), Wallet().address)


async def test_an_arena_cannot_write_lines_of_its_own_into_the_message(home: Path) -> None:
    async def nonce(request: Request) -> JSONResponse:
        return JSONResponse(
            {
                "nonce": "abcdefgh12345678",
                "domain": request.headers["host"],
                "chain_id": 31_337,
                "issued_at": "2026-11-27T05:00:00Z",
                "expiration_time": "2026-11-27T05:05:00Z\nResources:\n- https://evil.example",
            }
        )

    evil = Starlette(routes=[Route("/v1/signin/nonce", nonce, methods=["POST"])])
    async with serving(evil) as address:
        with pytest.raises(NotAnArena, match="no message"):
            await propose(OwnerApi(address), Wallet().address)
