"""The client against nodes that lie, stall, break off and send too much. That it works with honest ones is shown in
`tests/chain/blockstore`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from chain.content import car, cid, unixfs
from chain.content.cid import Cid, Codec
from chain.content.errors import NotThere, Refused, TooLarge, Unavailable, WrongContent
from chain.content.ipfs import Ipfs
from chain.content.rpc import MAX_ANSWER, BadUrl
from chain.content.unixfs import Block, Profile

SMALL = Profile(chunk=4, links=3, raw_leaves=True, version=1)
Say = Callable[[str], "bytes | Awaitable[bytes]"]


class Node:
    """Answers each request as it is told, by its path."""

    def __init__(self, say: Callable[[str], Awaitable[bytes]]) -> None:
        self._say = say
        self.asked: list[str] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            path = head.split(" ")[1].removeprefix("/api/v0/")
            self.asked.append(path)
            if "Transfer-Encoding: chunked" in head:
                await reader.readuntil(b"\r\n0\r\n\r\n")
            elif "Content-Length: " in head:
                size = int(head.split("Content-Length: ")[1].split("\r\n")[0])
                await reader.readexactly(size)
            writer.write(await self._say(path))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def node(
    say: Callable[[str], Awaitable[bytes]], timeout_s: float = 5
) -> AsyncIterator[tuple[Ipfs, Node]]:
    served = Node(say)
    server = await asyncio.start_server(served.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        async with Ipfs(f"http://127.0.0.1:{port}", timeout_s=timeout_s) as client:
            yield client, served
    finally:
        server.close()


def answer(body: bytes | object, status: str = "200 OK") -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return b"HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s" % (
        status.encode(),
        len(data),
        data,
    )


def error(words: str) -> bytes:
    told = {"Message": words, "Code": 0, "Type": "error"}
    return answer(told, "500 Internal Server Error")


def always(said: bytes) -> Callable[[str], Awaitable[bytes]]:
    async def say(_: str) -> bytes:
        return said

    return say


async def test_an_id_that_is_not_ours_is_not_taken() -> None:
    async with node(always(answer({"Hash": str(cid.of(b"other"))}))) as (client, _):
        with pytest.raises(WrongContent, match="calls"):
            await client.add(b"mine")
    async with node(always(answer(b""))) as (client, _):
        with pytest.raises(WrongContent):
            await client.add(b"mine")


async def test_bytes_that_are_not_the_ids_are_not_taken() -> None:
    async with node(always(answer(b"other"))) as (client, _):
        with pytest.raises(WrongContent):
            await client.cat(cid.of(b"mine"), 100)


async def test_a_leaf_that_is_exchanged_is_found() -> None:
    *leaves, root = unixfs.blocks([bytes(range(12))], SMALL)
    held = {str(block.cid): block.data for block in (*leaves, root)}

    async def say(path: str) -> bytes:
        return answer(held[path.split("arg=")[1]])

    async with node(say) as (client, _):
        assert await client.cat(root.cid, 12) == bytes(range(12))
        with pytest.raises(TooLarge):
            await client.cat(root.cid, 11)
        held[str(leaves[0].cid)] = held[str(leaves[1].cid)]
        with pytest.raises(WrongContent):
            await client.cat(root.cid, 12)


async def test_a_file_whose_sizes_lie_is_found_before_it_is_gathered() -> None:
    from chain.content import dag_pb
    from chain.content.dag_pb import Link, Node

    leaf = b"a" * 4
    data = dag_pb.encode(Node((Link(cid.of(leaf), 1),), b"\x08\x02\x18\x01\x20\x01"))
    root = cid.of(data, Codec.DAG_PB)
    held = {str(root): data, str(cid.of(leaf)): leaf}

    async def say(path: str) -> bytes:
        return answer(held[path.split("arg=")[1]])

    async with node(say) as (client, _):
        with pytest.raises(TooLarge):
            await client.cat(root, 100)


async def test_a_node_that_does_not_answer_is_left_in_time() -> None:
    over = asyncio.Event()

    async def say(_: str) -> bytes:
        await over.wait()
        return b""

    async with node(say, timeout_s=0.1) as (client, served):
        async with asyncio.timeout(5):
            with pytest.raises(Unavailable, match="within"):
                await client.add(b"x")
            with pytest.raises(Unavailable):
                await client.cat(cid.of(b"x"), 10)
            with pytest.raises(Unavailable, match="within"):
                [each async for each in client.pins()]
        assert (
            len([path for path in served.asked if path.startswith("block/get")]) == 3
        )  # tried again


async def test_a_node_that_stops_in_the_middle_is_left_in_time() -> None:
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}\n")
        await over.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with Ipfs(f"http://127.0.0.1:{port}", timeout_s=0.1) as client, asyncio.timeout(5):
        with pytest.raises(Unavailable, match="within"):
            await client.version()
        with pytest.raises(Unavailable, match="sent nothing"):
            await client.collect()
    over.set()
    server.close()


async def test_reads_are_tried_again_and_writes_are_not() -> None:
    answers = [b"", b"", answer(b"mine")]

    async def say(_: str) -> bytes:
        return answers.pop(0) if answers else b""

    async with node(say) as (client, served):
        assert await client.cat(cid.of(b"mine"), 10) == b"mine"
        with pytest.raises(Unavailable):
            await client.pin(cid.of(b"mine"))
        assert len(served.asked) == 4


async def test_more_than_an_answer_can_be_is_cut_off() -> None:
    async with node(always(answer(b" " * (MAX_ANSWER + 1)))) as (client, _):
        with pytest.raises(TooLarge):
            await client.version()
        with pytest.raises(TooLarge):
            await client.block(cid.of(b""))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (error("block was not found locally (offline): ipld: could not find bafk"), NotThere),
        (error("the content store is full"), Refused),
        (answer(b"oops", "502 Bad Gateway"), Unavailable),
        (answer(b"404 page not found", "404 Not Found"), NotThere),
        (answer(b"<html>" * 5_000), Refused),
        (answer(b"", "302 Found"), Refused),
    ],
)
async def test_a_refusal_is_said_in_the_nodes_own_words_and_briefly(
    said: bytes, expected: type[Exception]
) -> None:
    async with node(always(said)) as (client, _):
        with pytest.raises(expected) as refused:
            await client.pin(cid.of(b"x"))
        assert len(str(refused.value)) < 500


async def test_what_is_not_pinned_is_no_error() -> None:
    async with node(always(error("not pinned or pinned indirectly"))) as (client, _):
        assert await client.unpin(cid.of(b"x")) is False
    async with node(always(error("path 'bafk' is not pinned"))) as (client, _):
        assert await client.pinned(cid.of(b"x")) is False


async def test_an_import_that_says_nothing_of_a_root_has_not_pinned_it() -> None:
    def told(id_: Cid, words: str = "") -> bytes:
        return json.dumps({"Root": {"Cid": {"/": str(id_)}, "PinErrorMsg": words}}).encode() + b"\n"

    documents = [b"one", b"two"]
    one, two = map(cid.of, documents)
    async with node(always(answer(told(one)))) as (client, _):
        with pytest.raises(Refused, match="says nothing"):
            await client.keep(documents)
    async with node(always(answer(told(one) + told(two, "no room")))) as (client, _):
        with pytest.raises(Refused, match="no room"):
            await client.keep(documents)
    async with node(always(answer(told(two) + told(one)))) as (client, _):
        assert await client.keep(documents) == [one, two]


async def test_an_archive_that_lies_is_not_sent_and_not_passed_on() -> None:
    lying = car.archive([cid.of(b"a")], [Block(cid.of(b"a"), b"b")])

    async def pieces() -> AsyncIterator[bytes]:
        yield lying

    async with node(always(answer(lying))) as (client, _):
        with pytest.raises(WrongContent, match="is not what"):
            await client.import_car(pieces())
        with pytest.raises(WrongContent, match="exports"):
            [each async for each in client.export(cid.of(b"a"))]


@pytest.mark.parametrize(
    "url", ["", "127.0.0.1:5001", "ftp://a:1", "http://a", "http://a:99999", "http://a:1/path"]
)
async def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(BadUrl):
        Ipfs(url)
