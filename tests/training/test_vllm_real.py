"""The real vLLM (`make serving-cpu`): the base and adapters at once, one that is loaded while it answers, and a live session
whose agent takes up the adapter that was just trained, mid-season and without a restart of anything."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from examples.two_owners import Owner, wait
from server.config import Config
from server.own_arena import own_arena
from tests.training.fake_models import listening
from tests.training.vllm_adapters import Makers
from training.chat import Message
from training.documents.adapter import Base
from training.model import base as bases
from training.serving.backend import BackendError, Target
from training.serving.gateway import ModelGateway, UnknownAdapter
from training.serving.routes import State
from training.serving.vllm import Vllm
from training.serving.vllm_process import Bounds, VllmProcess

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-serving" / "bin" / "python"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not PYTHON.exists(), reason="vLLM is not installed here: `make serving-cpu` does that"
    ),
]

TIE = 0.3
"""Nats. Both compute in 16 bits, where logits are steps of an eighth: of two words that are as likely, either may come."""
OTHER = 1.0
"""Nats. What others' weights say is further off than that, in one of the questions."""
WORDS = 24
QUESTIONS = tuple(
    (Message("user", text),)
    for text in (
        "Name a color and say why you like it.",
        "How many do you bid?",
        "Write one line of a rap about the sea.",
    )
)
SPACE = "bid-tac-toe"


class Counted(Vllm):
    """Counts who was asked."""

    def __init__(self, base: Base, server: VllmProcess) -> None:
        super().__init__(base, server)
        self.asked: Counter[str | None] = Counter()

    @asynccontextmanager
    async def asking(self, alias: str | None, *, bare: bool = False) -> AsyncGenerator[Target]:
        self.asked[None if bare else alias] += 1
        async with super().asking(alias, bare=bare) as target:
            yield target


class Shelf:
    """A library of what was made."""

    def __init__(self, makers: Makers) -> None:
        self._folders = makers.folders

    async def names(self) -> Sequence[str]:
        return list(self._folders)

    async def folder(self, name: str) -> Path:
        if name not in self._folders:
            raise UnknownAdapter(name)
        return self._folders[name]


def tell(what: str) -> None:
    print(what, file=sys.stderr, flush=True)


