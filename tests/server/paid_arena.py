"""An arena that settles on a chain of its own, in a process of its own, in which two owners have played for money.

Everything is real: wallets sign in and deposit, their automations play, the escrow opens and settles, winners are claimed for.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec

from chain.client import deployment
from chain.client.escrow import Escrow, Limits
from chain.client.rpc import Rpc
from chain.client.sending import send
from chain.client.signer import KeySigner
from chain.client.token import Token
from chain.verify.session import Documents
from server.clock import unix_ms
from server.commands.fetching import Wanted, documents
from server.config import Config
from server.own_arena import own_arena
from tests.chain.node import account
from tests.chain.rpc import CHAIN_ID
from tests.server.wallet import Wallet

TIER = 100_000
DEPOSIT = 20_000_000
MINTER, ANN, BEN = 0, 7, 8
SESSIONS = 3
PATIENCE_S = 300.0


class PaidArena(msgspec.Struct, frozen=True):
    url: str
    ipfs: str
    rpc: str
    data_dir: str
    manifest: Path
    escrow: str
    sessions: tuple[str, ...]
    """Paid ones, each settled, in an epoch, and paid out; oldest first, the last in a later epoch than the first."""

    def documents(self, session: str) -> Documents:
        return documents(Wanted(session=session, url=self.url))

    def proof(self, session: str) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self.url}/v1/sessions/{session}/proof").json()
        return found


class _Owner:
    def __init__(self, url: str, who: int, agent: str, brain: str) -> None:
        self.http = httpx.Client(base_url=url, timeout=30)
        self._sign_in(Wallet(int.from_bytes(bytes(account(who).key), "big")))
        spec = {"brain": brain, "spaces": ["bid-tac-toe"]}
        made = self.call("POST", "/v1/agents", name=agent, kind="hosted", about="", spec=spec)
        self.agent = made["agent"]

    def _sign_in(self, wallet: Wallet) -> None:
        message = self.call("POST", "/v1/signin/nonce")["message"].replace(
            "{wallet}", wallet.address
        )
        signature = "0x" + wallet.sign(message).hex()
        login = self.call("POST", "/v1/signin", message=message, signature=signature)
        self.http.headers["Authorization"] = f"Bearer {login['token']}"

    def call(self, method: str, path: str, **body: Any) -> Any:
        answer = self.http.request(method, path, json=body or None)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def may_play(self) -> bool:
        """The arena has read the deposit and the limits."""
        return self.call("GET", "/v1/me/escrow")["refused"] is None

    def play(self) -> None:
        self.call("POST", "/v1/transfers", source="owner", to=self.agent, micros=DEPOSIT // 2)
        self.call(
            "PUT",
            f"/v1/agents/{self.agent}/automation",
            tier_micros=TIER,
            spaces=["bid-tac-toe"],
            max_sessions=SESSIONS,
            max_parallel=1,
            stop_loss_micros=DEPOSIT,
        )
        self.call("POST", f"/v1/agents/{self.agent}/automation/on")


@contextlib.contextmanager
def paid_arena(folder: Path) -> Iterator[PaidArena]:
    config = Config(settlement="chain", epoch_every_s=1, chain_confirmations=1)
    with own_arena(config, folder, house="none") as arena:
        data = Path(arena.config.data_dir)
        rpc = (data / "chain.url").read_text()
        manifest_file = data / "chain" / "deployment.json"
        manifest = deployment.read(manifest_file)
        assert manifest is not None
        asyncio.run(_deposit(rpc, manifest))
        owners = [
            _Owner(arena.api, ANN, "Ann", "solver"),
            _Owner(arena.api, BEN, "Ben", "bidder"),
        ]
        _wait(lambda: all(each.may_play() for each in owners), "the deposits are there")
        for owner in owners:
            owner.play()
            owner.http.close()
        _wait(lambda: len(_paid(arena.api)) >= SESSIONS, "all sessions are paid out", arena.log)
        yield PaidArena(
            arena.api,
            (data / "ipfs.url").read_text(),
            rpc,
            str(data),
            manifest_file,
            manifest.address("escrow"),
            tuple(_paid(arena.api)),
        )


async def _deposit(rpc: str, manifest: deployment.Manifest) -> None:
    node = Rpc(rpc, CHAIN_ID)
    usdc = Token(node, manifest.address("usdc"))
    escrow = Escrow(node, manifest.address("escrow"))
    try:
        for who in (ANN, BEN):
            key, address = KeySigner(account(who), CHAIN_ID), account(who).address
            minter = KeySigner(account(MINTER), CHAIN_ID)
            await send(node, minter, *usdc.mint(address, DEPOSIT))
            await send(node, key, *usdc.approve(escrow.address, DEPOSIT))
            await send(node, key, *escrow.deposit(DEPOSIT))
            limits = Limits(TIER, DEPOSIT, 2**40, unix_ms())
            await send(node, key, *escrow.set_limits(limits))
    finally:
        await node.close()


def _paid(url: str) -> list[str]:
    """Sessions whose proof is done to the last line."""
    page = httpx.get(f"{url}/v1/sessions", params={"limit": 50}).json()["sessions"]
    found = []
    for each in reversed(page):
        lines = httpx.get(f"{url}/v1/sessions/{each['session']}/proof").json()["lines"]
        if lines[-1]["name"] == "paid" and all(line["state"] == "done" for line in lines):
            found.append(each["session"])
    return found


def _wait(done: Any, what: str, log: Path | None = None) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > deadline:
            told = "" if log is None else log.read_text()[-4_000:]
            raise AssertionError(f"not within {PATIENCE_S:g} s: {what}\n{told}")
        time.sleep(0.5)
