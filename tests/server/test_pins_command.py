"""`agon pins`, on a real store of records and the embedded content store."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner

from chain.content import car, cid, unixfs
from chain.content.ipfs import Ipfs
from server import cli
from server.store import Store
from server.store.pins import NewPin
from tests.chain.blockstore.conftest import Served
from tests.server.aftermath_session import Seats, finish


class Agon:
    def __init__(self, url: str, content: str) -> None:
        self.env = {"AGON_DATABASE_URL": url, "AGON_IPFS_URL": content, "COLUMNS": "250"}

    async def __call__(self, *arguments: str, status: int = 0) -> str:
        result = await asyncio.to_thread(CliRunner().invoke, cli.app, arguments, env=self.env)
        if isinstance(result.exception, Exception) and cli.is_known(result.exception):
            assert status == 1, result.exception
            return str(result.exception)
        assert result.exit_code == status, (result.output, result.exception)
        return result.stdout

    async def json(self, *arguments: str, status: int = 0) -> Any:
        return json.loads(await self(*arguments, "--json", status=status))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    running = Served(tmp_path / "content")
    yield running
    running.kill()


@pytest.fixture
async def ipfs(served: Served) -> AsyncIterator[Ipfs]:
    async with Ipfs(served.url) as client:
        yield client


@pytest.fixture
def agon(store: Store, store_url: str, served: Served) -> Agon:
    return Agon(store_url, served.url)


@pytest.fixture
async def sessions(store: Store, redis: Redis, ipfs: Ipfs) -> list[str]:
    """Three that are pinned, in the order of their ids."""
    seats = await Seats.registered(store)
    found = sorted([await finish(store, redis, seats, "bid-tac-toe") for _ in range(3)])
    for session in found:
        document = await store.sessions.transcript(session)
        assert document is not None
        [id_] = await ipfs.keep([document])
        await store.pins.put(NewPin(session, str(id_), len(document), 1_000))
    return found


async def test_pins_are_listed(agon: Agon, sessions: list[str]) -> None:
    listed = await agon.json("pins", "ls")
    assert [each["session"] for each in listed] == sessions
    assert {each["state"] for each in listed} == {"pinned"}
    assert listed[0]["cid"] in await agon("pins", "ls", "--limit", "1")
    assert [
        e["session"] for e in await agon.json("pins", "ls", "--after", sessions[0])
    ] == sessions[1:]
    assert await agon.json("pins", "ls", "--state", "lost") == []
    assert "nothing is pinned" in await agon("pins", "ls", "--season", "7")
    [total] = await agon.json("pins", "ls", "--seasons")
    assert (total["season"], total["pins"], total["lost"]) == (1, 3, 0)
    assert "expected pinned or lost" in await agon("pins", "ls", "--state", "x", status=1)


async def test_a_season_goes_out_as_one_archive_and_comes_back(
    agon: Agon, store: Store, sessions: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "season.car"
    told = await agon.json("pins", "export", "--season", "1", "--out", str(out))
    assert (told["sessions"], told["bytes"]) == (3, out.stat().st_size)
    reader = car.Reader()
    blocks = {block.cid: block.data for block in reader.feed(out.read_bytes())}
    reader.close()
    [root] = reader.roots
    assert str(root) == told["root"]
    names = {link.name: link.cid for link in unixfs.read_directory(blocks[root])}
    assert list(names) == [f"{session}.json" for session in sessions]
    for session in sessions:
        assert blocks[names[f"{session}.json"]] == await store.sessions.transcript(session)

    fresh = Served(tmp_path / "other")
    agon.env["AGON_IPFS_URL"] = fresh.url
    try:
        assert f"{root} pinned" in await agon("pins", "import", str(out))
        async with Ipfs(fresh.url) as other:
            assert {each.cid async for each in other.pins()} == {root}
            assert all([await other.pinned(id_) for id_ in names.values()])
        broken = tmp_path / "broken.car"
        data = bytearray(out.read_bytes())
        data[-1] ^= 1
        broken.write_bytes(data)
        assert "is not what" in await agon("pins", "import", str(broken), status=1)
        assert "nowhere.car" in await agon("pins", "import", "nowhere.car", status=1)
    finally:
        fresh.kill()


async def test_what_is_lost_is_found_and_mended(
    agon: Agon, store: Store, redis: Redis, ipfs: Ipfs, sessions: list[str]
) -> None:
    assert "3 pinned documents: all there" in await agon("pins", "verify")
    first, second, _ = [cid.parse(each["cid"]) for each in await agon.json("pins", "ls")]
    await ipfs.unpin(first)
    await ipfs.unpin(second)
    await ipfs.collect()
    found = await agon.json("pins", "verify", status=1)
    assert [each["session"] for each in found["findings"]] == sessions[:2]
    assert [e["session"] for e in await agon.json("pins", "ls", "--state", "lost")] == sessions[:2]
    unasked = await finish(store, redis, await Seats.registered(store), "bid-tac-toe")
    mended = await agon.json("pins", "verify", "--mend")
    assert (mended["mended"], mended["asked"]) == (2, 1)
    assert (await agon.json("pins", "verify"))["findings"] == []
    assert await agon.json("pins", "ls", "--state", "lost") == []
    assert [row.step for row in await store.outbox.steps(unasked)][-1] == "pin"


async def test_a_content_store_that_is_away_is_said_in_words(agon: Agon, served: Served) -> None:
    served.kill()
    assert "does not serve" in await agon("pins", "verify", status=1)
    agon.env["AGON_IPFS_URL"] = "http://nowhere"
    assert "expected http://host:port" in await agon("pins", "verify", status=1)


RESULT = b'{"v":"agon-result/1"}'


async def _published(store: Store, ipfs: Ipfs, session: str) -> str:
    """A result that is kept and pinned; its id."""
    [id_] = await ipfs.keep([RESULT])
    await store.signed.keep_result(session, RESULT, str(id_))
    await store.document_pins.put("result", session, str(id_), len(RESULT), 1_000)
    return str(id_)


async def test_results_are_listed_carried_checked_and_mended_as_transcripts_are(
    agon: Agon, sessions: list[str], store: Store, ipfs: Ipfs, tmp_path: Path
) -> None:
    id_ = await _published(store, ipfs, sessions[1])
    [listed] = await agon.json("pins", "ls", "--kind", "result")
    assert (listed["name"], listed["cid"], listed["state"]) == (sessions[1], id_, "pinned")
    assert await agon.json("pins", "ls", "--kind", "epoch") == []
    assert "expected transcript, result" in await agon("pins", "ls", "--kind", "soup", status=1)
    out = tmp_path / "season.car"
    told = await agon.json("pins", "export", "--season", "1", "--out", str(out))
    assert (told["sessions"], told["documents"]) == (3, 1)

    assert (await agon.json("pins", "verify"))["pins"] == 4
    await ipfs.unpin(cid.parse(id_))
    found = await agon.json("pins", "verify", status=1)
    assert [each["session"] for each in found["findings"]] == [f"result:{sessions[1]}"]
    assert [e["state"] for e in await agon.json("pins", "ls", "--kind", "result")] == ["lost"]
    assert (await agon.json("pins", "verify", "--mend"))["mended"] == 1
    assert (await agon.json("pins", "verify"))["findings"] == []
    assert [e["state"] for e in await agon.json("pins", "ls", "--kind", "result")] == ["pinned"]
