"""Moving money between an owner's purses: funding an agent, taking back what it has.

The transfer's id is made of the `Idempotency-Key`, so a request that is made again, after whatever crash, moves
nothing twice.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.api.idempotent import deed_of
from server.api.operation import Operation, Services, as_json, read_body
from server.api.principal import authorize
from server.api.problems import Problem
from server.api.purses import (
    NO_FUNDS,
    NO_PURSE,
    Amount,
    Asset,
    Balance,
    Party,
    balance_of,
    holders_of,
    purse_of,
    refused,
    unfunded,
)
from server.ledger import Result, Transfer
from server.store.purses import AgentFrozen


class NewTransfer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Money from one of your purses to another."""

    source: Party
    """`owner`, or an agent of yours."""
    to: Party
    """`owner`, or an agent of yours."""
    micros: Amount
    asset: Asset = "usdc"


class Moved(msgspec.Struct, frozen=True):
    transfer: str
    source: Balance
    to: Balance


async def transfer(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "money")
    new = await read_body(request, NewTransfer)
    source = await purse_of(services, principal, new.asset, new.source)
    to = await purse_of(services, principal, new.asset, new.to)
    if source == to:
        raise Problem(422, "same-purse", "source and to are the same purse")
    moved = Transfer(
        id=f"fund:{deed_of(request, principal, 'transfer')}",
        debit=source,
        credit=to,
        asset=new.asset,
        micros=new.micros,
        code="fund",
    )
    try:
        result = await services.store.purses.move(
            moved, None if new.source == "owner" else new.source
        )
    except AgentFrozen as error:
        raise Problem(409, "frozen", str(error), field="source") from None
    if result is Result.EXCEEDS_CREDITS:
        raise await unfunded(services, principal, new.asset, new.source, new.micros)
    if not result.done:
        raise refused(result)
    after = await services.store.ledger.accounts([source, to])
    holders = await holders_of(services, principal)
    both = [
        balance_of(holder, holders[holder], after[account])
        for holder, account in ((new.source, source), (new.to, to))
    ]
    return as_json(Moved(moved.id, *both), 201, Cache_Control="no-store")


OPERATIONS = (
    Operation(
        id="makeTransfer",
        path="/v1/transfers",
        method="POST",
        handler=transfer,
        summary="Move money between your purses: fund an agent, or take back what it has",
        answer=Moved,
        status=201,
        idempotent=True,
        body=NewTransfer,
        problems={
            404: NO_PURSE,
            409: f"{NO_FUNDS}, or the agent that has it is frozen: `frozen`",
            422: "one purse twice",
        },
        tag="money",
        bearer=True,
        scopes=("money",),
    ),
)
