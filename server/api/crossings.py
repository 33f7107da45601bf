"""Deposits and withdrawals: an owner's USDC on its way across the border between ledger and chain.

A crossing's id is made of the `Idempotency-Key`, so a request that is made again, after whatever crash, brings or
takes nothing twice.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.api.idempotent import deed_of, other_request
from server.api.operation import Limit, Operation, Services, as_json, read_body, read_query
from server.api.principal import Principal, authorize
from server.api.problems import Problem
from server.api.purses import NO_FUNDS, Amount, refused, unfunded
from server.ledger import Result, tiers
from server.protocol import Id
from server.store.crossings import Crossing, TooManyPending
from server.store.ledger import TransferRefused

MAX_SIMULATED_MICROS = 1_000_000_000
"""A simulated deposit is at most a thousand USDC."""


class NewCrossing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    micros: Amount
    """micro-USDC."""


class CrossingQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    before: Id | None = None
    """The `next` of the page before."""
    limit: Limit = 50


class CrossingPage(msgspec.Struct, frozen=True):
    """Newest first."""

    crossings: list[Crossing]
    settlement: str
    next: str | None
    """`before` for the next page; null on the last one."""


async def deposit(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "money")
    new = await read_body(request, NewCrossing)
    _check_simulated(services, "a deposit begins with your wallet: `agon wallet deposit AMOUNT`")
    if new.micros > MAX_SIMULATED_MICROS:
        most = tiers.money(MAX_SIMULATED_MICROS, tiers.USDC)
        raise Problem(422, "too-much", f"a simulated deposit is at most {most}")
    return await _cross(services, request, principal, "deposit", new.micros)


async def withdraw(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "money")
    new = await read_body(request, NewCrossing)
    _check_simulated(
        services, "your wallet asks for its money itself: `agon wallet withdraw AMOUNT`"
    )
    return await _cross(services, request, principal, "withdrawal", new.micros)


def _check_simulated(services: Services, instead: str) -> None:
    """On a chain nobody but the wallet can move its money, and the arena only reads that it has."""
    if services.config.settlement == "chain":
        raise Problem(
            409, "on-chain", f"here USDC is in an escrow on a chain (`GET /v1/chain`): {instead}"
        )


async def crossings(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "read", "money")
    query = read_query(request, CrossingQuery)
    found = await services.store.crossings.of_account(
        principal.account, before=query.before, limit=query.limit
    )
    following = found[-1].id if len(found) == query.limit else None
    page = CrossingPage(found, services.config.settlement, following)
    return as_json(page, Cache_Control="no-store")


async def _cross(
    services: Services,
    request: Request,
    principal: Principal,
    direction: Literal["deposit", "withdrawal"],
    micros: int,
) -> Response:
    account = await services.store.accounts.get(principal.account)
    if account is None or account.wallet is None:
        raise Problem(
            409, "no-wallet", "the account has no wallet to pay from or to: sign in with one first"
        )
    id_ = deed_of(request, principal, direction)
    try:
        crossing = await services.store.crossings.begin(
            id_, principal.account, direction, micros, account.wallet
        )
    except TooManyPending as error:
        raise Problem(409, "too-many-pending", str(error), headers={"Retry-After": "5"}) from None
    except TransferRefused as error:
        if error.result is Result.EXCEEDS_CREDITS:
            raise await unfunded(services, principal, tiers.USDC, "owner", micros) from None
        raise refused(error.result) from None
    if (crossing.direction, crossing.micros) != (direction, micros):
        raise other_request()
    return as_json(crossing, 202, Cache_Control="no-store")


OPERATIONS = (
    Operation(
        id="makeDeposit",
        path="/v1/deposits",
        method="POST",
        handler=deposit,
        summary="Bring USDC in from your wallet (simulated: it comes from nowhere)",
        answer=Crossing,
        status=202,
        idempotent=True,
        body=NewCrossing,
        problems={
            409: "settlement is on a chain, no wallet, or too many are under way",
            422: "too much",
        },
        tag="money",
        bearer=True,
        scopes=("money",),
    ),
    Operation(
        id="makeWithdrawal",
        path="/v1/withdrawals",
        method="POST",
        handler=withdraw,
        summary="Take USDC out to your wallet (simulated: it goes nowhere)",
        answer=Crossing,
        status=202,
        idempotent=True,
        body=NewCrossing,
        problems={
            409: f"settlement is on a chain, no wallet, too many are under way, or {NO_FUNDS}"
        },
        tag="money",
        bearer=True,
        scopes=("money",),
    ),
    Operation(
        id="listCrossings",
        path="/v1/me/crossings",
        handler=crossings,
        summary="Your deposits and withdrawals, newest first",
        answer=CrossingPage,
        query=CrossingQuery,
        problems={400: "the query is not understood"},
        tag="money",
        bearer=True,
        scopes=("read", "money"),
    ),
)
