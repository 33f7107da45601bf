"""Which escrow a verifier is to believe, and which node it asks: what the caller names, else what this machine's arena settles by."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec
from eth_utils.address import is_address

from server.commands.running import CommandError

if TYPE_CHECKING:
    from chain.client.deployment import Manifest
    from server.config import Config


class ChainAt(msgspec.Struct, frozen=True):
    rpc: str
    chain_id: int
    escrow: str
    named: bool
    """By the caller: that the node does not answer is his mistake, not something left unchecked."""
    court: str | None = None
    """The court's contract; None: nobody has said where it is."""
    genesis: str | None = None
    """The hash of the chain's first block, where a manifest names it: chains for development share ids and addresses."""


class Named(msgspec.Struct, frozen=True):
    """The caller's options."""

    rpc: str | None = None
    chain: int | None = None
    escrow: str | None = None
    manifest: Path | None = None
    court: str | None = None

    @property
    def any(self) -> bool:
        return any(each is not None for each in msgspec.structs.astuple(self))


def find(named: Named, settings: Config, url: str | None) -> ChainAt | None:
    """None where nobody has said anything of a chain. `url` is that of the arena that is asked, if one is.

    A chain of this machine is taken by itself only where that arena is on this machine and says that it settles there: the
    contracts are then those of our own manifest. Raises CommandError.
    """
    if not named.any:
        return _of_this_machine(settings, url)
    chain, escrow, court, genesis = named.chain, named.escrow, named.court, None
    if chain is None or escrow is None:
        path = named.manifest or _manifest_file(settings)
        manifest = _read(path)
        if manifest is None:
            raise CommandError(
                f"which contract? name --manifest, or --chain and --escrow: there is no {path}"
            )
        if chain not in (None, manifest.chain_id):
            raise CommandError(
                f"--chain {chain}: {path} is of chain {manifest.chain_id}; name the escrow of that chain by --escrow"
            )
        chain, genesis = manifest.chain_id, manifest.genesis
        escrow, court = escrow or _escrow(manifest), court or _court(manifest)
    if not (is_address(escrow) and escrow.startswith("0x")):
        raise CommandError(f"--escrow: expected 0x and 40 hex digits, got {escrow[:60]!r}")
    if court is not None and not (is_address(court) and court.startswith("0x")):
        raise CommandError(f"--court: expected 0x and 40 hex digits, got {court[:60]!r}")
    rpc = named.rpc or settings.rpc_url or _own_node(settings)
    if rpc is None:
        raise CommandError("name a node of the chain: --rpc, or AGON_RPC_URL")
    return ChainAt(rpc, chain, escrow, named=True, court=court, genesis=genesis)


def _of_this_machine(settings: Config, url: str | None) -> ChainAt | None:
    rpc = settings.rpc_url or _own_node(settings)
    manifest = None if rpc is None or url is None else _read(_manifest_file(settings))
    if rpc is None or url is None or manifest is None or not _is_local(url):
        return None
    escrow, said = _escrow(manifest), _chain_of(url)
    if (said.get("chain_id"), said.get("escrow")) != (manifest.chain_id, escrow):
        return None
    return ChainAt(
        rpc,
        manifest.chain_id,
        escrow,
        named=False,
        court=_court(manifest),
        genesis=manifest.genesis,
    )


def _is_local(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _chain_of(url: str) -> dict[str, Any]:
    """What the arena says of its chain; nothing where it says nothing."""
    import httpx

    from bots.api import arena_url

    try:
        answer = httpx.get(f"{arena_url(url)}/v1/chain", timeout=5, trust_env=False)
        said = answer.json()
    except (httpx.HTTPError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _manifest_file(settings: Config) -> Path:
    if settings.chain_manifest:
        return Path(settings.chain_manifest).expanduser()
    return _data(settings) / "chain" / "deployment.json"


def _own_node(settings: Config) -> str | None:
    """The address of the chain in the data directory, where it has one."""
    try:
        return (_data(settings) / "chain.url").read_text(encoding="utf-8").strip() or None
    except OSError:
        return None


def _data(settings: Config) -> Path:
    return Path(settings.data_dir).expanduser()


def _read(path: Path) -> Manifest | None:
    from chain.client import deployment

    try:
        return deployment.read(path)
    except deployment.DeploymentFailed as error:
        raise CommandError(f"--manifest: {error}") from None


def _escrow(manifest: Manifest) -> str:
    from chain.client.deployment import DeploymentFailed

    try:
        return manifest.address("escrow")
    except DeploymentFailed as error:
        raise CommandError(f"--manifest: {error}") from None


def _court(manifest: Manifest) -> str | None:
    from chain.client.deployment import DeploymentFailed

    try:
        return manifest.address("court")
    except DeploymentFailed:
        return None  # an arena without one
