"""What stands on the embedded chain before an arena settles there: contracts, roles, gas, and a house that can pay.

Each step looks first whether it is done, so a start that was killed anywhere is gone on with by the next one. Nothing here is
worth anything: the deployer's key is one that everybody knows.
"""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import msgspec
import structlog

from chain.client.claims import Fractals, Rewards
from chain.client.court import CourtContract
from chain.client.deployment import DeploymentFailed, Manifest, deploy
from chain.client.escrow import Escrow, Limits
from chain.client.node import Reverted, SendRefused
from chain.client.operators import Operators
from chain.client.plans import COURT_TERMS, DAY_S, REGISTRY_TERMS, Fixed, plans
from chain.client.roles import Roles
from chain.client.rpc import Rpc
from chain.client.sending import send
from chain.client.signer import KeySigner
from chain.client.token import Token
from chain.devchain.accounts import ETHER, KEYS
from chain.ethereum import Account
from server.clock import unix_ms
from server.embedded.data_dir import DataDir, ServiceFailed
from server.embedded.prompt import PromptRpc
from server.settlement import key_file

MANIFEST = "chain/deployment.json"
SETTLER_KEY = "chain/settler.key"
HOUSE_KEY = "chain/house.key"

SETTLER_WEI = 100 * ETHER
HOUSE_WEI = ETHER
HOUSE_MICROS = 10_000 * 1_000_000
"""What the house deposits; when a tenth is left, it deposits again."""
HOUSE_ENTRY_MICROS = 25 * 1_000_000
COURT_MICROS = 1_000 * 1_000_000
"""What judges are paid out of; when a tenth is left, there is more."""
REGISTRY = msgspec.structs.replace(REGISTRY_TERMS, unbonding_s=4 * DAY_S, snapshot_gap_s=10)
COURT = msgspec.structs.replace(
    COURT_TERMS,
    snapshot_max_s=DAY_S,
    anchor_s=DAY_S,
    window_s=60,
    appeal_s=1,
    step_s=120,
    record_s=DAY_S,
)
"""A court whose days are minutes, so that one sees an epoch count and a hearing forced."""
NEVER_S = 2**40
"""A last second that does not come."""

PATIENCE_S = 120.0

_log = structlog.get_logger()


class Step(NamedTuple):
    done: Callable[[], Awaitable[bool]]
    signer: KeySigner
    to: str
    data: bytes = b""
    value: int = 0


async def ensure(data: DataDir, url: str, chain_id: int) -> Manifest:
    """Have it all stand. Idempotent; of several processes one does it and the others wait. Raises ServiceFailed."""
    data.folder("chain")
    with data.file("chain.deploy").open("a") as lock:
        await asyncio.to_thread(fcntl.flock, lock, fcntl.LOCK_EX)
        node = PromptRpc(url, chain_id)
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await _ensure(data, node)
        except (
            DeploymentFailed,
            key_file.KeyFileError,
            Reverted,
            SendRefused,
            OSError,
            TimeoutError,
        ) as error:
            raise ServiceFailed(
                f"the contracts on the embedded chain do not stand: {str(error) or 'it took too long'};"
                f" see {data.file('chain.log')}, or begin anew without {data.file('chain')}"
            ) from None
        finally:
            await node.close()


async def _ensure(data: DataDir, node: Rpc) -> Manifest:
    deployer = KeySigner(Account.from_key(KEYS[0]), node.chain_id)
    settler = KeySigner(key_file.ensure(data.file(SETTLER_KEY)), node.chain_id)
    house = KeySigner(key_file.ensure(data.file(HOUSE_KEY)), node.chain_id)
    wanted = plans(Fixed(deployer.address, registry=REGISTRY, court=COURT))
    manifest = await deploy(
        node, deployer, wanted, data.file(MANIFEST), told=lambda line: _log.info("chain", told=line)
    )
    for step in [
        *_gas(node, deployer, settler.address, SETTLER_WEI),
        *_gas(node, deployer, house.address, HOUSE_WEI),
        *_roles(node, manifest, deployer, settler),
        *_house(node, manifest, deployer, house),
        *_court(node, manifest, deployer),
    ]:
        while not await step.done():
            await send(node, step.signer, step.to, step.data, value=step.value)
    return manifest


