"""An adapter does in llama.cpp what it does in PEFT: the conversion, proved by logits.

A little Llama in 32 bits, so that nothing but arithmetic differs: each log-probability within TOLERANCE. The real
SmolLM2-135M is quantised: there the *shift* that the adapter makes has to be the same but for quantisation's noise.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.training import tiny, tiny_gguf, trained
from training.adapters import gguf, shapes
from training.chat import Message, prompt_ids
from training.documents.adapter import Base
from training.model import base as bases
from training.serving.backend import Target
from training.serving.llama import Llama
from training.serving.probe import PROMPTS

pytestmark = pytest.mark.slow

TOLERANCE = 0.01
"""Nats, each of the likeliest TOP tokens after each prompt."""
TOP = 200


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tiny")


@pytest.fixture(scope="module")
def adapted(folder: Path) -> Any:
    """A tiny model with an adapter on all of its modules, and both as files."""
    base = tiny.make(folder / "base")
    model = trained.make(base, folder / "right", seed=1, scale=0.3)
    plain = bases.quiet_transformers().AutoModelForCausalLM.from_pretrained(base.folder)
    tiny_gguf.write(plain, base.folder, folder / "base.gguf")
    return model


@pytest.fixture
def wrong(folder: Path, adapted: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same adapter, its q and k as PEFT has them."""
    shutil.copytree(folder / "right", folder / "wrong")
    monkeypatch.setattr(gguf, "permuted", lambda array, heads: array)
    gguf.to_gguf(folder / "wrong", shapes.of_checkpoint(folder / "base"))
    return folder / "wrong"


@pytest.fixture
async def llama(folder: Path, adapted: Any) -> AsyncIterator[Llama]:
    backend = Llama(Base(name="tiny", sha256=tiny.SHA256), folder / "base.gguf")
    await backend.start()
    yield backend
    await backend.close()


async def told(target: Target, messages: tuple[Message, ...]) -> dict[int, float]:
    """Token -> log-probability."""
    body = {
        "messages": [{"role": each.role, "content": each.content} for each in messages],
        "max_tokens": 1,
        "logprobs": True,
        "top_logprobs": TOP,
        **target.fields,
    }
    async with httpx.AsyncClient(trust_env=False, timeout=120) as http:
        answer = await http.post(f"{target.url}/chat/completions", json=body)
    listed = answer.json()["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
    return {each["id"]: each["logprob"] for each in listed}


def expected(model: Any, folder: Path, messages: tuple[Message, ...]) -> Any:
    import torch

    tokenizer = bases.tokenizer(bases.Base("tiny", folder / "base", tiny.SHA256))
    with torch.inference_mode():
        ids = torch.tensor([prompt_ids(messages, tokenizer)])
        return model(ids).logits[0, -1].log_softmax(-1)


async def worst(llama: Llama, alias: str | None, model: Any, folder: Path) -> float:
    """The largest difference over all prompts, in nats."""
    found = 0.0
    for messages in PROMPTS[:4]:
        logs = expected(model, folder, messages)
        async with llama.asking(alias) as target:
            served = await told(target, messages)
        assert len(served) == TOP
        found = max(found, *(abs(log - float(logs[token])) for token, log in served.items()))
    return found


async def test_an_adapter_has_the_same_logits_in_llama_cpp_and_a_wrong_order_of_rows_has_not(
    llama: Llama, adapted: Any, folder: Path, wrong: Path
) -> None:
    for alias, where in (("right", folder / "right"), ("wrong", wrong)):
        await llama.load(alias, where)
        await llama.keep(alias)
    with adapted.disable_adapter():
        base = await worst(llama, None, adapted, folder)
    right = await worst(llama, "right", adapted, folder)
    unpermuted = await worst(llama, "wrong", adapted, folder)
    with adapted.disable_adapter():
        shift = await worst(llama, "right", adapted, folder)
    print(f"base {base:.5f}, right {right:.5f}, wrong {unpermuted:.3f}, shift {shift:.3f} nats")
    assert base < TOLERANCE
    assert right < TOLERANCE
    assert unpermuted > 10 * TOLERANCE
    assert shift > 10 * TOLERANCE
