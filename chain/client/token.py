"""ERC-20 tokens: USDC and FRAC. Amounts are whole units of the smallest part: micro-USDC, 10^-18 FRAC."""

from __future__ import annotations

from typing import NamedTuple

from chain.client.contract import Caller, Contract, Invocation


class Permit(NamedTuple):
    """An approval by signature (EIP-2612), in the order in which contracts take it."""

    deadline: int
    """The last unix second at which it is good."""
    v: int
    r: bytes
    s: bytes


class Token(Contract):
    """The token at `address`; a real USDC understands what `usdc_dev` does, but for minting."""

    def __init__(self, node: Caller, address: str, name: str = "usdc_dev") -> None:
        super().__init__(node, name, address)

    async def balance(self, owner: str, block: int | None = None) -> int:
        return int(await self.read("balanceOf", owner, block=block))

    async def allowance(self, owner: str, spender: str) -> int:
        return int(await self.read("allowance", owner, spender))

    async def domain(self) -> tuple[str, str]:
        """Name and version of what its owners sign. USDC has no `eip712Domain`: there it is its name and `version`."""
        return str(await self.read("name")), str(await self.read("version"))

    async def permits(self, owner: str) -> int:
        """How many permits of the owner were used: the nonce of the next."""
        return int(await self.read("nonces", owner))

    async def blocked(self, owner: str) -> bool:
        """Whether USDC's issuer lets the address neither send nor receive."""
        return bool(await self.read("isBlacklisted", owner))

    async def paused(self) -> bool:
        """Whether USDC's issuer has stopped all of it."""
        return bool(await self.read("paused"))

    async def mints(self, account: str) -> bool:
        """Of the USDC for development only: whether the account may `mint`."""
        return bool(await self.read("is_minter", account))

    def approve(self, spender: str, amount: int) -> Invocation:
        return self.invoke("approve", spender, amount)

    def transfer(self, to: str, amount: int) -> Invocation:
        return self.invoke("transfer", to, amount)

    def mint(self, owner: str, amount: int) -> Invocation:
        """Of the USDC for development only, by a minter."""
        return self.invoke("mint", owner, amount)
