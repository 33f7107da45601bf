from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bots.api import no_answer
from bots.errors import ArenaUnreachable, WouldSendInClear
from bots.logins import TOKEN_VARIABLE, Login, Logins, NotSignedIn, owner_api
from bots.owner import OwnerApi, Refused
from bots.private_file import PrivateFileError
from server.api.listen import ApiServer

URL = "http://127.0.0.1:8600"
LOGIN = Login(token="agon_login_x", account="01A", wallet="0xAb", expires_ms=9_999_999_999_999)


async def echo(request: Request) -> Response:
    sent = (await request.body()).decode()
    return JSONResponse(
        [
            request.method,
            sent,
            request.headers.get("authorization"),
            request.headers.get("idempotency-key"),
            dict(request.query_params),
        ]
    )


async def answer(request: Request) -> Response:
    status = int(request.path_params["status"])
    if status == 204:
        return Response(status_code=204)
    if status == 200:
        return Response("a,b\n", media_type="text/csv")
    if status == 418:
        return Response(b'{"detail": "\xff"}', status)
    if status == 203:
        return Response(b'"\xff"', status, media_type="application/json")
    problem = {"code": "no-money", "detail": "an entry costs 1 USDC\x1b[2J"}
    return JSONResponse(problem, status, {"Retry-After": "7"})


@pytest.fixture
async def url() -> AsyncIterator[str]:
    methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
    app = Starlette(
        routes=[
            Route("/echo", echo, methods=methods),
            Route("/answer/{status}", answer, methods=methods),
        ]
    )
    server = ApiServer(app, "127.0.0.1", 0)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.run())
        yield server.address
        await server.drain()


async def test_every_method_sends_the_token_and_gives_the_json_back(url: str) -> None:
    api = OwnerApi(url, "agon_login_x")
    bearer = "Bearer agon_login_x"
    assert await api.get("/echo", limit=3, before=None) == ["GET", "", bearer, None, {"limit": "3"}]
    posted = await api.post("/echo", {"a": 1}, idempotency_key="once")
    assert posted == ["POST", '{"a":1}', bearer, "once", {}]
    assert await api.put("/echo", b"png") == ["PUT", "png", bearer, None, {}]
    assert await api.patch("/echo", {}) == ["PATCH", "{}", bearer, None, {}]
    assert await api.delete("/echo") == ["DELETE", "", bearer, None, {}]
    assert (await OwnerApi(url).get("/echo"))[2] is None


async def test_an_empty_answer_is_none_and_another_media_type_is_bytes(url: str) -> None:
    assert await OwnerApi(url).delete("/answer/204") is None
    assert await OwnerApi(url).get("/answer/200") == b"a,b\n"


async def test_a_refusal_is_told_in_the_arenas_words_made_harmless(url: str) -> None:
    with pytest.raises(Refused, match=r"^an entry costs 1 USDC") as caught:
        await OwnerApi(url).post("/answer/409")
    assert (caught.value.status, caught.value.code) == (409, "no-money")
    assert "\x1b" not in str(caught.value)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_what_may_work_later_says_when(url: str, status: int) -> None:
    with pytest.raises(ArenaUnreachable) as caught:
        await OwnerApi(url).get(f"/answer/{status}")
    assert caught.value.retry_after_s == 7


async def test_nobody_at_home_and_no_secret_in_clear() -> None:
    with pytest.raises(ArenaUnreachable, match="agon serve"):
        await OwnerApi("http://127.0.0.1:9", "agon_login_x").get("/echo")
    with pytest.raises(WouldSendInClear):
        await OwnerApi("http://203.0.113.7", "agon_login_x").get("/echo")


def test_a_login_is_kept_in_a_private_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    path = tmp_path / "agon" / "logins.json"
    with pytest.raises(NotSignedIn, match="agon login"):
        owner_api(URL, path)
    Logins(path).keep(URL, LOGIN)
    Logins(path).keep("https://other", LOGIN)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Logins(path).find(URL) == LOGIN
    assert owner_api(URL, path).url == URL
    Logins(path).keep(URL, msgspec.structs.replace(LOGIN, expires_ms=int(time.time() * 1000)))
    with pytest.raises(NotSignedIn, match="expired"):
        owner_api(URL, path)
    Logins(path).forget(URL)
    assert Logins(path).find(URL) is None
    assert Logins(path).find("https://other") == LOGIN
    assert LOGIN.token not in repr(LOGIN)


async def test_a_script_may_bring_its_own_token(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "agon_of_a_script")
    assert (await owner_api(url).get("/echo"))[2] == "Bearer agon_of_a_script"


def test_a_broken_file_of_logins_is_named(tmp_path: Path) -> None:
    path = tmp_path / "logins.json"
    path.write_text('{"http://x": 3}')
    with pytest.raises(PrivateFileError, match=r"logins\.json"):
        Logins(path).find(URL)


async def test_a_token_that_is_not_known_is_told_by_where_it_came_from(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "agon_of_a_script")
    with pytest.raises(Refused, match="does not know the token in AGON_TOKEN"):
        await owner_api(url).get("/answer/401")
    monkeypatch.setenv(TOKEN_VARIABLE, "a secret")
    with pytest.raises(NotSignedIn, match="AGON_TOKEN holds what is no login"):
        owner_api(url)
    monkeypatch.delenv(TOKEN_VARIABLE)
    Logins(tmp_path / "logins.json").keep(url, LOGIN)
    api = owner_api(url, tmp_path / "logins.json")
    with pytest.raises(Refused, match="has ended there; run `agon login --url"):
        await api.get("/answer/401")
    with pytest.raises(Refused, match="an entry costs"):
        await OwnerApi(url, "agon_login_x").get("/answer/401")


async def test_an_answer_that_is_no_text_is_refused_in_words(url: str) -> None:
    for status, words in ((418, "answered 418"), (203, "answered no JSON")):
        with pytest.raises(Refused, match=words):
            await OwnerApi(url, "agon_login_x").get(f"/answer/{status}")


async def test_what_does_not_answer_is_told_without_the_names_of_exceptions() -> None:
    said = "nothing answers at http://127.0.0.1:9: is `agon serve` running there"
    with pytest.raises(ArenaUnreachable, match=said) as caught:
        await OwnerApi("http://127.0.0.1:9", "agon_login_x").get("/echo")
    assert "Error" not in str(caught.value)


def test_a_host_that_there_is_not_and_an_answer_that_does_not_come_are_told_apart() -> None:
    lost = httpx.ConnectError("x")
    lost.__cause__ = socket.gaierror(-2, "Name or service not known")
    assert no_answer("https://arena.exmple", lost).startswith("there is no host 'arena.exmple'")
    assert "took too long" in no_answer(URL, httpx.ReadTimeout("x"))
    assert "broke off" in no_answer(URL, httpx.RemoteProtocolError("x"))


async def test_tls_that_is_none_is_named(url: str) -> None:
    with pytest.raises(ArenaUnreachable, match="no trusted TLS"):
        await OwnerApi(url.replace("http:", "https:")).get("/echo")
