"""Deploys contracts once, and remembers where: the manifest is a file that says what stands and is the journal of its making.

What will be sent is in the file before it is sent, so a run that was killed is gone on with, not begun again. A manifest is
of one chain (its id *and* its first block) and of one build of each contract: another build is another deployment.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from eth_typing import HexAddress, HexStr

from chain.artifacts import load
from chain.client.abi import Abi
from chain.client.fees import FeePolicy, offer
from chain.client.node import RpcUnavailable, SendRefused, Trouble
from chain.client.nonces import Call, Mined
from chain.client.rpc import Rpc
from chain.client.txs import Signer
from chain.client.web3_guarded import Nonce, get_create_address

VERSION = "agon-deployment/1"
GAS_FACTOR = 1.2
POLL_S = 0.25
PATIENCE_S = 180.0
_BLUEPRINT = bytes.fromhex("fe7100")
"""What code begins with that is only a pattern for others (ERC-5202)."""


class DeploymentFailed(Exception):
    """The message says what stands and what to do."""


class Deployed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One contract, or what is about to be one."""

    artifact: str
    sources_digest: str
    creation_digest: str
    """SHA-256 of what makes it, its arguments included, hex."""
    address: str
    """EIP-55."""
    nonce: int
    tx: str
    raw: str
    """The signed transaction, hex with 0x: sending it again harms nothing."""
    block: int | None = None
    """None until it stands."""
    block_hash: str | None = None


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    v: str
    chain_id: int
    genesis: str
    """The hash of the chain's first block."""
    deployer: str
    contracts: dict[str, Deployed]

    def address(self, name: str) -> str:
        """Raises DeploymentFailed."""
        found = self.contracts.get(name)
        if found is None or found.block is None:
            raise DeploymentFailed(
                f"the manifest has no contract {name!r}: run the deployment again"
            )
        return found.address

    @property
    def first_block(self) -> int:
        """No log of any of the contracts is older."""
        return min(
            (each.block for each in self.contracts.values() if each.block is not None), default=0
        )


Arguments = Callable[[Mapping[str, str]], Sequence[Any]]
"""Addresses of what was deployed before -> the constructor's arguments."""


class Plan(NamedTuple):
    """One contract to be deployed."""

    name: str
    """In the manifest."""
    artifact: str
    arguments: Arguments = lambda _: ()
    blueprint: bool = False
    """A pattern from which another contract makes more."""


def read(path: Path) -> Manifest | None:
    """None where there is no file. Raises DeploymentFailed."""
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise DeploymentFailed(f"{path} is no manifest of a deployment: {error}") from None
    if manifest.v != VERSION:
        raise DeploymentFailed(f"{path} is of version {manifest.v!r}, not {VERSION!r}")
    return manifest


async def verify(rpc: Rpc, manifest: Manifest) -> None:
    """Whether all that it names stands on this node's chain. Raises DeploymentFailed, OSError."""
    await check_chain(rpc, manifest)
    for name, deployed in manifest.contracts.items():
        if deployed.block is None or not await rpc.code(deployed.address):
            raise DeploymentFailed(
                f"{name} does not stand at {deployed.address}: run the deployment again"
            )


