"""Why the escrow has not opened a session: as the row keeps it, and as people are told. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from server.live.records import SessionRecord

ENTRY, EXPIRED, DAY, BALANCE = 2, 3, 4, 5
"""REFUSED_… in `chain/contracts/modules/accounts.vy`. (1, opened before, changes nothing.)"""

_WHY = {
    ENTRY: "it allows less for one session",
    EXPIRED: "its limits are missing or over",
    DAY: "its cap of the day is reached",
    BALANCE: "too little of it is in the escrow",
}
_LIMITS = "`agon wallet limits` sets new ones"
_REMEDY = {BALANCE: "`agon wallet deposit AMOUNT` brings more in"}
_KEPT = re.compile(r"(0x[0-9a-fA-F]{40}): (.+)", re.DOTALL)


class Told(msgspec.Struct, frozen=True):
    """What everybody in the session hears."""

    words: str
    agents: tuple[str, ...]
    """Those whose owner would not pay: they play no more by themselves."""


def kept(owner: str, code: int) -> str:
    """For the row: whose wallet (EIP-55), and why. At most 280 characters."""
    why = _WHY.get(code, f"the escrow says {code}")
    return f"{owner}: {why}: {_REMEDY.get(code, _LIMITS)}"


def told(reason: str, record: SessionRecord, owners: Sequence[str]) -> Told:
    """`reason` as the row has it; `owners` are the wallets behind the seats."""
    found = _KEPT.fullmatch(reason)
    if found is None:
        return Told(reason, ())
    wallet, why = found.groups()
    seats = [
        seat
        for seat, owner in zip(record.seats, owners, strict=True)
        if owner.lower() == wallet.lower()
    ]
    names = " and ".join(seat.name for seat in seats) or "a seat"
    short = f"{wallet[:6]}…{wallet[-4:]}"
    return Told(
        f"the wallet behind {names} ({short}) did not pay: {why}",
        tuple(seat.agent for seat in seats),
    )
