"""The model gateway over real HTTP: who asks for an adapter gets that adapter, or is told why not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.training import adapter_files
from tests.training.fake_models import FakeBackend, listening
from training.serving.backend import Backend, BackendError
from training.serving.fingerprint import Fit, Misfit
from training.serving.gateway import ModelGateway, UnknownAdapter

NAMES = [f"ag{number}@v1-0000000{number}" for number in range(8)]


class Shelf:
    """A library of adapters that lie ready."""

    def __init__(self, folder: Path) -> None:
        self._folder = adapter_files.write(folder)
        self.away = False

    async def names(self) -> Sequence[str]:
        return NAMES

    async def folder(self, name: str) -> Path:
        if name not in NAMES:
            raise UnknownAdapter(name)
        if self.away:
            raise BackendError("the content store is away")
        return self._folder


class Prober:
    """Lets through what is not among `wrong`."""

    def __init__(self) -> None:
        self.wrong: set[str] = set()
        self.probed: list[str] = []

    async def __call__(self, backend: Backend, alias: str, folder: Path) -> Fit:
        async with backend.asking(alias):
            self.probed.append(alias)
            if alias.rpartition(".")[0] in self.wrong:
                raise Misfit("the adapter changes nothing")
        return Fit(1, 1, 0, 0)


class World:
    def __init__(self, folder: Path, backend: FakeBackend) -> None:
        self.backend = backend
        self.shelf = Shelf(folder)
        self.prober = Prober()
        self.now_ms = int(time.time() * 1_000)
        self.gateway = ModelGateway(
            backend,
            self.shelf,
            clock=self.clock,
            prove=self.prober,
            room_s=0.6,
            patience_s=0.1,
        )
        self.http = httpx.AsyncClient()

    def clock(self) -> int:
        self.now_ms += 1
        return self.now_ms

    async def ask(self, model: Any, **more: Any) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": "hi"}], **more}
        return await self.http.post("/v1/chat/completions", json=body)

    async def word(self, model: str) -> str:
        answer = await self.ask(model)
        assert answer.status_code == 200, answer.text
        said: str = answer.json()["choices"][0]["message"]["content"]
        return said.rpartition(".")[0] or said


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    backend = FakeBackend()
    made = World(tmp_path / "adapter", backend)
    async with listening(backend.app()) as backend.url, made.gateway as gateway:
        async with listening(gateway.app()) as url:
            made.http = httpx.AsyncClient(base_url=url, trust_env=False, timeout=10)
            yield made
            await made.http.aclose()
        assert not any(backend.owed.values()), "every place was given back"


async def test_each_name_is_answered_by_its_own_adapter_and_the_base_by_none(world: World) -> None:
    assert await world.word("tiny") == "base"
    for name in (NAMES[0], NAMES[1], NAMES[0]):
        assert await world.word(name) == name
    assert len(world.prober.probed) == 2, "one that is live is not loaded again"


async def test_a_name_that_there_is_not_is_never_answered_by_the_base(world: World) -> None:
    answer = await world.ask("ag9@v1-99999999")
    assert answer.status_code == 404
    assert "no model 'ag9@v1-99999999'; there are tiny, ag0@v1-00000000" in answer.text
    assert not world.backend.asked


async def test_one_that_fails_its_probe_is_refused_and_not_tried_at_every_request(
    world: World,
) -> None:
    world.prober.wrong.add(NAMES[0])
    for _ in range(3):
        answer = await world.ask(NAMES[0])
        assert answer.status_code == 503
        assert "cannot be served: the adapter changes nothing" in answer.text
    assert len(world.prober.probed) == 1
    assert not world.backend.there, "it was unloaded"
    world.prober.wrong.clear()
    world.now_ms += 60_000
    assert await world.word(NAMES[0]) == NAMES[0], "a minute later it is tried again"


async def test_a_server_that_cannot_load_it_is_our_fault_and_said_so(world: World) -> None:
    world.backend.fails_to_load = True
    answer = await world.ask(NAMES[0])
    assert (answer.status_code, world.backend.asked) == (503, [])
    assert "out of memory" in answer.text
    world.shelf.away = True
    answer = await world.ask(NAMES[1])
    assert answer.status_code == 503
    assert "the content store is away" in answer.text


async def test_the_one_unused_for_longest_makes_room_and_comes_again_under_another_alias(
    world: World,
) -> None:
    for name in NAMES[:3]:
        await world.word(name)
    await world.word(NAMES[0])
    assert await world.word(NAMES[3]) == NAMES[3]
    assert [each.rpartition(".")[0] for each in world.backend.unloaded] == [NAMES[1]]
    assert await world.word(NAMES[1]) == NAMES[1]
    aliases = [each for each in world.prober.probed if each.startswith(NAMES[1])]
    assert len(set(aliases)) == 2


async def test_a_stream_goes_on_while_another_adapter_is_loaded(world: World) -> None:
    world.backend.go_on.clear()
    body = {"model": NAMES[0], "messages": [{"role": "user", "content": "x"}], "stream": True}
    async with world.http.stream("POST", "/v1/chat/completions", json=body) as answer:
        lines = answer.aiter_lines()
        assert NAMES[0] in await anext(lines), "the first word comes before the second is said"
        loading = asyncio.create_task(world.ask(NAMES[1]))
        while "keep" not in world.backend.told[2:]:
            await asyncio.sleep(0.005)
        world.backend.go_on.set()
        rest = [line async for line in lines if line]
    assert rest[-1] == "data: [DONE]"
    assert len(rest) == 4
    assert (await loading).status_code == 200


async def test_who_hangs_up_frees_the_server(world: World) -> None:
    world.backend.go_on.clear()
    body = {"model": NAMES[0], "messages": [{"role": "user", "content": "x"}], "stream": True}
    async with world.http.stream("POST", "/v1/chat/completions", json=body) as answer:
        await anext(answer.aiter_lines())
    async with asyncio.timeout(5):
        while any(world.backend.owed.values()) or not world.backend.cancelled:
            await asyncio.sleep(0.01)
    route = world.gateway.routes.of(NAMES[0])
    assert route is not None
    assert route.in_flight == 0


async def test_when_each_place_is_in_use_the_longest_is_drained_and_its_answer_not_cut(
    world: World,
) -> None:
    world.backend.go_on.clear()
    pending = [asyncio.create_task(world.ask(name)) for name in NAMES[:3]]
    while len(world.backend.asked) < 3:
        await asyncio.sleep(0.005)
    waiting = asyncio.create_task(world.ask(NAMES[3]))
    async with asyncio.timeout(5):
        while not world.gateway.routes.draining():
            await asyncio.sleep(0.01)
    world.backend.go_on.set()
    assert [(await each).status_code for each in pending] == [200] * 3
    assert (await waiting).status_code == 200


async def test_when_no_place_comes_free_the_request_is_refused_in_time(world: World) -> None:
    world.backend.go_on.clear()
    pending = [asyncio.create_task(world.ask(name)) for name in NAMES[:3]]
    while len(world.backend.asked) < 3:
        await asyncio.sleep(0.005)
    answer = await world.ask(NAMES[3])
    assert answer.status_code == 503
    assert "all 3 places for adapters are in use" in answer.text
    world.backend.go_on.set()
    assert [(await each).status_code for each in pending] == [200] * 3


async def test_who_waits_for_an_adapter_counts_among_those_in_hand(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.serving.gateway.MAX_REQUESTS", 4)
    world.gateway._room_s = 30
    world.backend.go_on.clear()
    pending = [asyncio.create_task(world.ask(name)) for name in NAMES[:3]]
    while len(world.backend.asked) < 3:
        await asyncio.sleep(0.005)
    pending.append(asyncio.create_task(world.ask(NAMES[3])))  # there is no room for it
    while world.gateway._in_hand < 4:
        await asyncio.sleep(0.005)
    answer = await world.ask(NAMES[3])
    assert answer.status_code == 503
    assert "4 requests are in hand already" in answer.text
    world.backend.go_on.set()
    assert [(await each).status_code for each in pending] == [200] * 4
    assert await world.word(NAMES[3]) == NAMES[3]


async def test_many_ask_for_many_at_once_and_each_gets_its_own(world: World) -> None:
    names = [NAMES[number % 5] for number in range(40)]
    world.gateway._room_s = 30
    assert await asyncio.gather(*map(world.word, names)) == names


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"lora": []}, "'lora' is not passed on"),
        ({"id_slot": 1}, "'id_slot'"),
        ({"model": 7}, "`model` is to be"),
        ({"messages": "x" * 2**20}, "at most"),
    ],
)
async def test_a_request_says_nothing_to_the_server_that_is_not_listed(
    world: World, more: dict[str, Any], reason: str
) -> None:
    answer = await world.ask(more.pop("model", NAMES[0]), **more)
    assert answer.status_code in (400, 413)
    assert reason in answer.text
    assert not world.backend.asked


async def test_there_is_no_way_to_load_or_unload(world: World) -> None:
    for path in ("/v1/load_lora_adapter", "/v1/unload_lora_adapter", "/lora-adapters", "/slots"):
        for method in ("GET", "POST"):
            assert (await world.http.request(method, path, json={})).status_code == 404


async def test_what_the_server_refuses_is_passed_on_as_it_is(world: World) -> None:
    answer = await world.ask(NAMES[0], messages=[{"role": "user", "content": "be ill"}])
    assert answer.status_code == 418
    assert answer.json()["error"]["message"] == "ill"


async def test_a_dead_server_is_a_bad_gateway(world: World) -> None:
    world.backend.url = "http://127.0.0.1:9"
    answer = await world.ask("tiny")
    assert answer.status_code == 502
    assert "does not answer (ConnectError)" in answer.text


async def test_the_list_tells_what_there_is_and_in_which_state(world: World) -> None:
    await world.word(NAMES[1])
    listed = (await world.http.get("/v1/models")).json()["data"]
    assert listed[0] == {"id": "tiny", "object": "model", "state": "live"}
    states = {each["id"]: each["state"] for each in listed}
    assert (states[NAMES[1]], states[NAMES[0]]) == ("live", "not loaded")