def _gas(node: Rpc, deployer: KeySigner, to: str, wei: int) -> list[Step]:
    async def has() -> bool:
        return await node.balance(to, (await node.head()).number) > wei // 10

    return [Step(has, deployer, to, value=wei)]


def _roles(node: Rpc, at: Manifest, admin: KeySigner, settler: KeySigner) -> list[Step]:
    """All that this arena does by itself, by one key."""
    escrow = Escrow(node, at.address("escrow"))
    court = CourtContract(node, at.address("court"))
    wanted: list[tuple[Roles, str]] = [
        (escrow, "settler"),
        (escrow, "guardian"),
        (Operators(node, at.address("operators")), "challenger"),
        (Rewards(node, at.address("rewards")), "publisher"),
        (Fractals(node, at.address("fractals")), "publisher"),
        (court, "clerk"),
        (court, "guardian"),
    ]
    return [step for contract, role in wanted for step in _role(contract, role, admin, settler)]


def _role(contract: Roles, role: str, admin: KeySigner, holder: KeySigner) -> list[Step]:
    async def held() -> bool:
        return await contract.holder(role) == holder.address

    async def offered() -> bool:
        return await held() or await contract.offered(role) == holder.address

    return [
        Step(offered, admin, *contract.offer_role(role, holder.address)),
        Step(held, holder, *contract.take_role(role)),
    ]


def _house(node: Rpc, at: Manifest, minter: KeySigner, house: KeySigner) -> list[Step]:
    """Its deposit and its limits: the house pays its entries like everybody."""
    escrow, usdc = Escrow(node, at.address("escrow")), Token(node, at.address("usdc"))

    async def rich() -> bool:
        return (await escrow.account(house.address)).balance > HOUSE_MICROS // 10

    async def minted() -> bool:
        return await rich() or await usdc.balance(house.address) >= HOUSE_MICROS

    async def approved() -> bool:
        allowed = await usdc.allowance(house.address, escrow.address)
        return await rich() or allowed >= HOUSE_MICROS

    async def limited() -> bool:
        return (await escrow.limits(house.address)).expires == NEVER_S

    limits = Limits(HOUSE_ENTRY_MICROS, HOUSE_MICROS, NEVER_S, unix_ms())
    return [
        Step(minted, minter, *usdc.mint(house.address, HOUSE_MICROS)),
        Step(approved, house, *usdc.approve(escrow.address, HOUSE_MICROS)),
        Step(rich, house, *escrow.deposit(HOUSE_MICROS)),
        Step(limited, house, *escrow.set_limits(limits)),
    ]


def _court(node: Rpc, at: Manifest, deployer: KeySigner) -> list[Step]:
    """The clerk's bond, and USDC for judges' pay."""
    court = CourtContract(node, at.address("court"))
    frac, usdc = Token(node, at.address("frac"), "frac"), Token(node, at.address("usdc"))

    async def bonded() -> bool:
        return await court.clerk_bond() >= COURT.clerk_bond

    async def funded() -> bool:
        return await usdc.balance(court.address) > COURT_MICROS // 10

    async def bond_approved() -> bool:
        allowed = await frac.allowance(deployer.address, court.address)
        return await bonded() or allowed >= COURT.clerk_bond

    async def minted() -> bool:
        return await funded() or await usdc.balance(deployer.address) >= COURT_MICROS

    async def approved() -> bool:
        allowed = await usdc.allowance(deployer.address, court.address)
        return await funded() or allowed >= COURT_MICROS

    return [
        Step(bond_approved, deployer, *frac.approve(court.address, COURT.clerk_bond)),
        Step(bonded, deployer, *court.bond_clerk(COURT.clerk_bond)),
        Step(minted, deployer, *usdc.mint(deployer.address, COURT_MICROS)),
        Step(approved, deployer, *usdc.approve(court.address, COURT_MICROS)),
        Step(funded, deployer, *court.fund(COURT_MICROS)),
    ]
