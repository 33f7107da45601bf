"""`agon board`, `agon results` and `agon admin season` as people use them: on records, on files, against an arena."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import uvicorn
from redis.asyncio import Redis

from server.api.app import create_app
from server.config import Config
from server.official.document import BoardWindow
from server.official.publish import publish
from server.store import Store
from tests import forked_agon
from tests.server.circuit import Circuit

ROOT = Path(__file__).parents[2]
SPACE = "rap-battle"


class Agon:
    """The command, on one database."""

    def __init__(self, url: str, folder: Path) -> None:
        self._env = {k: v for k, v in os.environ.items() if not k.startswith("AGON_")}
        self._env |= {"AGON_DATABASE_URL": url, "AGON_RESULTS_DIR": str(folder), "COLUMNS": "200"}

    async def __call__(self, *arguments: str, status: int = 0) -> str:
        result = await asyncio.to_thread(forked_agon.agon, *arguments, env=self._env)
        assert result.returncode == status, result.stderr + result.stdout
        return result.stdout + result.stderr

    async def json(self, *arguments: str, status: int = 0) -> Any:
        return json.loads(await self(*arguments, "--json", status=status))


@pytest.fixture
def agon(store: Store, store_url: str, tmp_path: Path) -> Agon:
    return Agon(store_url, tmp_path / "results")


@pytest.fixture
async def circuit(store: Store) -> Circuit:
    circuit = Circuit(store, SPACE)
    ann, bo, cy = await circuit.agents("Ann", "Bo", "[red]Cy")
    for _ in range(6):
        await circuit.play(ann, bo)
        await circuit.play(bo, cy)
    return circuit


@pytest.fixture
async def arena(store: Store, redis: Redis, tmp_path: Path) -> AsyncIterator[str]:
    """The arena's API over HTTP."""
    app = create_app(
        config=Config(results_dir=str(tmp_path / "results")),
        store=store,
        redis=redis,
        gateway_address=lambda: "ws://127.0.0.1:8601",
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off"))
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    await task


async def test_an_outsider_fetches_the_file_and_arrives_at_the_published_board(
    agon: Agon, circuit: Circuit, store: Store, arena: str, tmp_path: Path
) -> None:
    import httpx

    board = await publish(store, SPACE, tmp_path / "results", BoardWindow(days=30))
    file = tmp_path / "mine.parquet"
    async with httpx.AsyncClient() as client:
        file.write_bytes((await client.get(f"{arena}/v1/results/{SPACE}.parquet")).content)
    outsider = Agon(f"sqlite:///{tmp_path}/nobody.db", tmp_path)
    given = ("board", "--space", SPACE, "--from", str(file), "--against", arena)
    said = await outsider(*given)
    assert "equal to the published board, to the last digit" in said
    assert "Ann" in said
    assert "[red]Cy" in said, "a name is no markup"
    assert "30d,100000" in said
    found = await outsider.json(*given)
    assert found["comparison"]["verdict"] == "equal"
    assert found["board"]["rows"] == list(msgspec.to_builtins(board.rows))
    assert "is of 30d,100000" in await outsider(*given, "--window", "7d,5")


async def test_a_board_that_does_not_follow_from_its_results_is_found_out(
    agon: Agon, circuit: Circuit, store: Store, tmp_path: Path
) -> None:
    board = await publish(store, SPACE, tmp_path / "results", BoardWindow())
    best = msgspec.structs.replace(board.rows[-1], points=2_999)
    forged = msgspec.structs.replace(
        board, rows=(*board.rows[:-1], best), computed_ms=board.computed_ms + 1
    )
    await store.boards.put(SPACE, forged.computed_ms, msgspec.json.encode(forged).decode())
    said = await agon("board", "--space", SPACE, status=1)
    assert "DIFFERENT" in said
    assert "2999" in said


async def test_what_cannot_be_compared_is_explained(
    agon: Agon, circuit: Circuit, store: Store, tmp_path: Path
) -> None:
    assert "no board has been published yet" in await agon("board", "--space", SPACE)
    await publish(store, SPACE, tmp_path / "results", BoardWindow())
    ann, bo = await circuit.agents("Dee", "Eve")
    await circuit.play(ann, bo)
    assert "of other results" in await agon("board", "--space", SPACE)
    found = await agon.json("board", "--space", SPACE, "--window", "5")
    assert (found["board"]["sessions"], found["comparison"]["verdict"]) == (5, "other window")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--window", "soon"), "expected days and sessions"),
        (("--from", "missing.parquet"), "missing.parquet"),
        (("--against", "http://127.0.0.1:1"), "nothing answers at http://127.0.0.1:1"),
    ],
)
async def test_what_is_wrong_is_one_clear_line(
    agon: Agon, arguments: tuple[str, ...], said: str
) -> None:
    answer = await agon("board", "--space", SPACE, *arguments, status=1)
    assert said in answer
    assert "Traceback" not in answer
    assert len(answer.splitlines()) == 1


async def test_results_are_exported_and_checked(
    agon: Agon, circuit: Circuit, tmp_path: Path
) -> None:
    out = tmp_path / "out.parquet"
    found = await agon.json("results", "export", "--space", SPACE, "--out", str(out))
    assert (found["sessions"], found["rows"]) == (12, 24)
    assert out.stat().st_size == found["bytes"]
    said = await agon("results", "check", str(out))
    assert said == "12 sessions, 24 moves of ratings and leagues: all follow from the rules\n"
    said = await agon("board", "--space", "logic", "--from", str(out), status=1)
    assert f"is of {SPACE}, not of logic" in said
    out.write_bytes(b"PAR1")
    assert "cannot read" in await agon("results", "check", str(out), status=1)


async def test_a_season_is_begun_by_its_number(agon: Agon, circuit: Circuit, store: Store) -> None:
    given = ("admin", "season", "start", "2", "--reason", "the first is over")
    assert "season 2 has begun: 3 ratings" in await agon(*given)
    assert await agon(*given) == "season 2 runs already\n"
    wrong = await agon("admin", "season", "start", "4", "--reason", "a slip", status=1)
    assert "season 2 runs: only season 3 can begin" in wrong
    assert "--reason" in await agon("admin", "season", "start", "3", "--reason", " ", status=1)
    final = json.loads(await store.boards.of_season(1, SPACE) or "null")
    assert final["official"]["sessions"] == 12
    assert final["live"]["rows"][0]["name"] == "Ann"
