"""The deployment that this arena settles by: its node, its manifest, and what is fixed in its contracts."""

from __future__ import annotations

from pathlib import Path

from eth_utils.address import to_checksum_address

from chain.client import deployment
from chain.client.contract import Contract
from chain.client.deployment import DeploymentFailed, Manifest
from chain.client.escrow import Escrow
from chain.client.rpc import Rpc
from chain.court.commitment import Court
from chain.ethereum import LocalAccount
from server.config import Config, ConfigError
from server.embedded import chain as embedded_chain
from server.embedded import deployment as embedded_deployment
from server.embedded.data_dir import DataDir
from server.settlement import key_file
from server.settlement.key_file import KeyFileError
from server.store import Store
from server.store.accounts import WalletBound, WalletTaken


class Contracts:
    """One per process. Every method that reads the chain raises OSError while its node is away."""

    def __init__(self, url: str, chain_id: int, manifest: Manifest) -> None:
        """Raises DeploymentFailed where the manifest is of another chain, or has no escrow."""
        if manifest.chain_id != chain_id:
            raise DeploymentFailed(
                f"the manifest is of chain {manifest.chain_id}, and chain_id is {chain_id}"
            )
        self.chain_id = chain_id
        self.manifest = manifest
        self.node = Rpc(url, chain_id)
        self.escrow = Escrow(self.node, manifest.address("escrow"))
        self._fixed: dict[str, str] = {}

    def first_block(self, name: str) -> int:
        """No log of that contract is older."""
        return self.manifest.contracts[name].block or 0

    @property
    def court(self) -> Court | None:
        """The one that judges sign for; None: the deployment is of before there was one."""
        found = self.manifest.contracts.get("court")
        return None if found is None or found.block is None else Court(self.chain_id, found.address)

    async def usdc(self) -> str:
        """The token that the escrow holds."""
        return await self._constant(self.escrow, "USDC")

    async def treasury(self) -> str:
        """Whose the arena's fees are."""
        tokens = Contract(self.node, "agent_tokens", self.manifest.address("agent_tokens"))
        return await self._constant(tokens, "TREASURY")

    async def check(self) -> None:
        """Whether all of them stand on the node's chain. Raises DeploymentFailed, OSError."""
        await deployment.verify(self.node, self.manifest)

    async def check_settler(self, address: str) -> None:
        """Whether that is who may open sessions. Raises DeploymentFailed, with what to do, and OSError."""
        settler = await self.escrow.holder("settler")
        if settler != address:
            raise DeploymentFailed(
                f"{address} is not the escrow's settler ({settler or 'nobody'} is): its admin offers it the role by"
                f" `agon chain roles --settler {address}`, and `agon chain take` takes it"
            )

    async def close(self) -> None:
        """Idempotent."""
        await self.node.close()

    async def _constant(self, contract: Contract, name: str) -> str:
        if name not in self._fixed:
            self._fixed[name] = str(await contract.read(name))
        return self._fixed[name]


async def find(config: Config, data: DataDir) -> Contracts:
    """Those that the configuration names; without a node, those of a chain of our own, deployed now if need be.

    Raises ConfigError, ServiceFailed.
    """
    url = config.rpc_url
    if not url:
        url = await embedded_chain.start(data, config.chain_id)
        await embedded_deployment.ensure(data, url, config.chain_id)
    path = _manifest_file(config, data)
    try:
        manifest = deployment.read(path)
        if manifest is None:
            raise DeploymentFailed(
                f"there is no {path}: `agon chain deploy --manifest {path}` makes it"
            )
        return Contracts(url, config.chain_id, manifest)
    except DeploymentFailed as error:
        raise ConfigError(f"chain_manifest: {error}") from None


async def check_books(config: Config, data: DataDir, store: Store) -> None:
    """Before anything is read: that no play-acted money is in the ledger, and whose the house's deposits are.

    Raises ConfigError.
    """
    if await store.crossings.any_simulated():
        raise ConfigError(
            "settlement: the ledger holds USDC of a simulated settlement, which no escrow has; an arena that settles on a"
            " chain begins with a new database (another data_dir or database_url)"
        )
    try:
        wallet = house_wallet(config, data)
        if wallet is not None:
            await store.accounts.bind_house(wallet)
    except (WalletBound, WalletTaken, KeyFileError) as error:
        raise ConfigError(f"house_wallet: {error}") from None


def house_wallet(config: Config, data: DataDir) -> str | None:
    """EIP-55; None: the house has none. Raises KeyFileError."""
    if config.house_wallet:
        return to_checksum_address(config.house_wallet)
    if config.rpc_url:
        return None
    return str(key_file.read(data.file(embedded_deployment.HOUSE_KEY)).address)


def settler_key(config: Config, data: DataDir) -> LocalAccount:
    """Raises ConfigError."""
    try:
        return key_file.read(_settler_key_file(config, data))
    except KeyFileError as error:
        raise ConfigError(f"settler_key_file: {error}") from None


def _settler_key_file(config: Config, data: DataDir) -> Path:
    """Raises ConfigError where one must be named."""
    if config.settler_key_file:
        return Path(config.settler_key_file).expanduser()
    if config.rpc_url:
        raise ConfigError(
            "settler_key_file: with settlement = chain and an rpc_url it names the file with the settler's key;"
            " `agon chain key settler.key` makes one"
        )
    return data.file(embedded_deployment.SETTLER_KEY)


def _manifest_file(config: Config, data: DataDir) -> Path:
    if config.chain_manifest:
        return Path(config.chain_manifest).expanduser()
    if config.rpc_url:
        raise ConfigError(
            "chain_manifest: with settlement = chain and an rpc_url it names the manifest of the contracts;"
            " `agon chain deploy` deploys them and writes it"
        )
    return data.file(embedded_deployment.MANIFEST)
