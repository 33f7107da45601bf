"""The store as a process: who may ask it, how it dies, and what several make of it."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from chain.blockstore.access import TOKEN_FILE, token_of
from chain.content import cid
from chain.content.errors import IpfsError, Refused, Unavailable
from chain.content.ipfs import Ipfs
from tests.chain.blockstore.conftest import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    running = Served(tmp_path / "store", max_bytes=4 * 1024 * 1024)
    yield running
    running.kill()


def test_nobody_without_the_password_and_no_browser_may_ask(ours: Served) -> None:
    address = f"http://127.0.0.1:{ours.port}/api/v0/version"

    def asked(url: str, **headers: str) -> int:
        return httpx.post(url, headers=headers, trust_env=False).status_code

    assert asked(f"{ours.url}/api/v0/version") == 200
    assert asked(address) == 403
    assert asked(f"http://agon:wrong@127.0.0.1:{ours.port}/api/v0/version") == 403
    with_password = f"{ours.url}/api/v0/version"
    assert asked(with_password, Origin="http://evil.example") == 403
    assert asked(with_password, Referer="http://evil.example/page") == 403
    assert asked(with_password, Host="evil.example") == 403
    mode = stat.S_IMODE((ours.folder / TOKEN_FILE).stat().st_mode)
    assert mode == 0o600


async def test_what_it_has_answered_survives_its_being_killed(served: Served) -> None:
    documents = [os.urandom(20_000) for _ in range(40)]
    kept: list[bytes] = []

    async def add(document: bytes) -> None:
        async with Ipfs(served.url, timeout_s=5) as client:
            await client.add(document)
            kept.append(document)

    adding = [asyncio.create_task(add(document)) for document in documents]
    while len(kept) < 10:
        await asyncio.sleep(0.002)
    served.kill()
    await asyncio.gather(*adding, return_exceptions=True)
    assert len(kept) >= 10
    served.start()
    async with Ipfs(served.url) as client:
        for document in kept:
            id_ = cid.of(document)
            assert await client.cat(id_, len(document)) == document
            assert await client.pinned(id_)
        pins = {each.cid async for each in client.pins()}
        assert {cid.of(document) for document in kept} <= pins
        await client.add(b"and it goes on")


async def test_a_full_store_says_so_and_keeps_what_it_has(served: Served) -> None:
    async with Ipfs(served.url) as client:
        first = await client.add(os.urandom(1024 * 1024))
        with pytest.raises(Refused, match="is full"):
            await client.add(os.urandom(8 * 1024 * 1024))
        assert await client.pinned(first)
        with pytest.raises(Refused, match="is full"):
            await client.keep([os.urandom(1024 * 1024) for _ in range(6)])
        # what the refused file left behind is nobody's
        await client.collect()
        await client.add(os.urandom(2 * 1024 * 1024))
        assert await client.pinned(first)


async def test_several_clients_share_it(ours: Served) -> None:
    async def adds(number: int) -> list[cid.Cid]:
        async with Ipfs(ours.url) as client:
            return await client.keep([b"%d of %d" % (n, number) for n in range(50)])

    kept = await asyncio.gather(*(adds(number) for number in range(6)))
    async with Ipfs(ours.url) as client:
        pins = {each.cid async for each in client.pins()}
    assert {id_ for ids in kept for id_ in ids} <= pins


async def test_a_store_that_is_gone_is_unavailable_in_time(served: Served) -> None:
    served.kill()
    async with Ipfs(served.url, timeout_s=1) as client:
        with pytest.raises(Unavailable) as error:
            await client.add(b"x")
        assert token_of(served.folder) not in str(error.value)
        with pytest.raises(IpfsError):
            await client.cat(cid.of(b"x"), 10)
