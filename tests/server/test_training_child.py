"""The real child process on a tiny model: what it makes is whole, and the same if it is killed on its way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from chain.content import unixfs
from chain.documents import form
from server.training import lesson_files, progress
from server.training.lessons import lesson
from server.training.order import (
    CONTENTS,
    LESSONS,
    MADE,
    ORDER,
    Made,
    Order,
    Weights,
    read_made,
    write,
)
from server.training.teaching import CANNOT
from tests.training import sessions, tiny
from training.documents.adapter import AdapterCard
from training.documents.data import DataCard
from training.documents.training import TrainingManifest
from training.model.base import Base
from training.recipes.config import LoraShape, TrainConfig

ROOT = Path(__file__).parents[2]
STEPS = 6


def ordered(folder: Path, base: Base, steps: int = STEPS) -> Path:
    """A folder with four games of random players."""
    lessons = [lesson(sessions.bidding(number), None) for number in range(4)]
    lesson_files.save(lessons, folder / LESSONS)
    order = Order(
        space="bid-tac-toe",
        agent="ember",
        base=Weights(base.name, str(base.folder), base.sha256),
        config=TrainConfig(
            steps=steps,
            batch=2,
            micro_batch=2,
            threads=1,
            checkpoint_every=2,
            lora=LoraShape(rank=4, alpha=8),
            max_length=1_024,
        ),
        form="winners",
        system="You play.",
    )
    write(folder / ORDER, order)
    return folder


def start(folder: Path) -> subprocess.Popen[bytes]:
    with (folder / "said").open("ab") as said:
        return subprocess.Popen(
            (sys.executable, "-m", "server.training.child", str(folder), "cpu"),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=said,
        )


def _close(child: subprocess.Popen[bytes]) -> None:
    assert child.stdin is not None
    child.stdin.close()


def finish(folder: Path) -> Made:
    child = start(folder)
    status = child.wait(600)
    _close(child)
    assert status == 0, (folder / "said").read_text()[-2_000:]
    return read_made(folder)


@pytest.mark.slow
def test_what_it_makes_is_whole_and_the_same_if_it_is_killed(tmp_path: Path) -> None:
    base = tiny.make(tmp_path / "base")
    made = finish(ordered(tmp_path / "straight", base))
    contents = tmp_path / "straight" / CONTENTS
    for path in contents.iterdir():
        assert str(unixfs.cid_of(path.read_bytes())) == path.name
    card = form.read(
        (contents / made.card).read_bytes(), AdapterCard, version="agon-adapter/1", max_bytes=10**6
    )
    assert (card.data, card.training, card.agent) == (made.data, made.manifest, "ember")
    data = form.read(
        (contents / made.data).read_bytes(), DataCard, version="agon-data/1", max_bytes=10**6
    )
    assert data.counts["sessions"] == 4
    proof = form.read(
        (contents / made.manifest).read_bytes(),
        TrainingManifest,
        version="agon-training/1",
        max_bytes=10**7,
    )
    assert len(proof.steps) == STEPS
    assert {made.weights, made.gguf} <= {path.name for path in contents.iterdir()}
    seen = progress.read((tmp_path / "straight" / progress.FILE).read_bytes())
    assert [step for step, _ in seen.points] == list(range(1, STEPS + 1))
    assert [step.loss for step in proof.steps] == [loss for _, loss in seen.points]

    killed = ordered(tmp_path / "killed", base)
    child = start(killed)
    _until_step(killed, child, 3)
    os.kill(child.pid, signal.SIGKILL)
    child.wait(30)
    _close(child)
    assert not (killed / MADE).exists()
    assert finish(killed) == made, "the same card: the same data, steps and weights"


@pytest.mark.slow
def test_it_ends_with_its_parent_and_says_what_can_never_be_done(tmp_path: Path) -> None:
    base = tiny.make(tmp_path / "base")
    orphan = ordered(tmp_path / "orphan", base, steps=10_000)
    child = start(orphan)
    _until_step(orphan, child, 1)
    assert child.stdin is not None
    child.stdin.close()
    assert child.wait(60) == 75
    empty = ordered(tmp_path / "empty", base)
    for path in (empty / LESSONS).iterdir():
        path.unlink()
    child = start(empty)
    assert child.wait(600) == CANNOT
    _close(child)
    assert (
        (empty / "said")
        .read_text()
        .endswith(
            "there is nothing to learn from in 0 sessions: the agent has won none of them by legal answers\n"
        )
    )


def _until_step(folder: Path, child: subprocess.Popen[bytes], step: int) -> None:
    deadline = time.monotonic() + 600
    while True:
        file = folder / progress.FILE
        if file.exists() and progress.read(file.read_bytes()).step >= step:
            return
        assert child.poll() is None, (folder / "said").read_text()[-2_000:]
        assert time.monotonic() < deadline
        time.sleep(0.02)
