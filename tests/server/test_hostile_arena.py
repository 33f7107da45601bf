"""What a verifier's hands do with an arena that answers anything at all: words, and never a stack trace or a full memory."""

from __future__ import annotations

import asyncio
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from server.commands import arena_word, fetching
from server.commands.fetching import Wanted
from tests import forked_agon
from tests.chain.node import deployed, net
from tests.chain.rpc import CHAIN_ID
from tests.server.test_verify_command import HONEST

SESSION = "01JD0000000000000000000001"


class Arena:
    """Answers every question with `body`, or that of a path's end."""

    def __init__(self) -> None:
        self.body: bytes = b"{}"
        self.at: dict[str, bytes] = {}
        self.status = 200
        arena = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                end = self.path.split("?")[0].rsplit("/", 1)[-1]
                self.send_response(arena.status)
                self.end_headers()
                self.wfile.write(arena.at.get(end, arena.body))

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def arena() -> Iterator[Arena]:
    found = Arena()
    yield found
    found.close()


@pytest.mark.parametrize(
    "proof",
    [
        b"[]",
        b"null",
        b"\xff\xfe",
        b"[" * 100_000,
        json.dumps({"epoch": [1], "lines": 3}).encode(),
        json.dumps({"epoch": {"closed": True}}).encode(),
        json.dumps({"epoch": {"closed": True, "epoch": "../admin"}}).encode(),
        json.dumps({"lines": [1, None], "escrow": "x"}).encode(),
        json.dumps({"transcript": {"cid": "--help", "pinned": True}}).encode(),
    ],
)
def test_whatever_an_arena_says_of_a_proof_is_no_crash(arena: Arena, proof: bytes) -> None:
    arena.at["proof"] = proof
    found = fetching.documents(Wanted(session=SESSION, url=arena.url))
    assert found.transcript == b"{}"
    fetching.documents(Wanted(session=SESSION, url=arena.url, ipfs="http://127.0.0.1:9"))


def test_an_arena_fills_no_memory(arena: Arena, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arena_word, "MAX_BYTES", 1_000)
    arena.at["transcript"] = b"x" * 1_001
    found = fetching.documents(Wanted(session=SESSION, url=arena.url))
    assert found.transcript is None
    assert "more than 1000 bytes" in found.missing["transcript"]


def test_an_arena_cannot_write_on_the_terminal(arena: Arena) -> None:
    arena.status = 404
    arena.body = json.dumps({"detail": "\x1b]0;owned\x07\x1b[2J\u202efine"}).encode()
    for command in (("transcript", SESSION), ("verify", SESSION)):
        done = forked_agon.agon(*command, "--url", arena.url, env=os.environ)
        assert done.returncode == 1
        said = done.stdout + done.stderr
        assert "fine" in said
        assert not {"\x1b", "\x07", "\u202e"} & set(said), repr(said)


async def test_a_chain_that_begins_otherwise_is_another_chain(tmp_path: Path) -> None:
    """Chains for development share the id, and the escrow's address with it."""
    assert HONEST.transcript is not None
    file = tmp_path / "t.json"
    file.write_bytes(HONEST.transcript)
    async with net() as chain:
        await deployed(chain, tmp_path)
        [manifest] = [
            each for each in tmp_path.glob("*.json") if b"agon-deployment" in each.read_bytes()
        ]
        said = json.loads(manifest.read_bytes())
        manifest.write_text(json.dumps({**said, "genesis": "0x" + "11" * 32}))
        asked = ("verify", "--transcript", file, "--rpc", chain.url, "--manifest", manifest)
        done = await asyncio.to_thread(forked_agon.agon, *map(str, asked), env=os.environ)
        assert done.returncode == 1
        assert "begins with" in done.stderr, done.stdout + done.stderr
        manifest.write_text(json.dumps(said))
        other = (*asked, "--chain", 1)
        done = await asyncio.to_thread(forked_agon.agon, *map(str, other), env=os.environ)
        assert f"is of chain {CHAIN_ID}" in done.stderr, done.stdout + done.stderr
        done = await asyncio.to_thread(forked_agon.agon, *map(str, asked), env=os.environ)
        assert "ok  replay" in done.stdout, done.stdout + done.stderr
