"""A crowd of websocket clients in a process of its own, which reads as cheaply as Python can.

`python -m benchmarks.crowd PORT COUNT STALLED SAMPLE SUBPROTOCOL HELLO…` connects COUNT clients to
loopback, sends each HELLO (text messages), and drains what comes; STALLED of them never read. Of every
SAMPLE-th client it looks for `"at":<monotonic ns>` in what it reads, and notes how old that is. On
`report` on stdin it prints one JSON line.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import re
import resource
import select
import socket
import struct
import sys
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

_AT = re.compile(rb'"at":(\d+)')
_BATCH = 200


def raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Crowd:
    """The parent's end: a running crowd."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def report(self) -> dict[str, Any]:
        """Bytes read so far, connections still open, and the ages seen since the last report."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(b"report\n")
        report: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return report


@contextlib.asynccontextmanager
async def crowd(
    port: int,
    count: int,
    *,
    hello: Sequence[str] = (),
    stalled: int = 0,
    sample: int = 0,
    subprotocol: str = "",
) -> AsyncIterator[Crowd]:
    """Connected inside; gone at the end."""
    words = [str(each) for each in (port, count, stalled, sample, subprotocol)]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.crowd", *words, *hello),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 26,  # a report is one long line
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 120)
        if line != b"connected\n":
            raise RuntimeError(f"the crowd could not connect: {line!r}")
        yield Crowd(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _request(subprotocol: str) -> bytes:
    lines = [
        "GET / HTTP/1.1",
        "Host: localhost",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
        "Sec-WebSocket-Version: 13",
    ]
    if subprotocol:
        lines.append(f"Sec-WebSocket-Protocol: {subprotocol}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _text(message: str) -> bytes:
    """A text frame, masked with zeros."""
    payload = message.encode()
    assert len(payload) < 126
    return struct.pack("!BB", 0x81, 0x80 | len(payload)) + bytes(4) + payload


def _connect(
    port: int, count: int, stalled: int, subprotocol: str, hello: bytes
) -> list[socket.socket]:
    sockets: list[socket.socket] = []
    for start in range(0, count, _BATCH):
        batch = []
        for number in range(start, min(start + _BATCH, count)):
            sock = socket.socket()
            if number < stalled:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            sock.connect(("127.0.0.1", port))
            sock.sendall(_request(subprotocol))
            batch.append(sock)
        for sock in batch:
            answer = b""
            while b"\r\n\r\n" not in answer:
                answer += sock.recv(1)
            assert b" 101 " in answer, answer
            sock.sendall(hello)
            sock.setblocking(False)
        sockets += batch
    return sockets


class _Reader:
    def __init__(self, sockets: list[socket.socket], stalled: int, sample: int) -> None:
        self.poll = select.epoll()
        self.sockets = {sock.fileno(): sock for sock in sockets}
        self.bytes = 0
        self.ages_ms: list[float] = []
        self.sampled: set[int] = set()
        for number, sock in enumerate(sockets):
            if number < stalled:
                continue
            self.poll.register(sock.fileno(), select.EPOLLIN)
            if sample and number % sample == 0:
                self.sampled.add(sock.fileno())
        self.poll.register(sys.stdin.fileno(), select.EPOLLIN)

    def run(self) -> None:
        buffer = bytearray(1 << 18)
        view = memoryview(buffer)
        while True:
            for fd, _ in self.poll.poll():
                sock = self.sockets.get(fd)
                if sock is None:
                    if not sys.stdin.readline():
                        return
                    self._report()
                    continue
                try:
                    got = sock.recv_into(view)
                except OSError:
                    got = 0
                self.bytes += got
                if got == 0:
                    self.poll.unregister(fd)
                    self.sockets.pop(fd).close()
                elif fd in self.sampled:
                    now = time.monotonic_ns()
                    for at in _AT.findall(buffer[:got]):
                        self.ages_ms.append(round((now - int(at)) / 1e6, 2))

    def _report(self) -> None:
        report = {"bytes": self.bytes, "open": len(self.sockets), "ages_ms": self.ages_ms}
        print(json.dumps(report), flush=True)
        self.ages_ms = []


def main() -> None:
    port, count, stalled, sample = (int(word) for word in sys.argv[1:5])
    raise_file_limit()
    hello = b"".join(_text(message) for message in sys.argv[6:])
    sockets = _connect(port, count, stalled, sys.argv[5], hello)
    print("connected", flush=True)
    _Reader(sockets, stalled, sample).run()


if __name__ == "__main__":
    main()