async def deploy(
    rpc: Rpc,
    signer: Signer,
    plans: Sequence[Plan],
    path: Path,
    *,
    fees: FeePolicy | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> Manifest:
    """Have every contract of the plans stand; those that do are left alone. Idempotent, whenever it was killed.

    Raises DeploymentFailed, Reverted, OSError.
    """
    manifest = read(path)
    if manifest is None:
        genesis = await rpc.genesis()
        manifest = Manifest(VERSION, rpc.chain_id, genesis, signer.address, {})
    await check_chain(rpc, manifest)
    for plan in plans:
        standing = {name: each.address for name, each in manifest.contracts.items()}
        creation = _creation(plan, standing)
        deployed = manifest.contracts.get(plan.name)
        if deployed is not None:
            _check_same(plan, deployed, creation)
        while deployed is None or not await _stands(rpc, deployed):
            if deployed is None:
                deployed = await _signed(rpc, signer, plan, creation, fees or FeePolicy())
                manifest = _write(path, manifest, plan.name, deployed)
            mined = await _sent(rpc, deployed)
            if mined is None:
                deployed = None  # its nonce was used for something else: it never comes
                continue
            if not mined.succeeded:
                raise DeploymentFailed(f"{plan.name}: transaction {mined.hash} failed on chain")
            deployed = msgspec.structs.replace(
                deployed, block=mined.number, block_hash=mined.block_hash
            )
            manifest = _write(path, manifest, plan.name, deployed)
            told(f"{plan.name} stands at {deployed.address}")
    return manifest


async def check_chain(rpc: Rpc, manifest: Manifest) -> None:
    """Whether the node is of the manifest's chain: its id and its first block. Raises DeploymentFailed, OSError."""
    await rpc.check()
    if manifest.chain_id != rpc.chain_id:
        raise DeploymentFailed(
            f"the manifest is of chain {manifest.chain_id}, the node of chain {rpc.chain_id}"
        )
    genesis = await rpc.genesis()
    if manifest.genesis != genesis:
        raise DeploymentFailed(
            f"the manifest is of a chain {manifest.chain_id} that begins with {manifest.genesis}, the node's begins with"
            f" {genesis}: move the manifest away to deploy anew"
        )


def _check_same(plan: Plan, deployed: Deployed, creation: bytes) -> None:
    if deployed.creation_digest != _digest(creation):
        raise DeploymentFailed(
            f"{plan.name} at {deployed.address} is of another build or has other arguments than {plan.artifact} has now:"
            " a new version is a new manifest"
        )


def _creation(plan: Plan, standing: Mapping[str, str]) -> bytes:
    artifact = load(plan.artifact)
    if not plan.blueprint:
        return Abi(artifact.abi).creation(artifact.bytecode, *plan.arguments(standing))
    code = _BLUEPRINT + bytes.fromhex(artifact.bytecode.removeprefix("0x"))
    # Returns what follows it (ERC-5202's deploy preamble).
    return b"\x61" + len(code).to_bytes(2, "big") + bytes.fromhex("3d81600a3d39f3") + code


async def _signed(
    rpc: Rpc, signer: Signer, plan: Plan, creation: bytes, policy: FeePolicy
) -> Deployed:
    gas = int(await rpc.estimate(signer.address, Call(None, creation, 0)) * GAS_FACTOR)
    head = await rpc.head()
    nonce = await rpc.nonce(signer.address, head.number)
    fees = offer(head.base_fee, await rpc.tip(), policy)
    hash_, raw = signer.sign(nonce, Call(None, creation, gas), fees)
    return Deployed(
        artifact=plan.artifact,
        sources_digest=load(plan.artifact).sources_digest,
        creation_digest=_digest(creation),
        address=made_by(signer.address, nonce),
        nonce=nonce,
        tx=hash_,
        raw="0x" + raw.hex(),
    )


async def _sent(rpc: Rpc, deployed: Deployed) -> Mined | None:
    """Send it until it is in a block; None where its nonce was used by another transaction."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_S
    while loop.time() < deadline:
        mined = await rpc.mined(deployed.tx)
        if mined is not None:
            return mined
        try:
            await rpc.send(bytes.fromhex(deployed.raw[2:]))
        except SendRefused as refused:
            if refused.trouble is Trouble.NONCE_USED:
                return await rpc.mined(deployed.tx)
            if refused.trouble is not Trouble.KNOWN:
                raise DeploymentFailed(f"the node refuses {deployed.artifact}: {refused}") from None
        except RpcUnavailable:
            pass  # whether it was taken is found out in the next round
        await asyncio.sleep(POLL_S)
    raise DeploymentFailed(
        f"transaction {deployed.tx} is in no block after {PATIENCE_S:.0f} s; run it again to go on waiting"
    )


async def _stands(rpc: Rpc, deployed: Deployed) -> bool:
    return deployed.block is not None and bool(await rpc.code(deployed.address))


def made_by(sender: str, nonce: int) -> str:
    """The address of the contract that a transaction makes: the last 20 bytes of keccak256(rlp([sender, nonce]))."""
    return str(get_create_address(HexAddress(HexStr(sender)), Nonce(nonce)))


def _digest(creation: bytes) -> str:
    return hashlib.sha256(creation).hexdigest()


def _write(path: Path, manifest: Manifest, name: str, deployed: Deployed) -> Manifest:
    """Wholly or not at all, on disk before anything is sent."""
    changed = msgspec.structs.replace(manifest, contracts={**manifest.contracts, name: deployed})
    draft = path.with_name(path.name + ".new")
    with draft.open("wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(changed), indent=2) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return changed