async def test_base_and_adapters_answer_at_once_and_a_live_session_takes_up_the_trained_one(
    tmp_path: Path,
) -> None:
    base = await asyncio.to_thread(bases.find)
    server = VllmProcess(PYTHON, base.folder, base.name, tmp_path, Bounds(), tell)
    backend = Counted(Base(name=base.name, sha256=base.sha256), server)
    began = time.monotonic()
    try:
        starting = asyncio.create_task(backend.start())
        makers = await asyncio.to_thread(Makers, tmp_path)
        first, second = [await asyncio.to_thread(makers.drawn, seed) for seed in (1, 2)]
        trained = await asyncio.to_thread(makers.trained)
        await starting
        tell(f"vLLM was up, and adapters were made, after {time.monotonic() - began:.0f} s")
        await base_and_two_adapters_answer_at_once(backend, makers, first, second)
        await a_third_is_loaded_while_another_answers(backend, makers, first, trained)
        await nobody_else_reaches_its_endpoints(server)
        shelf = Shelf(makers)
        async with (
            ModelGateway(backend, shelf, clock=lambda: time.time_ns() // 1_000_000) as gateway,
            listening(gateway.app()) as url,
        ):
            await a_live_session_takes_up_the_trained_one(backend, gateway, url, trained, tmp_path)
    finally:
        await backend.close()


async def base_and_two_adapters_answer_at_once(
    backend: Vllm, makers: Makers, first: str, second: str
) -> None:
    aliases: dict[str | None, str | None] = {None: None}
    for adapter in (first, second):
        aliases[adapter] = alias = f"{adapter}.x1"
        took_ms = await timed_ms(backend.load(alias, makers.folders[adapter]))
        tell(f"{adapter} was loaded in {took_ms:.0f} ms")
    assert await backend.models() == {f"{first}.x1", f"{second}.x1"}
    asked = [(name, question) for name in aliases for question in QUESTIONS]
    said = await asyncio.gather(*(ask(backend, aliases[name], text) for name, text in asked))
    worst: dict[tuple[str | None, str | None], float] = {}
    for (name, question), words in zip(asked, said, strict=True):
        for other in aliases:
            regret = await asyncio.to_thread(makers.regret, other, question, words)
            worst[name, other] = max(regret, worst.get((name, other), 0))
    tell("in nats: " + ", ".join(f"{a} by {b} {regret:.2f}" for (a, b), regret in worst.items()))
    for (name, other), regret in worst.items():
        assert regret <= TIE if name == other else regret > OTHER, f"{name} by {other}: {regret}"


async def a_third_is_loaded_while_another_answers(
    backend: Vllm, makers: Makers, busy: str, third: str
) -> None:
    before = await ask(backend, f"{busy}.x1", QUESTIONS[0], 48)
    order: list[str] = []

    async def load() -> None:
        tell(
            f"{third} was loaded in {await timed_ms(backend.load(f'{third}.x1', makers.folders[third])):.0f} ms,"
            " beside a stream"
        )
        order.append("loaded")

    async with asyncio.TaskGroup() as tasks:

        def streamed(piece: str) -> None:
            order.append(piece)
            if len(order) == 5:
                tasks.create_task(load())

        assert await ask(backend, f"{busy}.x1", QUESTIONS[0], 48, streamed) == before
    assert 5 <= order.index("loaded") < len(order) - 1, "in the midst of the stream"
    said = await ask(backend, f"{third}.x1", QUESTIONS[1])
    assert await asyncio.to_thread(makers.regret, third, QUESTIONS[1], said) <= TIE
    assert said == '{"bid": 17}', "it has learned its lesson"
    for name in [alias for alias in await backend.models() if alias != f"{busy}.x1"]:
        await backend.unload(name)
    assert await backend.models() == {f"{busy}.x1"}
    with pytest.raises(BackendError, match="does not have"):
        await ask(backend, f"{third}.x1", QUESTIONS[1])
    await backend.unload(f"{busy}.x1")


async def nobody_else_reaches_its_endpoints(server: VllmProcess) -> None:
    """With run-time loading on, vLLM has more doors than `/v1`, and no key guards them."""
    root = server.url.removesuffix("/v1")
    evil = {"lora_name": "x", "lora_path": "/tmp", "name": "x", "src": "/tmp"}
    headers = {"Authorization": f"Bearer {server.key}"}
    async with httpx.AsyncClient(base_url=root, trust_env=False) as http:
        assert (await http.post("/v1/load_lora_adapter", json=evil)).status_code == 401
        assert (await http.post("/v1/chat/completions", json={})).status_code == 401
        for path in ("/adapters", "/invocations"):
            assert (await http.post(path, json=evil, headers=headers)).status_code == 404


# ------------------------------------------------------------------ in the arena


async def a_live_session_takes_up_the_trained_one(
    backend: Counted, gateway: ModelGateway, url: str, trained: str, folder: Path
) -> None:
    config = Config(
        llm_url=f"{url}/v1",
        llm_model=backend.base.name,
        llm_models=(trained,),
        log_level="warning",
    )
    backend.asked.clear()
    arena = own_arena(config, folder / "arena", house="none")
    (folder / "arena").mkdir()
    started = await asyncio.to_thread(arena.__enter__)
    try:
        with contextlib.closing(await asyncio.to_thread(Season, started.api, url)) as season:
            await asyncio.to_thread(season.play, trained)
    finally:
        await asyncio.to_thread(arena.__exit__, None, None, None)
    route = gateway.routes.of(trained)
    assert route is not None
    assert route.state is State.LIVE
    tell(f"asked in the arena: {dict(backend.asked)}")
    assert backend.asked[None] > 8, "the first version, by the base, beside the probe's eight"
    assert backend.asked[route.alias] > 9, (
        "the second version, by its adapter, beside the probe and whoever warmed it"
    )
    assert set(backend.asked) == {None, route.alias}


class Season:
    """Two owners' hosted agents at an arena: one that asks the model, one that throws dice."""

    def __init__(self, url: str, gateway: str) -> None:
        self._ann = Owner(url, "Ann", "Frost", "llm")
        self._ben = Owner(url, "Ben", "Dice", "random")
        self._gateway = gateway

    def close(self) -> None:
        self._ann.close()
        self._ben.close()

    def play(self, trained: str) -> None:
        """Sessions one after the other; during the first the adapter is loaded, proved, and given to the next version."""
        for owner in (self._ann, self._ben):
            owner.put(
                f"/v1/agents/{owner.agent}/automation",
                tier_micros=0,
                spaces=[SPACE],
                stop_loss_micros=100_000_000,
                max_sessions=20,
                max_parallel=1,
            )
            owner.post(f"/v1/agents/{owner.agent}/automation/on")
        wait(lambda: bool(self._sessions("live")), "the first session begins", 60)
        first = self._sessions("live")[0]["session"]
        self._warm(trained)
        version = self._ann.change(brain="llm", model=trained, spaces=[SPACE])
        assert self._version(first) == version.rpartition("@")[0] + "@v1"
        wait(lambda: version in self._ended(), f"a session of {version} has ended", 240)
        told = self._ann.get(f"/v1/sessions/{self._ended()[version]}")
        tell(f"{version} has played: {told['outcome']}")
        assert told["outcome"]["termination"] in ("line", "bankruptcy", "board-full")

    def _warm(self, model: str) -> None:
        """As whoever promotes does: what is not proved to be served is given to no version."""
        said = {"model": model, "messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}
        answer = httpx.post(
            f"{self._gateway}/v1/chat/completions", json=said, timeout=120, trust_env=False
        )
        assert answer.status_code == 200, answer.text

    def _ended(self) -> dict[str, str]:
        """Sessions that came to their end, by the version of Ann's agent that played; the newest of each."""
        ended = [each["session"] for each in self._sessions("ended")]
        return {self._version(each): each for each in reversed(ended)}

    def _sessions(self, status: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ann.get("/v1/sessions", status=status)["sessions"]
        return found

    def _version(self, session: str) -> str:
        """Of Ann's agent, in a session's seat."""
        seats = self._ann.get(f"/v1/sessions/{session}")["seats"]
        version: str = next(s["version"] for s in seats if s["agent"] == self._ann.agent)
        return version


# ------------------------------------------------------------------ asking


async def timed_ms(work: Any) -> float:
    began = time.perf_counter()
    await work
    return (time.perf_counter() - began) * 1_000


async def ask(
    backend: Vllm,
    alias: str | None,
    messages: Sequence[Message],
    words: int = WORDS,
    streamed: Callable[[str], None] = lambda piece: None,
) -> str:
    """The greedy answer."""
    said = ""
    async with backend.asking(alias) as target, httpx.AsyncClient(trust_env=False) as http:
        body = {
            "messages": msgspec.to_builtins(messages),
            "temperature": 0,
            "max_tokens": words,
            "stream": True,
            **target.fields,
        }
        url = f"{target.url}/chat/completions"
        async with http.stream(
            "POST", url, json=body, headers=target.headers, timeout=120
        ) as answer:
            assert answer.status_code == 200, await answer.aread()
            async for line in answer.aiter_lines():
                if not line.startswith("data: {"):
                    continue
                piece = json.loads(line[6:])["choices"][0]["delta"].get("content") or ""
                said += piece
                if piece:
                    streamed(piece)
    return said
