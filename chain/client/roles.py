"""Who may do what at a contract of ours: roles are offered by its admin, and taken by whoever they are offered to."""

from __future__ import annotations

from eth_utils.crypto import keccak

from chain.client.contract import Contract, Invocation

NOBODY = "0x" + "00" * 20


class Roles(Contract):
    """A contract with `chain/contracts/modules/roles.vy`. Roles are named by a word: `settler`, `guardian`."""

    async def holder(self, role: str) -> str | None:
        found = await self.read("role_holder", role_id(role))
        return None if found == NOBODY else str(found)

    async def offered(self, role: str) -> str | None:
        found = await self.read("role_offered", role_id(role))
        return None if found == NOBODY else str(found)

    async def admin(self) -> str:
        return str(await self.read("owner"))

    def offer_role(self, role: str, account: str) -> Invocation:
        """By the admin."""
        return self.invoke("offer_role", role_id(role), account)

    def take_role(self, role: str) -> Invocation:
        """By whoever it is offered to."""
        return self.invoke("take_role", role_id(role))

    def revoke_role(self, role: str) -> Invocation:
        """By the admin."""
        return self.invoke("revoke_role", role_id(role))


def role_id(role: str) -> bytes:
    """What contracts call it."""
    return bytes(keccak(text=role))
