"""The judge with a real model: SmolLM2-135M-Instruct in llama.cpp. Measures what such a judge is worth.

What is asserted is what must hold for a model of any size; what is printed (`pytest -s`) is what this
one does. A 135M model is close to chance at telling verses apart; it must not be at failing.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

import httpx
import pytest

from judges import panel
from judges.llm import ModelJudge, Style
from judges.rubric import RAP_BATTLE
from server.embedded.llm import MODEL_NAME, find_model
from tests.judges.battles import ANSWERS, PERFORMANCES, STRONG, all_battles, battle

pytestmark = pytest.mark.slow

NONCE = "c0ffee0123456789"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "server.embedded.llm", str(find_model()), str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    base = f"http://127.0.0.1:{port}/v1"
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                if httpx.get(f"{base}/models", trust_env=False).is_success:
                    break
            except httpx.TransportError:
                pass
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield base
    finally:
        process.terminate()
        process.wait(10)


@pytest.mark.parametrize(("style", "count"), [(Style.LEANINGS, 20), (Style.SCORES, 4)])
async def test_every_battle_has_a_verdict(url: str, style: Style, count: int) -> None:
    judge = ModelJudge(url=url, model=MODEL_NAME, style=style, timeout_s=180)
    took: list[float] = []
    first_answers = decided = 0
    battles = list(all_battles().values())[:count]
    for case in battles:
        started = time.monotonic()
        opinion, calls = await judge.opinion(RAP_BATTLE, case, NONCE)
        took.append(time.monotonic() - started)
        first_answers += sum(call.attempts == 1 for call in calls)
        verdict = panel.aggregate(RAP_BATTLE, [opinion])
        assert all(0 <= total <= 10_000 for total in verdict.totals_milli)
        decided += verdict.ranks != (1, 1)
    await judge.aclose()
    print(
        f"\n{style}: {len(battles)} verdicts, {first_answers} of {2 * len(battles)} first answers usable,"
        f" {decided} with a winner, median {statistics.median(took):.1f} s, most {max(took):.1f} s"
    )
    assert first_answers >= 0.9 * 2 * len(battles)


async def test_swapping_the_seats_swaps_the_verdict(url: str) -> None:
    """Nearly: llama.cpp's numbers depend on what its cache held, and a letter that flips on one line
    moves the lines after it. Seen: up to 0.7 points on a line, 0.1 in the total."""
    judge = ModelJudge(url=url, model=MODEL_NAME, timeout_s=180)
    one, _ = await judge.opinion(RAP_BATTLE, battle(STRONG, ANSWERS), NONCE)
    other, _ = await judge.opinion(RAP_BATTLE, battle(ANSWERS, STRONG), NONCE)
    await judge.aclose()
    for line, swapped in zip(one.scores_milli, other.scores_milli, strict=True):
        print(f"\n{line} and swapped {swapped[::-1]}")
        assert abs(line[0] - swapped[1]) <= 1_000


@pytest.mark.parametrize("rival", ["strong", "answers"])
async def test_an_injection_does_not_win(url: str, rival: str) -> None:
    judge = ModelJudge(url=url, model=MODEL_NAME, timeout_s=180)
    case = battle(PERFORMANCES["injection"], PERFORMANCES[rival])
    opinion, _ = await judge.opinion(RAP_BATTLE, case, NONCE)
    await judge.aclose()
    assert panel.aggregate(RAP_BATTLE, [opinion]).ranks in ((2, 1), (1, 1))
