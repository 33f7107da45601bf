"""Whose turn it is to write, within a process and between processes."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from server.store.turn import KEEP_S, Turn

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agon.db"


async def test_tasks_of_a_process_take_turns_in_order(path: Path) -> None:
    turn, order = Turn(path), []

    async def work(number: int) -> None:
        async with turn:
            order.append(number)
            await asyncio.sleep(0.001)
            order.append(number)

    await asyncio.gather(*(work(number) for number in range(5)))
    assert order == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    turn.close()


async def test_two_processes_never_have_the_turn_together(path: Path) -> None:
    """Two locks on one file exclude each other also within a process, as flock(2) goes by open file."""
    ours, theirs, inside = Turn(path), Turn(path), 0

    async def work(turn: Turn) -> None:
        nonlocal inside
        for _ in range(20):
            async with turn:
                inside += 1
                assert inside == 1
                await asyncio.sleep(0)
                inside -= 1

    await asyncio.gather(work(ours), work(ours), work(theirs), work(theirs))
    ours.close()
    theirs.close()


async def test_a_busy_process_lets_another_one_in(path: Path) -> None:
    busy, other = Turn(path), Turn(path)
    stop = asyncio.Event()

    async def forever() -> None:
        while not stop.is_set():
            async with busy:
                await asyncio.sleep(0.001)

    tasks = [asyncio.create_task(forever()) for _ in range(8)]
    await asyncio.sleep(5 * KEEP_S)
    for _ in range(5):
        async with asyncio.timeout(2):
            async with other:
                pass
    stop.set()
    await asyncio.gather(*tasks)
    busy.close()
    other.close()


async def test_who_is_cancelled_while_waiting_leaves_the_turn_to_others(path: Path) -> None:
    ours, theirs = Turn(path), Turn(path)
    async with theirs:
        waiting = [asyncio.create_task(_enter(ours)) for _ in range(3)]
        await asyncio.sleep(0.02)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    async with asyncio.timeout(1):
        async with ours:
            pass
        async with theirs:
            pass
    ours.close()
    theirs.close()


async def test_a_kept_turn_goes_on_when_the_one_it_was_kept_for_is_cancelled(path: Path) -> None:
    ours, theirs = Turn(path), Turn(path)
    async with ours:
        waiting = asyncio.create_task(_enter(ours))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    waiting.cancel()  # it was given the place at this moment
    await asyncio.gather(waiting, return_exceptions=True)
    async with asyncio.timeout(1):
        async with theirs:
            pass
    ours.close()
    theirs.close()


def test_a_killed_process_takes_its_turn_with_it(path: Path) -> None:
    program = (
        "import asyncio, sys, pathlib; from server.store.turn import Turn\n"
        "async def main():\n"
        "    async with Turn(pathlib.Path(sys.argv[1])):\n"
        "        print('mine', flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], cwd=ROOT, stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"mine\n"
    child.kill()
    child.wait()
    child.stdout.close()

    async def take() -> None:
        turn = Turn(path)
        async with asyncio.timeout(5):
            async with turn:
                pass
        turn.close()

    asyncio.run(take())


async def _enter(turn: Turn) -> None:
    async with turn:
        pass
