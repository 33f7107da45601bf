"""vLLM as a backend, against a small server that speaks as it does; the real one is in `test_vllm_real.py`."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from training.documents.adapter import Base
from training.serving import vllm, vllm_process
from training.serving.backend import CONFIG, WEIGHTS, Backend, BackendError
from training.serving.door.agon_door import Door
from training.serving.vllm import Vllm
from training.serving.vllm_process import VllmProcess

HERE = Path(__file__).parent
NAME = "SmolLM2-135M-Instruct"
BASE = Base(name=NAME, sha256="ab" * 32)
FIRST, SECOND = "Frost@v2-0011aabb.m1x", "Frost@v3-ccdd2233.m1y"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm, "WATCH_S", 0.1)
    monkeypatch.setattr(vllm_process, "TELL_S", 0.1)


def python(folder: Path) -> Path:
    """A Python that, asked for vLLM, is the fake."""
    script = folder / "python"
    script.write_text(
        f'#!/bin/sh\ncase "$1" in\n  -m) exec {sys.executable} {HERE / "fake_vllm.py"} "$@" ;;\n'
        f'  *) exec {sys.executable} "$@" ;;\nesac\n'
    )
    script.chmod(0o755)
    return script


def adapter(folder: Path, name: str, *more: str) -> Path:
    made = folder / name
    made.mkdir()
    for each in (WEIGHTS, CONFIG, *more):
        (made / each).write_bytes(b"")
    return made


def process(folder: Path, told: list[str] | None = None) -> VllmProcess:
    log = None if told is None else told.append
    return VllmProcess(python(folder), folder / "base", NAME, folder / "logs", told=log)


@asynccontextmanager
async def running(folder: Path, told: list[str] | None = None) -> AsyncIterator[Vllm]:
    backend = Vllm(BASE, process(folder, told))
    await backend.start()
    try:
        yield backend
    finally:
        await backend.close()


async def asked(backend: Vllm, alias: str | None) -> str:
    """Who answers."""
    async with backend.asking(alias) as target, httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(
            f"{target.url}/chat/completions",
            json={"messages": [], **target.fields},
            headers=target.headers,
        )
        who: str = answer.raise_for_status().json()["choices"][0]["message"]["content"]
        return who


async def until(backend: Vllm, alias: str | None) -> None:
    """It answers, sooner or later."""
    async with asyncio.timeout(20):
        while True:
            with suppress(BackendError, httpx.HTTPError):
                assert await asked(backend, alias) == (alias or NAME)
                return
            await asyncio.sleep(0.05)


def group_of(backend: Vllm) -> int:
    """0: it has not been started."""
    process = backend._process
    return 0 if process is None or process._process is None else process._process.pid


def members(group: int) -> list[int]:
    """Processes of a group that are not dead."""
    listed = subprocess.run(
        ["ps", "-eo", "pid=,pgid=,stat="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    return [int(pid) for pid, of, stat in rows if int(of) == group and stat[0] != "Z"]


async def test_adapters_come_and_go_while_the_base_answers(tmp_path: Path) -> None:
    async with running(tmp_path) as backend:
        await backend.start()  # once more does nothing
        await backend.load(FIRST, adapter(tmp_path, "a"))
        await backend.load(SECOND, adapter(tmp_path, "b"))
        assert await backend.models() == {FIRST, SECOND}
        assert [await asked(backend, who) for who in (None, FIRST, SECOND)] == [NAME, FIRST, SECOND]
        await backend.keep(SECOND)
        await backend.unload(FIRST)
        await backend.unload(FIRST)
        assert await backend.models() == {SECOND}
        with pytest.raises(BackendError, match="does not have"):
            await asked(backend, FIRST)
        async with backend.asking(SECOND, bare=True) as target:
            assert target.fields == {"model": NAME}
        like: Backend = backend
        assert (like.capacity, backend.at_once, backend.together) == (16, 16, 4)


async def test_an_alias_is_used_once(tmp_path: Path) -> None:
    async with running(tmp_path) as backend:
        folder = adapter(tmp_path, "a")
        await backend.load(FIRST, folder)
        for _ in range(2):
            with pytest.raises(BackendError, match="used before"):
                await backend.load(FIRST, folder)
            await backend.unload(FIRST)
        for name in (NAME, "Frost@v2-0011aabb", "../x", ""):
            with pytest.raises(BackendError, match="is no alias"):
                await backend.load(name, folder)


async def test_what_cannot_be_loaded_leaves_nothing(tmp_path: Path) -> None:
    async with running(tmp_path) as backend:
        empty = tmp_path / "empty"
        empty.mkdir()
        with pytest.raises(BackendError, match=rf"it has no {WEIGHTS}"):
            await backend.load(FIRST, empty)
        with pytest.raises(BackendError, match="500 LoRA rank 64 is greater"):
            await backend.load(FIRST, adapter(tmp_path, "a", "refused"))
        assert await backend.models() == frozenset()
        with pytest.raises(BackendError, match="does not have"):
            await asked(backend, FIRST)


async def test_a_server_that_died_comes_back_with_its_adapters(tmp_path: Path) -> None:
    async with running(tmp_path) as backend:
        await backend.load(FIRST, adapter(tmp_path, "a"))
        before = group_of(backend)
        for pid in members(before):
            if pid != before:
                os.kill(pid, signal.SIGKILL)  # the server alone: the leash sees it
        async with asyncio.timeout(10):
            while group_of(backend) == before:
                with suppress(BackendError, httpx.HTTPError):
                    await asked(backend, FIRST)
                await asyncio.sleep(0.02)
        await until(backend, FIRST)
        assert not members(before)
        gone = adapter(tmp_path, "c", "deadly")
        with pytest.raises(BackendError, match="does not answer"):
            await backend.load(SECOND, gone)
        await until(backend, FIRST)
        assert await backend.models() == {FIRST}


async def test_a_start_is_told_and_a_start_that_fails_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_START_S", "0.7")
    told: list[str] = []
    async with running(tmp_path, told):
        assert told
        assert all(line.startswith("vLLM: starting its engine (") for line in told[1:])
    monkeypatch.setenv("FAKE", "--fail")
    failing = Vllm(BASE, process(tmp_path))
    with pytest.raises(BackendError, match=r"does not start: ValueError: no room .*vllm\.log"):
        await failing.start()
    await failing.close()
    with pytest.raises(BackendError, match="make serving-cpu"):
        await VllmProcess(tmp_path / "no", tmp_path, NAME, tmp_path).start()


async def test_it_ends_with_all_its_processes(tmp_path: Path) -> None:
    async with running(tmp_path) as backend:
        group = group_of(backend)
        assert len(members(group)) == 2
    assert not members(group)
    with pytest.raises(BackendError, match="was closed"):
        await asked(backend, None)


OWNER = """
import asyncio, sys
from pathlib import Path
from training.serving.vllm_process import VllmProcess
async def main(folder):
    process = VllmProcess(folder / "python", folder / "base", "SmolLM2-135M-Instruct", folder)
    await process.start()
    print(process._process.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main(Path(sys.argv[1])))
