"""Whether a wallet's escrow has room for one more entry. Pure.

On the ledger an owner may have what the chain will only allot with the next epoch, and limits that the owner has signed bind
nowhere but on the chain. So the same is reckoned here before an entry is held, from what the escrow's logs have told: who could
not pay waits in no queue. The chain has the last word; an entry that it refuses after all makes its session void.
"""

from __future__ import annotations

import msgspec

from server.days import DAY_MS, day_began_ms
from server.ledger.tiers import amount

EXPIRES_IN_S = 60
"""Limits that end sooner than this are over: an entry waits for a match, and for the chain."""


AWAITING = "awaiting-claim"
"""The code of what passes by itself, with the next epoch."""
DAY = "limit-day"
"""The code of what passes by itself, with the day."""


class EscrowRefused(Exception):
    """The escrow would not pay the entry; `code` is for programs, the message for the owner."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Limits(msgspec.Struct, frozen=True):
    """What the owner has signed, as the escrow has it."""

    max_entry_micros: int
    daily_cap_micros: int
    expires_s: int
    """The last unix second at which an entry may be taken."""


class Purse(msgspec.Struct, frozen=True):
    """A wallet in the escrow, and what its owner's agents are about to take out of it."""

    wallet: str
    deposited: bool
    """The escrow knows the wallet."""
    balance_micros: int
    """By the logs that were read."""
    limits: Limits | None
    """None: never set."""
    unopened_micros: int
    """Entries that wait in queues, or for the escrow to open their sessions."""
    today_micros: int
    """Entries of sessions that were made on this UTC day and that the escrow has opened."""

    @property
    def room_micros(self) -> int:
        return self.balance_micros - self.unopened_micros

    def taking(self, micros: int) -> Purse:
        """With one more entry in a queue."""
        return msgspec.structs.replace(self, unopened_micros=self.unopened_micros + micros)


def refused(purse: Purse | None, entry_micros: int, now_ms: int) -> EscrowRefused | None:
    """Why the escrow would not pay one more entry; None where it would. `purse` is None where the owner has no wallet.

    AWAITING says only that the balance is too small: whether the owner has the money at all, the ledger knows.
    """
    if purse is None:
        return EscrowRefused(
            "no-wallet",
            "entries are paid out of the escrow by the wallet of the agent's owner, and this one has none: sign in with a"
            " wallet (`agon login`)",
        )
    return _beyond_limits(purse, entry_micros, now_ms) or _beyond_balance(purse, entry_micros)


def _beyond_limits(purse: Purse, entry_micros: int, now_ms: int) -> EscrowRefused | None:
    limits, entry = purse.limits, amount(entry_micros)
    if limits is None:
        return EscrowRefused(
            "limits-missing",
            f"the escrow takes nothing from {purse.wallet} before its owner has signed limits: {_SET}",
        )
    if limits.max_entry_micros == 0 or limits.daily_cap_micros == 0:
        return EscrowRefused(
            "limits-missing", f"the owner of {purse.wallet} has revoked its limits: {_SET}"
        )
    if limits.expires_s < now_ms // 1_000 + EXPIRES_IN_S:
        return EscrowRefused(
            "limit-expired", f"the limits that {purse.wallet} has signed are over: {_RENEW}"
        )
    if entry_micros > limits.max_entry_micros:
        most = amount(limits.max_entry_micros)
        return EscrowRefused(
            "limit-entry",
            f"an entry costs {entry} USDC, and {purse.wallet} pays at most {most} for a session: {_RENEW}",
        )
    today = purse.today_micros + purse.unopened_micros
    if today + entry_micros > limits.daily_cap_micros:
        cap = amount(limits.daily_cap_micros)
        return EscrowRefused(
            DAY,
            f"{amount(today)} of the {cap} USDC that {purse.wallet} pays a day (UTC) are played or waiting, an entry costs"
            f" {entry}: wait {hours_left(now_ms)}, or {_RENEW}",
        )
    return None


def _beyond_balance(purse: Purse, entry_micros: int) -> EscrowRefused | None:
    if purse.room_micros >= entry_micros:
        return None
    room = amount(max(0, purse.room_micros))
    return EscrowRefused(
        AWAITING,
        f"the escrow has {room} USDC of {purse.wallet} free for entries, one costs {amount(entry_micros)}: what its owner has"
        " beside was won or given back, and is paid into the escrow with the next epoch",
    )


def not_deposited(wallet: str) -> EscrowRefused:
    """The owner has no money at all."""
    return EscrowRefused(
        "not-deposited",
        f"the escrow has no USDC of {wallet}: `agon wallet deposit AMOUNT` brings some in, `agon money fund` gives it to the"
        " agent",
    )


def next_day_ms(now_ms: int) -> int:
    """When the day's caps begin anew, unix ms."""
    return day_began_ms(now_ms) + DAY_MS


def hours_left(now_ms: int) -> str:
    """Of this UTC day."""
    minutes = -(-(next_day_ms(now_ms) - now_ms) // 60_000)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"


_SET = "`agon wallet limits` sets them"
_RENEW = "`agon wallet limits` sets new ones"
