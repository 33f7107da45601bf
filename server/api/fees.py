"""What it costs to enter and what a place is worth: the table that people see before they join."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chain import payouts
from server.api.operation import Operation, Services, as_json
from server.ledger import tiers

SHOWN_SEATS = (2, 5)
"""Sizes of table that Spaces of ours have."""


class PayoutTable(msgspec.Struct, frozen=True):
    seats: int
    pot_micros: int
    fees: payouts.Fees
    """Taken from a pot that somebody wins; a full tie and a void session give every entry back."""
    places_micros: list[int]
    """What each place gets, the first one first, when nobody ties. Tied seats share the places they span."""


class FeeTier(msgspec.Struct, frozen=True):
    tier_micros: int
    """The tier's name: its entry in micro-USDC, 0 for the free tier."""
    asset: str
    """`usdc`, or `play`: play money, which is worth nothing."""
    entry_micros: int
    """In micros of the asset."""
    open: bool
    """Whether one may queue in it now."""
    tables: list[PayoutTable]


class FeeTable(msgspec.Struct, frozen=True):
    tiers: list[FeeTier]
    settlement: str
    """How money crosses the border. `simulated`: no chain, and no real money, is behind it."""


async def fees(services: Services, request: Request) -> Response:
    opened = services.config.tiers_open
    table = [
        FeeTier(
            tier_micros=tier,
            asset=tiers.asset_of(tier),
            entry_micros=tiers.entry_micros(tier),
            open=tier in opened,
            tables=[_table(tiers.entry_micros(tier), seats) for seats in SHOWN_SEATS],
        )
        for tier in tiers.FEE_TIERS
    ]
    return as_json(FeeTable(table, services.config.settlement))


def _table(entry_micros: int, seats: int) -> PayoutTable:
    split = payouts.split([entry_micros] * seats, range(1, seats + 1))
    return PayoutTable(seats, entry_micros * seats, split.fees, list(split.payouts))


OPERATIONS = (
    Operation(
        id="getFees",
        path="/v1/fees",
        handler=fees,
        summary="Fee tiers, fees and pay-outs",
        answer=FeeTable,
        tag="money",
    ),
)
