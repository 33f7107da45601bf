"""Giving roles in tests, in the two steps that it takes."""

from __future__ import annotations

from typing import Any

from eth_utils.crypto import keccak


def give_role(contract: Any, name: str, account: str, admin: str) -> None:
    role = keccak(text=name)
    contract.offer_role(role, account, sender=admin)
    contract.take_role(role, sender=account)
