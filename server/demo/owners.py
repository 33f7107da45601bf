"""Two owners who play for money in a demonstration, as anybody would: a wallet each, USDC in the escrow, limits, a login, and
agents whose automations play. The USDC is a development chain's and worth nothing; all the rest is what owners do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from eth_utils.address import to_checksum_address

from bots.house import Member, members
from bots.owner import OwnerApi
from chain.client import signing
from chain.client.deployment import Manifest
from chain.client.escrow import Escrow, Limits
from chain.client.rpc import Rpc
from chain.client.sending import send
from chain.client.signer import KeySigner
from chain.client.token import Token
from chain.devchain.accounts import ETHER, KEYS
from chain.ethereum import Account, LocalAccount, encode_defunct
from server.automation import SESSIONS_MAX
from server.clock import unix_ms
from server.commands import signing_in
from server.ledger.tiers import amount

SPACES = ("rap-battle", "bid-tac-toe")
"""Those of two seats: the owners' agents play them in place of the house's."""
TIER_MICROS = 100_000
DEPOSIT_MICROS = 50_000_000
DAY_S = 86_400
ARRIVES_S = 90.0
"""Within this time a deposit is on the ledger: blocks have to lie on top of it."""

Told = Callable[[str], None]


class Owner(msgspec.Struct, frozen=True):
    name: str
    account: LocalAccount

    @property
    def wallet(self) -> str:
        return to_checksum_address(self.account.address)


async def arrive(
    api: str, node: Rpc, manifest: Manifest, quotas: Mapping[str, int], told: Told
) -> None:
    """Have them come and play: `quotas` says how many sessions of each of SPACES, 0 for no end.

    `node` is one of the development chain that `manifest` is of. Raises BotError, OSError, TimeoutError, and what the chain refuses.
    """
    wanted = {space: quotas[space] for space in SPACES if space in quotas}
    owners = [Owner(name, Account.create()) for name in ("Ann", "Ben")]
    for owner in owners:
        await _deposit(node, manifest, owner)
        told(
            f"{owner.name} ({owner.wallet}) has {amount(DEPOSIT_MICROS)} test USDC in the escrow {manifest.address('escrow')}"
        )
    await asyncio.gather(*(_play(api, owner, seat, wanted) for seat, owner in enumerate(owners)))


async def _deposit(node: Rpc, manifest: Manifest, owner: Owner) -> None:
    """Gas and test USDC from who has all of it there; then what an owner does: limits and a deposit."""
    rich, mint, own = (
        KeySigner(account, node.chain_id)
        for account in (Account.from_key(KEYS[-1]), Account.from_key(KEYS[0]), owner.account)
    )
    usdc = Token(node, manifest.address("usdc"))
    escrow = Escrow(node, manifest.address("escrow"))
    await send(node, rich, owner.wallet, b"", value=ETHER)
    await send(node, mint, *usdc.mint(owner.wallet, DEPOSIT_MICROS))
    now_s = (await node.head()).timestamp
    name, version = await usdc.domain()
    permit = signing.permit(
        owner.account,
        chain_id=node.chain_id,
        token=usdc.address,
        name=name,
        version=version,
        spender=escrow.address,
        amount=DEPOSIT_MICROS,
        nonce=await usdc.permits(owner.wallet),
        deadline=now_s + DAY_S,
    )
    limits = Limits(TIER_MICROS, DEPOSIT_MICROS, now_s + DAY_S, unix_ms())
    # The limits first: who finds the deposit at the arena finds that they are known there, too.
    await send(node, own, *escrow.set_limits(limits))
    await send(node, own, *escrow.deposit_with_permit(DEPOSIT_MICROS, permit))


async def _play(api: str, owner: Owner, seat: int, wanted: Mapping[str, int]) -> None:
    home = await _signed_in(api, owner)
    await _until_there(home)
    for space, sessions in wanted.items():
        agent = await home.post("/v1/agents", _agent(owner, space, members(space)[seat]))
        await home.post(
            "/v1/transfers",
            {
                "source": "owner",
                "to": agent["agent"],
                "micros": DEPOSIT_MICROS // len(wanted),
            },
        )
        automation = f"/v1/agents/{agent['agent']}/automation"
        await home.put(automation, _automation(space, sessions))
        await home.post(f"{automation}/on")


async def _signed_in(api: str, owner: Owner) -> OwnerApi:
    nobody = OwnerApi(api)
    message = await signing_in.propose(nobody, owner.wallet)
    signature = owner.account.sign_message(encode_defunct(text=message)).signature.to_0x_hex()
    login = await signing_in.hand_in(nobody, message, signature)
    return OwnerApi(api, login.token)


async def _until_there(home: OwnerApi) -> None:
    async with asyncio.timeout(ARRIVES_S):
        while True:
            held = (await home.get("/v1/me/balances"))["balances"]
            if any(each["asset"] == "usdc" and each["available_micros"] for each in held):
                return
            await asyncio.sleep(0.5)


def _agent(owner: Owner, space: str, member: Member) -> dict[str, Any]:
    spec: dict[str, Any] = {"brain": member.brain, "spaces": [space]}
    if "system" in member.settings:
        spec["prompt"] = member.settings["system"]
    if "temperature" in member.settings:
        spec["temperature"] = member.settings["temperature"]
    return {
        "name": member.name,
        "kind": "hosted",
        "about": f"{owner.name}'s, for {amount(TIER_MICROS)} USDC a session",
        "spec": spec,
    }


def _automation(space: str, sessions: int) -> dict[str, Any]:
    return {
        "tier_micros": TIER_MICROS,
        "spaces": [space],
        "max_sessions": sessions or SESSIONS_MAX,
        "max_parallel": 1,
        "stop_loss_micros": DEPOSIT_MICROS,
    }
