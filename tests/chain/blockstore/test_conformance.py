"""What a node does for `aioipfs`, of whatever kind it is: our store, and a real Kubo where there is one."""

from __future__ import annotations

import io
import json
import os
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import aioipfs
import pytest
from aioipfs.multi import FormDataWriter

from chain.content import car, cid, unixfs
from chain.content.cid import Codec
from chain.content.rpc import authorization
from chain.content.unixfs import MIB, V0_2015
from tests.chain.content.random_strings import strings

pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")
"""aioipfs sends them so."""


@pytest.fixture
async def node(url: str) -> AsyncIterator[Any]:
    parts = urlsplit(url)
    client = aioipfs.AsyncIPFS(host=parts.hostname, port=parts.port)
    client.session.headers.update(authorization(url))
    yield client
    await client.close()


async def post(node: Any, path: str, parts: dict[str, bytes], **params: str) -> list[Any]:
    """What `aioipfs` does with files, which it cannot with today's aiohttp."""
    form = FormDataWriter()
    for name, data in parts.items():
        part = form.append(io.BytesIO(data), {"Content-Type": "application/octet-stream"})
        part.set_content_disposition("form-data", name="file", filename=name)
    async with node.session.post(node.api_endpoint(path), data=form, params=params) as response:
        assert response.status == 200, await response.text()
        return [json.loads(line) for line in (await response.read()).splitlines()]


def fresh(size: int = 1_000) -> bytes:
    """Bytes that no test before has added."""
    return os.urandom(size)


async def test_files_get_the_ids_of_both_profiles(node: Any) -> None:
    for data in [*list(strings(60))[:22], fresh(3 * MIB + 5)]:
        added = await node.core.add_bytes(
            data, cid_version=1, raw_leaves=True, chunker=f"size-{MIB}"
        )
        assert added["Hash"] == str(unixfs.cid_of(data))
        legacy = await node.core.add_bytes(data, cid_version=0)
        assert legacy["Hash"] == str(unixfs.cid_of(data, V0_2015))
        assert await node.cat(added["Hash"]) == await node.cat(legacy["Hash"]) == data


async def test_what_add_says(node: Any) -> None:
    data = fresh()
    added = await node.core.add_str(data.hex(), name="words.txt", cid_version=1)
    assert added == {
        "Name": "words.txt",
        "Hash": str(cid.of(data.hex().encode())),
        "Size": str(2 * len(data)),
    }
    large = fresh(MIB + 1)
    added = await node.core.add_bytes(large, cid_version=1, chunker=f"size-{MIB}")
    assert added["Name"] == added["Hash"]
    assert int(added["Size"]) == sum(len(block.data) for block in unixfs.blocks([large]))


async def test_several_files_in_one_request(node: Any) -> None:
    files = {f"file{n}": fresh(n * 1_000) for n in range(3)}
    added = await post(node, "add", files, **{"cid-version": "1"})
    assert {each["Name"]: each["Hash"] for each in added} == {
        name: str(cid.of(data)) for name, data in files.items()
    }


async def test_only_hashing_keeps_nothing(node: Any) -> None:
    data = fresh()
    added = await node.core.add_bytes(data, cid_version=1, only_hash=True)
    assert added["Hash"] == str(cid.of(data))
    with pytest.raises(aioipfs.APIError):
        await node.pin.ls(added["Hash"])


@pytest.mark.parametrize(("offset", "length"), [(0, 10), (MIB - 5, 10), (MIB, MIB), (5, None)])
async def test_a_piece_of_a_file(node: Any, offset: int, length: int | None) -> None:
    data = fresh(2 * MIB + 100)
    added = await node.core.add_bytes(data, cid_version=1, chunker=f"size-{MIB}")
    end = None if length is None else offset + length
    assert await node.cat(added["Hash"], offset=offset, length=length) == data[offset:end]


async def test_blocks(node: Any) -> None:
    data = fresh()
    [put] = await post(node, "block/put", {"block": data}, **{"cid-codec": "raw"})
    assert put == {"Key": str(cid.of(data)), "Size": len(data)}
    assert await node.block.stat(put["Key"]) == put
    assert await node.block.get(put["Key"]) == data
    assert await node.block.rm(put["Key"]) == {"Hash": put["Key"]}
    gone = await node.block.rm(put["Key"])
    assert "could not find" in gone["Error"]