"""


async def test_it_ends_when_its_owner_is_killed(tmp_path: Path) -> None:
    python(tmp_path)
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    with owner:
        assert owner.stdout is not None
        group = int(await asyncio.to_thread(owner.stdout.readline))
        assert members(group)
        owner.kill()
    async with asyncio.timeout(15):
        while members(group):
            await asyncio.sleep(0.05)


async def test_a_server_of_somebody_elses_is_cleaned_and_mended(tmp_path: Path) -> None:
    """It is taken as it is, by its URL and key; when it was started anew, it is given its adapters again."""
    service = process(tmp_path)
    await service.start()
    before = Vllm(BASE, service.url, service.key)
    await before.start()
    await before.load(FIRST, adapter(tmp_path, "a"))
    await before.close()  # it ends nothing: the server is not ours
    backend = Vllm(BASE, service.url, service.key)
    await backend.start()
    assert await backend.models() == frozenset(), "what a gateway before us has left is taken out"
    await backend.load(SECOND, adapter(tmp_path, "b"))
    async with httpx.AsyncClient(trust_env=False) as http:  # as if it had been started anew
        await http.post(
            f"{service.url}/unload_lora_adapter",
            json={"lora_name": SECOND},
            headers={"Authorization": f"Bearer {service.key}"},
        )
    await until(backend, SECOND)
    await service.stop()
    async with asyncio.timeout(10):
        while not backend._down:
            await asyncio.sleep(0.05)
    with pytest.raises(BackendError, match="does not say what it serves"):
        await asked(backend, SECOND)
    await backend.unload(SECOND)  # nobody is there to be told
    await backend.close()
    with pytest.raises(BackendError, match="ConnectError"):
        await Vllm(BASE, service.url, service.key).start()


async def test_another_base_and_a_wrong_key_are_said(tmp_path: Path) -> None:
    service = process(tmp_path)
    await service.start()
    other = Base(name="Llama-8B", sha256="cd" * 32)
    with pytest.raises(BackendError, match=f"serves {NAME}, not Llama-8B"):
        await Vllm(other, service.url, service.key).start()
    with pytest.raises(BackendError, match=r"\(401\)"):
        await Vllm(BASE, service.url).start()
    await service.stop()


@pytest.mark.parametrize(
    ("method", "path", "key", "status"),
    [
        ("GET", "/v1/models", "right", 200),
        ("POST", "/v1/load_lora_adapter", "right", 200),
        ("POST", "/v1/chat/completions", "wrong", 401),
        ("POST", "/v1/chat/completions", "", 401),
        ("POST", "/adapters", "right", 404),
        ("POST", "/adapters", "", 404),
        ("DELETE", "/adapters/x", "right", 404),
        ("POST", "/invocations", "right", 404),
        ("GET", "/v1/load_lora_adapter", "right", 404),
        ("GET", "/openapi.json", "", 404),
    ],
)
async def test_the_door_lets_in_who_has_the_key_to_what_the_gateway_needs(
    method: str, path: str, key: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def inside(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"in"})

    with pytest.raises(ValueError, match="VLLM_API_KEY"):
        Door(inside)
    monkeypatch.setenv("VLLM_API_KEY", "right")
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    transport = httpx.ASGITransport(app=Door(inside))
    async with httpx.AsyncClient(transport=transport, base_url="http://door") as http:
        assert (await http.request(method, path, headers=headers)).status_code == status
