"""Owners of a season: a wallet each, a deposit, limits, a login, and an agent whose automation plays. All by what owners have."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from bots.owner import OwnerApi
from chain.client.signer import KeySigner
from chain.client.token import Token
from chain.documents.payouts import PayoutsDocument
from chain.ethereum import Account, LocalAccount, encode_defunct
from chain.payout_tree import PayoutTree
from chain.wallet import deposits, limits, payouts, withdrawals
from chain.wallet.hands import Hands
from chain.wallet.sending import Sender
from chain.wallet.sent import Sent
from server.clock import unix_ms
from server.commands import signing_in
from tests.chain.rpc import CHAIN_ID
from tests.chaos.season.ground import Ground

TIER_MICROS = 100_000
DEPOSIT_MICROS = 200_000_000
MORE_MICROS = 3_210_123
"""Deposited in the middle of the season."""
PARALLEL = 12
YEAR_S = 365 * 86_400
ARRIVES_S = 120.0


class Slip:
    """A wallet's journal, in memory; remembers what was sent last."""

    def __init__(self) -> None:
        self._sent: Sent | None = None
        self.last: Sent | None = None

    def read(self) -> Sent | None:
        return self._sent

    def write(self, sent: Sent) -> None:
        self._sent = self.last = sent

    def clear(self) -> None:
        self._sent = None


class Owner:
    """One of them, from before the deposit to after the last withdrawal."""

    def __init__(self, ground: Ground, number: int) -> None:
        self.ground = ground
        self.name = f"Owner {number}"
        self.account: LocalAccount = Account.create()
        self.slip = Slip()
        self.deposited_micros = 0
        self.agent = ""
        self._api: OwnerApi | None = None

    @property
    def wallet(self) -> str:
        return str(self.account.address)

    @property
    def api(self) -> OwnerApi:
        assert self._api is not None, "signed in"
        return self._api

    # ------------------------------------------------------------------ on the chain

    async def come(self) -> None:
        """Gas and USDC from who has it, a deposit, limits."""
        await self.ground.give(self.wallet, ether=1, micros=DEPOSIT_MICROS + MORE_MICROS)
        await self.deposit(DEPOSIT_MICROS)
        hands = await self._hands("limits")
        cap = 10 * (DEPOSIT_MICROS + MORE_MICROS)
        await limits.set_limits(hands, TIER_MICROS, cap, YEAR_S, now_ms=unix_ms())
        hands.sender.finish()

    async def deposit(self, micros: int) -> None:
        hands = await self._hands(f"deposit {micros}")
        await deposits.deposit(hands, micros)
        hands.sender.finish()
        self.deposited_micros += micros

    async def send_again(self) -> None:
        """What was sent last, where a reorganisation has taken it away: the same bytes."""
        assert self.slip.last is not None, "something was sent"
        attempt = self.slip.last.attempts[-1]
        if await self.ground.node.mined(attempt.hash) is None:
            await self.ground.node.send(bytes.fromhex(attempt.raw[2:]))

    async def claim(self, found: tuple[PayoutsDocument, PayoutTree]) -> int:
        """What was won and is not in the balance yet; micros."""
        if not await payouts.claimable(self.ground.contracts, self.wallet, found):
            return 0
        hands = await self._hands("claim")
        claimed = await payouts.claim(hands, self.wallet, found)
        hands.sender.finish()
        return claimed.micros

    async def ask_for_all(self) -> int:
        """Ask the escrow for the whole balance; micros."""
        hands = await self._hands("withdraw all")
        asked = await withdrawals.request(hands, None)
        hands.sender.finish()
        return asked.micros

    async def take(self) -> int:
        hands = await self._hands("withdraw finish")
        taken = await withdrawals.finish(hands, self.wallet)
        hands.sender.finish()
        return taken.micros

    async def has_micros(self) -> int:
        """In the wallet itself."""
        usdc: Token = self.ground.usdc
        return await usdc.balance(self.wallet)

    async def _hands(self, command: str) -> Hands:
        sender = Sender(
            self.ground.node,
            KeySigner(self.account, CHAIN_ID),
            self.slip,
            command=command,
            genesis=await self.ground.node.genesis(),
            clock=time.time,
            poll_s=0.1,
        )
        return Hands(self.ground.contracts, self.account, sender)

    # ------------------------------------------------------------------ at the arena

    async def sign_in(self, url: str) -> None:
        nobody = OwnerApi(url)
        message = await signing_in.propose(nobody, self.wallet)
        signature = self.account.sign_message(encode_defunct(text=message)).signature.to_0x_hex()
        login = await signing_in.hand_in(nobody, message, signature)
        self._api = OwnerApi(url, login.token)

    async def play(self, space: str) -> None:
        """Until told to stop."""
        await self.until_has(DEPOSIT_MICROS)
        spec = {"brain": "random", "spaces": [space]}
        body = {"name": self.name, "kind": "hosted", "about": "plays for little", "spec": spec}
        self.agent = (await self.api.post("/v1/agents", body))["agent"]
        transfer = {"source": "owner", "to": self.agent, "micros": DEPOSIT_MICROS // 2}
        await self.api.post("/v1/transfers", transfer)
        limits = {
            "tier_micros": TIER_MICROS,
            "spaces": [space],
            "max_parallel": PARALLEL,
            "max_sessions": 100_000,
            "stop_loss_micros": DEPOSIT_MICROS // 2,
        }
        await self.api.put(f"{self._automation}", limits)
        await self.api.post(f"{self._automation}/on")

    async def stop(self) -> None:
        await self.api.post(f"{self._automation}/off")

    async def run(self) -> dict[str, Any]:
        """What the automation has begun, and has open."""
        found = await self.api.get(self._automation)
        if found["state"] == "stopped":
            raise AssertionError(f"{self.name}'s automation stopped: {found['reason']}")
        run: dict[str, Any] = found["run"]
        return run

    async def ledger_micros(self) -> int:
        """USDC in all of the owner's purses; nothing may be held."""
        rows = (await self.api.get("/v1/me/balances"))["balances"]
        usdc = [each for each in rows if each["asset"] == "usdc"]
        held = sum(each["held_micros"] for each in usdc)
        assert held == 0, f"{self.name}: {held} micros are held, and nothing is played"
        return sum(int(each["available_micros"]) for each in usdc)

    async def until_has(self, micros: int) -> None:
        """So much is in the owner's own purse."""
        async with asyncio.timeout(ARRIVES_S):
            while await self._own_micros() != micros:
                await asyncio.sleep(0.5)

    async def has_more(self) -> bool:
        """Whether the second deposit is in the owner's own purse, which holds half of the first one."""
        own = await self._own_micros()
        assert own in (DEPOSIT_MICROS // 2, DEPOSIT_MICROS // 2 + MORE_MICROS), own
        return own > DEPOSIT_MICROS // 2

    async def _own_micros(self) -> int:
        rows = (await self.api.get("/v1/me/balances"))["balances"]
        own = [each for each in rows if (each["holder"], each["asset"]) == ("owner", "usdc")]
        return int(own[0]["available_micros"]) if own else 0

    @property
    def _automation(self) -> str:
        return f"/v1/agents/{self.agent}/automation"
