"""The gateway before the real llama.cpp: adapters at once, one more while a stream is under way, and what the probe lets through."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.training import tiny, tiny_gguf, trained
from tests.training.fake_models import listening
from training.adapters import gguf, shapes
from training.documents.adapter import Base
from training.model import base as bases
from training.recipes.config import LoraShape
from training.serving import probe
from training.serving.backend import WEIGHTS
from training.serving.fingerprint import Misfit
from training.serving.gateway import ModelGateway, UnknownAdapter
from training.serving.llama import Llama

pytestmark = pytest.mark.slow

NAMES = [f"ag{number}@v2-0000000{number}" for number in range(3)]
ZEROED = "ag3@v2-00000003"
PARTNER = "01J0000000000000000000000Z@v1-" + NAMES[0][-8:]
"""Another agent's name for the first adapter."""
MESSAGES = [{"role": "user", "content": "Say one word."}]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny base as a file, three adapters on it, and one whose update was set to nothing after it was recorded."""
    root = tmp_path_factory.mktemp("shelf")
    base = tiny.make(root / "base")
    for number, name in enumerate(NAMES):
        trained.make(base, root / name, seed=number + 1, scale=0.3)
    shutil.copytree(root / NAMES[0], root / ZEROED)
    _zero(root / ZEROED, base.folder)
    plain = bases.quiet_transformers().AutoModelForCausalLM.from_pretrained(base.folder)
    tiny_gguf.write(plain, base.folder, root / "base.gguf")
    return root


def _zero(folder: Path, base: Path) -> None:
    """The GGUF alone: its fingerprint goes on being that of the adapter that it should be."""
    import torch
    from safetensors.torch import load_file, save_file

    whole = (folder / WEIGHTS).read_bytes()
    tensors = {name: torch.zeros_like(each) for name, each in load_file(folder / WEIGHTS).items()}
    save_file(tensors, folder / WEIGHTS, metadata={"format": "pt"})
    gguf.to_gguf(folder, shapes.of_checkpoint(base))
    (folder / WEIGHTS).write_bytes(whole)


class Library:
    def __init__(self, root: Path) -> None:
        self._root = root

    async def names(self) -> Sequence[str]:
        return [*NAMES, ZEROED]

    async def folder(self, name: str) -> Path:
        if name == PARTNER:
            return self._root / NAMES[0]
        if name not in (*NAMES, ZEROED):
            raise UnknownAdapter(name)
        return self._root / name


@pytest.fixture
async def llama(shelf: Path) -> Llama:
    return Llama(Base(name="tiny", sha256=tiny.SHA256), shelf / "base.gguf", log=shelf / "log")


@pytest.fixture
async def http(shelf: Path, llama: Llama) -> AsyncIterator[httpx.AsyncClient]:
    gateway = ModelGateway(llama, Library(shelf), clock=lambda: time.time_ns() // 1_000_000)
    async with (
        gateway,
        listening(gateway.app()) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=300) as client,
    ):
        yield client


async def text(http: httpx.AsyncClient, model: str, tokens: int = 8) -> str:
    body = {"model": model, "messages": MESSAGES, "temperature": 0, "max_tokens": tokens}
    answer = await http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    said: str = answer.json()["choices"][0]["message"]["content"]
    return said


async def streamed(http: httpx.AsyncClient, model: str) -> str:
    """A long answer, whole or not at all."""
    body = {"model": model, "messages": MESSAGES, "temperature": 0, "max_tokens": 300}
    said, finish = "", None
    async with http.stream("POST", "/v1/chat/completions", json={**body, "stream": True}) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: {"):
                choice: dict[str, Any] = json.loads(line.removeprefix("data: "))["choices"][0]
                said += choice["delta"].get("content") or ""
                finish = choice["finish_reason"]
    assert finish in ("length", "stop"), "it was cut"
    return said


async def test_an_adapter_is_loaded_while_another_answers_and_each_answers_as_itself(
    http: httpx.AsyncClient, llama: Llama
) -> None:
    alone = {model: await text(http, model) for model in ("tiny", *NAMES[:2])}
    assert len(set(alone.values())) == 3, "each adapter says something else"
    whole = await streamed(http, NAMES[0])
    third = asyncio.create_task(text(http, NAMES[2]))
    streams = 0
    while not third.done():  # so that some are under way at the switch, whenever that is
        said = await asyncio.gather(*(streamed(http, NAMES[0]) for _ in range(2)))
        assert said == [whole, whole], "not a word is missing"
        streams += 2
    print(f"{streams} streams while the third adapter was loaded")
    alone[NAMES[2]] = await third
    assert len(set(alone.values())) == 4
    again = await asyncio.gather(*(text(http, model) for model in (*alone, *alone)))
    assert again == [*alone.values(), *alone.values()], "side by side as alone"
    async with asyncio.timeout(60):
        while len(llama._servers) > 1:
            await asyncio.sleep(0.05)  # the old server has ended
    assert len(await llama.models()) == 3


async def test_two_names_may_be_of_one_adapter(http: httpx.AsyncClient, llama: Llama) -> None:
    """As a candidate's, that of the version it becomes, and its sparring partner's."""
    said = await text(http, NAMES[0])
    assert await text(http, PARTNER) == said
    assert await text(http, NAMES[0]) == said
    assert await text(http, NAMES[1]) != said
    assert len(await llama.models()) == 3


async def test_an_adapter_that_does_nothing_does_not_go_live_and_nobody_notices(
    http: httpx.AsyncClient,
) -> None:
    before = await text(http, NAMES[0])
    body = {"model": ZEROED, "messages": MESSAGES, "max_tokens": 4}
    answer = await http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 503
    assert "the server answers as if without it" in answer.text
    assert await text(http, NAMES[0]) == before


async def test_a_server_that_was_killed_comes_back_with_its_adapters(
    http: httpx.AsyncClient, llama: Llama
) -> None:
    before = await text(http, NAMES[1])
    process = llama._servers[-1]._process
    assert process is not None
    process.kill()
    await process.wait()
    assert await text(http, NAMES[1]) == before


async def test_the_real_model_is_probed_through_quantisations_noise(tmp_path: Path) -> None:
    """SmolLM2-135M: served in four bits, recorded in 32 on the same weights."""
    base = bases.find()
    shape = LoraShape(rank=8, alpha=16, targets=("k_proj", "q_proj", "v_proj"))
    trained.make(base, tmp_path / "right", seed=1, scale=0.05, shape=shape)
    shutil.copytree(tmp_path / "right", tmp_path / "zeroed")
    _zero(tmp_path / "zeroed", base.folder)
    backend = Llama(Base(name=base.name, sha256=base.sha256), bases.gguf())
    await backend.start()
    try:
        await backend.load("right", tmp_path / "right")
        fit = await probe.prove(backend, "right", tmp_path / "right")
        print(fit)
        await backend.load("zeroed", tmp_path / "zeroed")
        with pytest.raises(Misfit, match="as if without it"):
            await probe.prove(backend, "zeroed", tmp_path / "zeroed")
    finally:
        await backend.close()
