"""Official boards made by a worker: file, board and API agree, and anyone arrives at the same."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import msgspec
import pytest
import structlog
from redis.asyncio import Redis

from server.api.app import create_app
from server.config import Config
from server.jobs.official import OfficialBoards
from server.official.document import BoardWindow, OfficialBoard, differences, path_of
from server.official.publish import BoardFailed, board_of, publish
from server.store import Store
from server.store.boards import KEPT
from tests.server.circuit import LATER_MS, Circuit

SPACE = "rap-battle"


def job(store: Store, redis: Redis, folder: Path, name: str = "one") -> OfficialBoards:
    return OfficialBoards(
        name=name, redis=redis, store=store, folder=folder, spaces=[SPACE, "logic"], every_s=0.05
    )


@contextlib.asynccontextmanager
async def working(*jobs: OfficialBoards) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.run()) for each in jobs]
    try:
        yield
    finally:
        for each in jobs:
            await each.drain()
        await asyncio.wait_for(asyncio.gather(*tasks), 20)


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await done():
            await asyncio.sleep(0.05)


@pytest.fixture
async def circuit(store: Store) -> Circuit:
    circuit = Circuit(store, SPACE)
    ann, bo, cy = await circuit.agents("Ann", "Bo", "Cy")
    for _ in range(4):
        await circuit.play(ann, bo)
        await circuit.play(bo, cy)
    return circuit


async def newest(store: Store) -> OfficialBoard | None:
    document = await store.boards.newest(SPACE)
    return None if document is None else msgspec.json.decode(document, type=OfficialBoard)


async def test_a_worker_makes_the_boards_and_makes_them_again_when_there_is_news(
    circuit: Circuit, store: Store, redis: Redis, tmp_path: Path
) -> None:
    async def made(sessions: int) -> bool:
        board = await newest(store)
        return board is not None and board.sessions == sessions

    async with working(job(store, redis, tmp_path), job(store, redis, tmp_path, "two")):
        await until(lambda: made(8))
        [dee] = await circuit.agents("Dee")
        [eve] = await circuit.agents("Eve")
        await circuit.play(dee, eve)
        await until(lambda: made(9))
        await asyncio.sleep(0.3)
    first, second = (
        msgspec.json.decode(each, type=OfficialBoard)
        for each in reversed(await store.boards.recent(SPACE, 10))
    )
    assert (first.sessions, second.sessions, second.groups) == (8, 9, 2)
    for board in (first, second):
        assert board.source is not None
        content = path_of(tmp_path, board.source.digest).read_bytes()
        assert hashlib.sha256(content).hexdigest() == board.source.digest
        assert len(content) == board.source.bytes
    assert await store.boards.newest("logic") is None, "nobody has played there"


async def test_what_fails_holds_up_nothing_else(
    circuit: Circuit, store: Store, redis: Redis, tmp_path: Path
) -> None:
    async def made(sessions: int) -> bool:
        board = await newest(store)
        return board is not None and board.sessions == sessions

    await store.boards.put("logic", 1, "damaged")  # the sweep reads the boards of all Spaces
    with structlog.testing.capture_logs() as logs:
        async with working(job(store, redis, tmp_path)):
            await until(lambda: made(8))
            await circuit.play(*await circuit.agents("Dee", "Eve"))
            await until(lambda: made(9))
    said = [each["event"] for each in logs]
    assert "results files not swept" in said
    assert "leading failed" not in said


async def test_a_board_is_not_made_further_by_who_leads_no_more(
    circuit: Circuit, store: Store, redis: Redis, tmp_path: Path
) -> None:
    async def begun() -> bool:
        return any(tmp_path.iterdir())

    before = asyncio.all_tasks()
    task = asyncio.create_task(job(store, redis, tmp_path).run())
    await until(begun)
    task.cancel()  # as the lease does, when it is lost, with what it had begun
    await asyncio.gather(task, return_exceptions=True)
    assert asyncio.all_tasks() == before


async def test_a_new_leader_keeps_the_same_board_once(
    circuit: Circuit, store: Store, tmp_path: Path
) -> None:
    first = await publish(store, SPACE, tmp_path, BoardWindow(), clock=lambda: LATER_MS)
    again = await publish(store, SPACE, tmp_path, BoardWindow(), clock=lambda: LATER_MS + 1)
    assert again == first
    assert len(await store.boards.recent(SPACE, 10)) == 1
    other = await publish(
        store, SPACE, tmp_path, BoardWindow(sessions=3), clock=lambda: LATER_MS + 2
    )
    assert (other.sessions, len(await store.boards.recent(SPACE, 10))) == (3, 2)


async def test_anyone_makes_the_same_board_of_the_file(
    circuit: Circuit, store: Store, tmp_path: Path
) -> None:
    published = await publish(store, SPACE, tmp_path, BoardWindow())
    assert published.source is not None
    path = path_of(tmp_path, published.source.digest)
    assert differences(published, await board_of(path, SPACE, BoardWindow())) == []
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(BoardFailed, match="cannot read"):
        await board_of(path, SPACE, BoardWindow())


async def test_boards_pile_up_no_further_than_they_are_kept(store: Store) -> None:
    for ms in range(KEPT + 5):
        await store.boards.put(SPACE, ms, f'"{ms}"')
    await store.boards.put("logic", 1, '"logic"')
    kept = await store.boards.recent(SPACE, 1_000)
    assert (len(kept), kept[0], kept[-1]) == (KEPT, f'"{KEPT + 4}"', '"5"')
    assert await store.boards.every_newest() == ['"logic"', f'"{KEPT + 4}"']


async def test_the_api_serves_board_index_and_file(
    circuit: Circuit, store: Store, redis: Redis, tmp_path: Path
) -> None:
    app = create_app(
        config=Config(results_dir=str(tmp_path)),
        store=store,
        redis=redis,
        gateway_address=lambda: "ws://127.0.0.1:8601",
    )
    transport = httpx.ASGITransport(app, client=("203.0.113.7", 5_000))
    async with httpx.AsyncClient(transport=transport, base_url="http://arena") as api:

        async def problem(path: str) -> tuple[int, str]:
            answer = await api.get(path)
            return answer.status_code, answer.json()["code"]

        assert await problem("/v1/boards/chess") == (404, "unknown-space")
        assert await problem(f"/v1/boards/{SPACE}") == (404, "no-board-yet")
        assert await problem(f"/v1/results/{SPACE}.parquet") == (404, "no-results-yet")
        assert (await api.get("/v1/results")).json() == {"files": []}
        board = await publish(store, SPACE, tmp_path, BoardWindow())
        assert board.source is not None

        shown = msgspec.json.decode(
            (await api.get(f"/v1/boards/{SPACE}")).content, type=OfficialBoard
        )
        assert shown == board
        [card] = (await api.get("/v1/results")).json()["files"]
        assert (card["digest"], card["sessions"], card["rows"]) == (board.source.digest, 8, 16)
        answer = await api.get(card["path"])
        assert hashlib.sha256(answer.content).hexdigest() == card["digest"]
        assert answer.headers["etag"] == f'"{card["digest"]}"'
        seen = await api.get(card["path"], headers={"If-None-Match": answer.headers["etag"]})
        assert (seen.status_code, seen.content) == (304, b"")
        part = await api.get(card["path"], headers={"Range": "bytes=0-3"})
        assert (part.status_code, part.content) == (206, b"PAR1")

        path_of(tmp_path, card["digest"]).unlink()
        assert await problem(card["path"]) == (503, "results-elsewhere")
        for season in ("1", "0", "x", "9" * 40, "1.5"):
            path = f"/v1/boards/{SPACE}/seasons/{season}"
            assert await problem(path) == (404, "unknown-season")
