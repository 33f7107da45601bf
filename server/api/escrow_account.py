"""What the escrow on a chain has of an owner: for the owner's eyes. Only the wallet can move it (`agon wallet`)."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server import escrow_room
from server.api.operation import Operation, Services, as_json
from server.api.principal import authorize
from server.escrow_room import Purse
from server.ledger import tiers
from server.store.escrow_account import EscrowAccount


class EscrowLimits(msgspec.Struct, frozen=True):
    """What the wallet has signed; the contract holds to it."""

    max_entry_micros: int
    """The most that one session may take."""
    daily_cap_micros: int
    """The most that all sessions of a UTC day may take."""
    expires_s: int
    """The last unix second at which an entry may be taken."""


class EscrowView(msgspec.Struct, frozen=True, kw_only=True):
    """By the logs that the arena has read; the chain has the last word (`agon wallet balance`)."""

    settlement: str
    """`simulated`: there is no escrow, and the rest says nothing."""
    wallet: str | None = None
    """EIP-55; null: the account has none yet."""
    balance_micros: int = 0
    """What the escrow has of the wallet to spend on entries."""
    entries_micros: int = 0
    """Of these, entries that wait in queues or are about to be taken."""
    awaiting_micros: int = 0
    """Won, or given back by void sessions, and paid into the balance with the next epoch."""
    leaving_micros: int = 0
    """Asked back by the wallet, and not taken out yet."""
    debt_micros: int = 0
    """Taken out of the escrow, or about to be, although it waits in queues or is played for: collected as it comes free."""
    claimed_micros: int = 0
    """Paid in by epochs since the beginning."""
    today_micros: int = 0
    """Entries that were taken on this UTC day."""
    limits: EscrowLimits | None = None
    """Null: never set, so nothing can be taken."""
    epoch_every_s: int = 0
    """How often an epoch is closed, at most, where somebody has won."""
    refused: str | None = None
    """A code: why the smallest entry would be refused now; null where it would not."""
    reason: str = ""
    """The same for people, with the command that changes it."""


async def escrow(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "read", "money")
    config = services.config
    if config.settlement != "chain":
        return as_json(EscrowView(settlement=config.settlement), Cache_Control="no-store")
    found = await services.store.escrow_accounts.of(principal.account)
    smallest = min((tier for tier in config.tiers_open if tier), default=0)
    why = _refused(found, smallest, services.clock()) if smallest else None
    view = EscrowView(
        settlement=config.settlement,
        epoch_every_s=config.epoch_every_s,
        refused=None if why is None else why.code,
        reason="" if why is None else str(why),
    )
    return as_json(view if found is None else _with(view, found), Cache_Control="no-store")


def _refused(
    found: EscrowAccount | None, tier_micros: int, now_ms: int
) -> escrow_room.EscrowRefused | None:
    entry = tiers.entry_micros(tier_micros)
    why = escrow_room.refused(None if found is None else found.purse, entry, now_ms)
    if why is None or found is None or why.code != escrow_room.AWAITING:
        return why
    room = found.purse.room_micros
    if found.awaiting_micros and room + found.awaiting_micros >= entry:
        return why
    if not found.purse.deposited:
        return escrow_room.not_deposited(found.purse.wallet)
    words = (
        f"the escrow has {tiers.amount(max(0, room))} USDC of {found.purse.wallet} free for entries, the smallest costs"
        f" {tiers.amount(entry)}: `agon wallet deposit AMOUNT` brings more in"
    )
    return escrow_room.EscrowRefused("not-deposited", words)


def _with(view: EscrowView, found: EscrowAccount) -> EscrowView:
    purse = found.purse
    return msgspec.structs.replace(
        view,
        wallet=purse.wallet,
        balance_micros=purse.balance_micros,
        entries_micros=purse.unopened_micros,
        awaiting_micros=found.awaiting_micros,
        leaving_micros=found.leaving_micros,
        debt_micros=found.debt_micros,
        claimed_micros=found.claimed_micros,
        today_micros=purse.today_micros,
        limits=_limits(purse),
    )


def _limits(purse: Purse) -> EscrowLimits | None:
    limits = purse.limits
    if limits is None:
        return None
    return EscrowLimits(limits.max_entry_micros, limits.daily_cap_micros, limits.expires_s)


OPERATIONS = (
    Operation(
        id="getEscrowAccount",
        path="/v1/me/escrow",
        handler=escrow,
        summary="What the escrow on a chain has of you: balance, limits, what is leaving and what the next epoch pays in",
        answer=EscrowView,
        tag="money",
        bearer=True,
        scopes=("read", "money"),
    ),
)
