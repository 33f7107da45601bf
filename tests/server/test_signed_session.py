"""Two bots play on an arena that settles on a chain of its own, and one of them signs: its signature is in the result, and verifies."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from bots.api import Api, Credentials
from bots.brains import make
from bots.hosted import BrainBot
from bots.play import Settings, play
from bots.signing import Signer
from chain.documents import result as results
from chain.documents.signature import signed
from chain.ethereum import Account
from server.config import Config
from server.own_arena import own_arena
from tests import forked_agon

pytestmark = pytest.mark.slow

KEY = Account.from_key(b"\x31" * 32)
PATIENCE_S = 120.0


async def _play(url: str, agent: Credentials, signer: Signer | None, said: list[str]) -> None:
    settings = Settings(space="bid-tac-toe", url=url, key=agent.key, signer=signer)
    await play(BrainBot(make("bidder", "bid-tac-toe", {})), settings, say=said.append)


async def _both(url: str, said: list[str]) -> str:
    """The session that they have played."""
    ember, frost = [await Api(url).register(name) for name in ("Ember", "Frost")]
    owner = {"Authorization": f"Bearer {ember.owner_key}"}
    async with httpx.AsyncClient(base_url=url, headers=owner) as http:
        path = f"/v1/agents/{ember.agent}/signing-key"
        assert (await http.put(path, json={"address": KEY.address})).is_success
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(
            _play(url, ember, lambda data: signed(KEY, data), said), _play(url, frost, None, [])
        )
    [session] = httpx.get(f"{url}/v1/sessions").json()["sessions"]
    return str(session["session"])


def _result(url: str, session: str) -> bytes:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        answer = httpx.get(f"{url}/v1/sessions/{session}/result")
        if answer.is_success:
            return answer.content
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.5)


def _verify(*arguments: str) -> Any:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AGON_")}
    return forked_agon.agon("verify", *arguments, env=environment)


def test_a_seat_s_signature_is_in_the_result_and_verifies(tmp_path: Path) -> None:
    config = Config(settlement="chain", epoch_every_s=1, chain_confirmations=1)
    said: list[str] = []
    with own_arena(config, tmp_path, house="none") as arena:
        session = asyncio.run(_both(arena.api, said))
        assert f"{session}  signed" in said, said
        result = results.read(_result(arena.api, session))
        signers = {seat.sig.signer for seat in result.seats if seat.sig}
        assert signers == {KEY.address}
        done = _verify(session, "--url", arena.api, "--data-dir", arena.config.data_dir)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "ok  seat signatures" in done.stdout, done.stdout
        assert KEY.address in done.stdout
