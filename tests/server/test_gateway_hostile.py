"""Whatever a client sends costs that client alone: typed errors, documented close codes, no crash."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.typing import Subprotocol

from server.gateway.door import OVERFLOW_OF_ADDRESS, host_of
from server.protocol import (
    JSON_SUBPROTOCOL,
    MAX_INBOUND_BYTES,
    MSGPACK_SUBPROTOCOL,
    CloseCode,
    Error,
    Goodbye,
    Hello,
    Ping,
    Pong,
    Snapshot,
    Subscribe,
    Welcome,
)
from tests.server.gateway_arena import Arena, Client, arena_of


@pytest.fixture
async def arena(redis: Redis) -> AsyncIterator[Arena]:
    async with arena_of(redis) as arena:
        yield arena


async def assert_alive(arena: Arena) -> None:
    """Others are served as if nothing had happened."""
    async with arena.client() as client:
        await client.send(Ping(7))
        assert (await client.expect(Pong)).n == 7


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"type":"no-such"}',
        b'{"type":"ping","extra":1}',
        b'{"type":"ping","n":-1}',
        b'{"type":"ping","n":1e999}',
        b'{"type":"subscribe","channel":"session:../../etc"}',
        b'{"type":"subscribe","channel":"lobby\\n"}',
        b'{"type":"subscribe","channel":"lobby","since":{"epoch":"e","offset":-2}}',
        b'{"type":"act","id":"a","session":"s","turn":0,"text":"\\ud800"}',
        b'{"type":"act","id":"a\\u0000","session":"s","turn":0,"text":""}',
        b'{"type":"act","id":"a","session":"s","turn":0,"text":"' + b"x" * 16_385 + b'"}',
        b"[" * 60_000,
        b'{"type":"ping","n":' + b"[" * 60_000,
    ],
)
async def test_bad_messages_get_a_typed_error(arena: Arena, data: bytes) -> None:
    async with arena.client() as client:
        await client.raw(data)
        assert (await client.expect(Error)).code == "bad-message"
        await client.send(Ping(1))
        await client.expect(Pong)


async def test_bad_messages_again_and_again_close_the_connection(arena: Arena) -> None:
    async with arena.client() as client:
        for _ in range(20):
            with contextlib.suppress(ConnectionClosed):
                await client.raw(b"?")
        assert await client.closed() == CloseCode.BAD_MESSAGE
        assert isinstance(client.seen[-1], Goodbye)
    await assert_alive(arena)


@pytest.mark.parametrize(
    ("subprotocol", "text"), [(JSON_SUBPROTOCOL, False), (MSGPACK_SUBPROTOCOL, True)]
)
async def test_the_other_kind_of_frame_is_a_bad_message(
    arena: Arena, subprotocol: str, text: bool
) -> None:
    async with arena.client(subprotocol=subprotocol) as client:
        await client.socket.send(b'{"type":"ping"}', text=text)
        assert (await client.expect(Error)).code == "bad-message"


async def test_an_unreadable_first_message_closes(arena: Arena) -> None:
    async with arena.socket() as raw:
        client = Client(raw)
        await client.raw(b"GET / HTTP/1.1")
        assert await client.closed() == CloseCode.BAD_MESSAGE


async def test_requests_before_hello_are_refused(arena: Arena) -> None:
    async with arena.socket() as raw:
        client = Client(raw)
        await client.send(Subscribe("lobby"))
        assert (await client.expect(Error)).code == "not-hello"
        await client.hello()
        await client.raw(b'{"type":"hello"}')
        assert (await client.expect(Error)).code == "bad-message"


async def test_oversized_frames_close_with_1009(arena: Arena) -> None:
    async with arena.client() as client:
        await client.raw(b'"' + b"x" * (MAX_INBOUND_BYTES + 1) + b'"')
        assert await client.closed() == 1009
    await assert_alive(arena)


async def test_invalid_utf8_closes_with_1007(arena: Arena) -> None:
    async with arena.client() as client:
        await client.socket.send(b'{"type":"\xff\xfe"}', text=True)
        assert await client.closed() == 1007
    await assert_alive(arena)


async def test_no_hello_in_time(redis: Redis) -> None:
    async with arena_of(redis, hello_timeout_ms=100) as arena, arena.socket() as raw:
        assert await Client(raw).closed() == CloseCode.HELLO_TIMEOUT


async def test_an_unknown_key_is_turned_away(arena: Arena) -> None:
    async with arena.socket() as raw:
        client = Client(raw)
        await client.raw(b'{"type":"hello","key":"agon_not_a_key_of_anyone"}')
        assert await client.closed() == CloseCode.UNAUTHORIZED


async def test_a_store_that_is_away_is_not_the_clients_fault(arena: Arena) -> None:
    arena.agent("alice")
    arena.identify_fails = True
    async with arena.socket() as raw:
        client = Client(raw)
        await client.raw(b'{"type":"hello","key":"agon_key_of_alice"}')
        error = await client.expect(Error)
        assert error.code == "unavailable"
        assert error.retry_after_ms > 0
        arena.identify_fails = False
        assert (await client.hello("alice")).agent == "alice"


async def test_unsupported_subprotocols_are_told_so(arena: Arena) -> None:
    async with arena.socket(subprotocol="mqtt") as raw:
        assert await Client(raw).closed() == CloseCode.UNSUPPORTED_SUBPROTOCOL


async def test_the_first_subprotocol_we_speak_is_taken(arena: Arena) -> None:
    offered = [Subprotocol(name) for name in ("mqtt", MSGPACK_SUBPROTOCOL, JSON_SUBPROTOCOL)]
    async with connect(arena.gateways[0].address, subprotocols=offered) as raw:
        assert raw.subprotocol == MSGPACK_SUBPROTOCOL
        await Client(raw).hello()


async def test_credits_run_out_and_come_back(redis: Redis) -> None:
    async with arena_of(redis, credits=10, credits_per_s=20) as arena, arena.client() as client:
        for _ in range(4):
            await client.subscribe("lobby")
        error = await client.expect(Error)
        assert error.code == "rate-limited"
        assert error.retry_after_ms > 0
        await asyncio.sleep(error.retry_after_ms / 1000 + 0.05)
        await client.snapshot("lobby")


async def _spent(client: Client) -> bool:
    """Whether a subscription is refused for want of credits."""
    await client.subscribe("lobby")
    while True:
        message = await client.recv()
        if isinstance(message, Error):
            return message.code == "rate-limited"
        if isinstance(message, Snapshot) and message.channel == "lobby":
            return False


async def test_an_agent_has_its_credits_once(redis: Redis) -> None:
    async with arena_of(redis, credits=20, credits_per_s=1) as arena:
        arena.agent("alice")
        arena.agent("bobby")
        async with arena.client("alice") as first, arena.client("alice") as second:
            for client in (first, second, first, second):
                assert not await _spent(client)
            assert await _spent(first)
            assert await _spent(second)
        async with arena.client("alice") as again:
            assert await _spent(again)
        async with arena.client("bobby") as other:
            assert not await _spent(other)


async def test_an_address_does_not_get_new_credits_by_reconnecting(redis: Redis) -> None:
    async with arena_of(redis, credits=10, credits_per_s=1) as arena:
        clock = asyncio.get_running_loop().time
        started = clock()
        for _ in range(23):  # at 10 credits; the address has 20 times 10, and 20 more each second
            async with arena.client():
                pass
        assert clock() - started > 1.4


async def test_a_crowd_that_waits_too_long_is_asked_to_come_back(redis: Redis) -> None:
    async def come(arena: Arena) -> int:
        async with arena.socket() as raw:
            client = Client(raw)
            await client.send(Hello())
            first = await client.recv()
            return 0 if isinstance(first, Welcome) else await client.closed()

    async with arena_of(redis, credits=10, credits_per_s=1, hello_timeout_ms=1_500) as arena:
        codes = await asyncio.gather(*(come(arena) for _ in range(40)))
        assert codes.count(0) >= 20
        assert set(codes) == {0, CloseCode.BEHIND}


async def test_flooding_on_is_closed(redis: Redis) -> None:
    async with arena_of(redis, credits=10, credits_per_s=1) as arena, arena.client() as client:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(400):
                await client.subscribe("lobby")
        assert await client.closed() == CloseCode.RATE_LIMITED
        await assert_alive(arena)


async def test_pings_cost_nothing_but_a_flood_of_them_ends(arena: Arena) -> None:
    async with arena.client() as client:
        for n in range(50):
            await client.send(Ping(n))
        for n in range(50):
            assert (await client.expect(Pong)).n == n
        with contextlib.suppress(ConnectionClosed):
            for n in range(400):
                await client.send(Ping(n))
        assert await client.closed() == CloseCode.RATE_LIMITED


async def test_too_many_connections_of_one_address(redis: Redis) -> None:
    async with arena_of(redis, connections_per_address=2) as arena:
        async with arena.client(), arena.client(), arena.socket() as raw:
            assert await Client(raw).closed() == CloseCode.TOO_MANY_CONNECTIONS
        await asyncio.sleep(0.05)
        await assert_alive(arena)


async def test_half_open_connections_of_one_address_are_bounded(redis: Redis) -> None:
    async with arena_of(redis, connections_per_address=2) as arena:
        host, port = arena.gateways[0].address.removeprefix("ws://").split(":")
        async with contextlib.AsyncExitStack() as stack:
            for _ in range(60):
                _, writer = await asyncio.open_connection(host, int(port))
                stack.callback(writer.close)
            await asyncio.sleep(0.1)
            assert arena.gateways[0].connections == 2 + OVERFLOW_OF_ADDRESS


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        (("192.0.2.7", 5), "192.0.2.7"),
        (("2001:db8:1:2:3::4", 5, 0, 0), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 5, 0, 2), "fe80::/64"),
        (None, "local"),
    ],
)
def test_what_an_address_is_counted_as(address: object, counted: str) -> None:
    assert host_of(address) == counted


async def test_a_full_gateway_says_so(redis: Redis) -> None:
    async with (
        arena_of(redis, max_connections=1) as arena,
        arena.client(),
        arena.socket() as raw,
    ):
        assert await Client(raw).closed() == CloseCode.TOO_MANY_CONNECTIONS


async def test_plain_http_and_noise_do_no_harm(arena: Arena) -> None:
    host, port = arena.gateways[0].address.removeprefix("ws://").split(":")
    for noise in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" * 50, b"\r\n" * 10_000, b""):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(noise)
        if noise:
            await writer.drain()
            writer.write_eof()
            with contextlib.suppress(ConnectionError):
                await asyncio.wait_for(reader.read(), 5)
        writer.close()
    with pytest.raises(InvalidStatus):
        await connect(arena.gateways[0].address, additional_headers={"Upgrade": "h2c"})
    await assert_alive(arena)


async def test_a_reset_in_the_middle_of_a_broadcast(arena: Arena) -> None:
    table = await arena.table()
    async with arena.client() as steady:
        await steady.snapshot(table.channel)
        async with arena.client() as rude:
            await rude.snapshot(table.channel)
            linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
            sock = rude.socket.transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            rude.socket.transport.abort()
            await table.ticks(5)
        assert await steady.offsets_until(table.channel, 5) == [1, 2, 3, 4, 5]


messages = st.sampled_from(
    [
        b'{"type":"hello"}',
        b'{"type":"ping","n":3}',
        b'{"type":"subscribe","channel":"lobby"}',
        b'{"type":"act","id":"x","session":"s","turn":1,"text":"t"}',
        b'{"type":"partial","session":"s","turn":1,"at":0,"text":"t"}',
        msgspec.msgpack.encode({"type": "hello"}),
        msgspec.msgpack.encode({"type": "ping", "n": 2**64 - 1}),
    ]
)
opcodes = st.sampled_from([Opcode.TEXT, Opcode.BINARY, Opcode.CONT, Opcode.PING, Opcode.PONG])
frames = st.builds(Frame, opcodes, st.one_of(st.binary(max_size=100), messages), st.booleans())
chunks = st.lists(st.one_of(frames, st.binary(max_size=300)), max_size=8)


async def throw(arena: Arena, subprotocol: str, chunks: list[Frame | bytes]) -> None:
    """Send frames and noise on one real connection, and read whatever comes back to the end."""
    async with arena.socket(subprotocol=subprotocol) as raw:
        client = Client(raw)
        await client.hello()
        for chunk in [*chunks, Frame(Opcode.CLOSE, b"\x03\xe8")]:
            if isinstance(chunk, Frame) and chunk.opcode in (Opcode.PING, Opcode.PONG):
                chunk.fin = True
            raw.transport.write(chunk if isinstance(chunk, bytes) else chunk.serialize(mask=True))
        # Noise may announce a long frame and leave the gateway waiting for the rest of it.
        with contextlib.suppress(ConnectionClosed, TimeoutError):
            async with asyncio.timeout(0.3):
                while True:
                    await client.recv()
        raw.transport.abort()


async def test_any_bytes_at_all(arena: Arena) -> None:
    """The gateway outlives whatever arrives on real connections."""
    examples: list[tuple[str, list[Frame | bytes]]] = []

    @settings(max_examples=80, deadline=None, database=None)
    @given(st.sampled_from([JSON_SUBPROTOCOL, MSGPACK_SUBPROTOCOL]), chunks)
    def collect(subprotocol: str, chunks: list[Frame | bytes]) -> None:
        examples.append((subprotocol, chunks))

    collect()
    for subprotocol, thrown in examples:
        await throw(arena, subprotocol, thrown)
    await assert_alive(arena)