async def test_a_node_of_a_tree_is_a_block(node: Any) -> None:
    *leaves, root = unixfs.blocks([fresh(MIB + 1)])
    for block in (*leaves, root):
        codec = "raw" if block.cid.codec is Codec.RAW else "dag-pb"
        [put] = await post(node, "block/put", {"block": block.data}, **{"cid-codec": codec})
        assert put["Key"] == str(block.cid)
    assert len(await node.cat(str(root.cid))) == MIB + 1


async def test_a_block_that_others_would_not_take_is_refused(node: Any) -> None:
    with pytest.raises(AssertionError, match="big block"):
        await post(node, "block/put", {"block": fresh(2 * MIB + 1)})


async def test_pins(node: Any) -> None:
    data = fresh(MIB + 1)
    blocks = list(unixfs.blocks([data]))
    root, leaf = str(blocks[-1].cid), str(blocks[0].cid)
    await node.core.add_bytes(data, cid_version=1, chunker=f"size-{MIB}", pin=False)
    with pytest.raises(aioipfs.APIError):
        await node.pin.ls(root)
    pinned = [each async for each in node.pin.add(root, progress=False)]
    assert pinned[-1]["Pins"] == [root]
    assert (await node.pin.ls(root))["Keys"][root]["Type"] == "recursive"
    assert (await node.pin.ls(leaf))["Keys"][leaf]["Type"] == f"indirect through {root}"
    assert (await node.pin.ls(pintype="recursive"))["Keys"][root]["Type"] == "recursive"
    assert leaf in (await node.pin.ls(pintype="indirect"))["Keys"]
    held = await node.block.rm(leaf)
    assert "pinned" in held["Error"]
    assert (await node.pin.rm(root))["Pins"] == [root]
    with pytest.raises(aioipfs.NotPinnedError):
        await node.pin.rm(root)


async def test_an_archive_goes_out_and_comes_back(node: Any) -> None:
    data = fresh(2 * MIB + 7)
    blocks = list(unixfs.blocks([data]))
    root = blocks[-1].cid
    told = await node.dag.car_import(car.archive([root], blocks))
    assert told == {"Root": {"Cid": {"/": str(root)}, "PinErrorMsg": ""}}
    reader = car.Reader()
    out = list(reader.feed(await node.dag.car_export(str(root))))
    reader.close()
    assert reader.roots == (root,)
    assert out[0].cid == root
    assert {block.cid: block.data for block in out} == {b.cid: b.data for b in blocks}
    assert (await node.pin.ls(str(root)))["Keys"][str(root)]["Type"] == "recursive"


async def test_collecting_leaves_what_is_pinned(node: Any) -> None:
    kept, dropped = fresh(), fresh()
    await node.core.add_bytes(kept, cid_version=1)
    await node.core.add_bytes(dropped, cid_version=1, pin=False)
    gone = {each["Key"]["/"] async for each in node.repo.gc()}
    assert str(cid.of(dropped)) in gone
    assert str(cid.of(kept)) not in gone
    assert await node.cat(str(cid.of(kept))) == kept


async def test_who_it_is(node: Any) -> None:
    told = await node.id()
    assert told["ID"]
    assert told["AgentVersion"]
    assert (await node.version())["Version"]
    stat = await node.repo.stat()
    assert stat["NumObjects"] >= 0
    assert 0 <= stat["RepoSize"] <= stat["StorageMax"]


async def test_nonsense_is_refused(node: Any) -> None:
    for nonsense in ("nonsense", "bafy", "Qm", "../../etc/passwd", "z" * 5_000):
        with pytest.raises(aioipfs.APIError):
            await node.cat(nonsense)
    with pytest.raises(aioipfs.APIError):
        await node.core.add_bytes(b"x", cid_version=1, chunker="size-0")
    async with node.session.post(f"{node.api_url}dag/import", data=b"nonsense") as response:
        assert response.status >= 400
    async with node.session.get(f"{node.api_url}version") as response:
        assert response.status == 405
