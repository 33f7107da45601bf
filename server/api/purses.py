"""The purses of an account: its owner's and one for each of its agents, and what is in them.

For all that looks at money or moves it: who may look into which purse, and what is said where one has too little.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from server.api.idempotent import other_request
from server.api.operation import Operation, Services, as_json
from server.api.principal import Principal, authorize
from server.api.problems import Problem
from server.ledger import Account, Result, names, tiers

Amount = Annotated[int, Meta(ge=1, le=10**12)]
Asset = Literal["usdc", "play"]
Party = Annotated[str, Meta(min_length=1, max_length=64)]

NO_PURSE = "no such purse of yours: `unknown-agent`"
NO_FUNDS = "not so much is available: `unfunded`"


class Balance(msgspec.Struct, frozen=True):
    holder: str
    """`owner`, or the agent's id."""
    name: str
    """The agent's; empty for the owner."""
    account: str
    """The ledger's name of the account."""
    asset: str
    available_micros: int
    """What may be moved or entered with."""
    held_micros: int
    """Held for tickets that wait, or for withdrawals under way."""
    incoming_micros: int
    """Deposits under way."""


class Balances(msgspec.Struct, frozen=True):
    balances: list[Balance]
    settlement: str
    """How money crosses the border. `simulated`: no real money is behind it."""


async def balances(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "read", "money")
    holders = await holders_of(services, principal)
    wanted = {
        _account(asset, holder, principal): (asset, holder, name)
        for holder, name in holders.items()
        for asset in tiers.ASSETS
    }
    found = await services.store.ledger.accounts(wanted)
    rows = [
        balance_of(holder, name, found.get(id_) or names.opening(id_))
        for id_, (asset, holder, name) in wanted.items()
        if id_ in found or (holder == "owner" and asset == tiers.USDC)
    ]
    return as_json(Balances(rows, services.config.settlement), Cache_Control="no-store")


async def holders_of(services: Services, principal: Principal) -> dict[str, str]:
    """Whose purses the caller may look into: `owner` and the account's agents, with their names."""
    if principal.agent is not None:
        identity = await services.store.agents.get(principal.agent)
        return {} if identity is None else {identity.agent: identity.name}
    return {"owner": ""} | await services.store.agents.names_of(principal.account)


async def purse_of(services: Services, principal: Principal, asset: str, holder: str) -> str:
    """The ledger account of a purse of the caller's. Raises Problem 404, also for other people's."""
    if holder not in await holders_of(services, principal):
        raise Problem(404, "unknown-agent", f"unknown agent {holder!r}")
    return _account(asset, holder, principal)


def _account(asset: str, holder: str, principal: Principal) -> str:
    if holder == "owner":
        return names.owner(asset, principal.account)
    return names.agent(asset, holder)


def balance_of(holder: str, name: str, account: Account) -> Balance:
    return Balance(
        holder=holder,
        name=name,
        account=account.id,
        asset=account.asset,
        available_micros=account.available_micros,
        held_micros=account.debits_pending,
        incoming_micros=account.credits_pending,
    )


async def unfunded(
    services: Services, principal: Principal, asset: str, holder: str, micros: int
) -> Problem:
    """That a purse has less than `micros`, and how much it has now."""
    id_ = _account(asset, holder, principal)
    account = (await services.store.ledger.accounts([id_])).get(id_)
    has = tiers.money(0 if account is None else account.available_micros, asset)
    who = "your purse" if holder == "owner" else (await holders_of(services, principal))[holder]
    wanted = tiers.money(micros, asset)
    return Problem(
        409, "unfunded", f"{who} has {has} available, {wanted} is wanted", field="micros"
    )


def refused(result: Result) -> Problem:
    """That the ledger does not let it happen, for whatever reason but too little money."""
    if result is Result.EXISTS_DIFFERENT:
        return other_request()
    return Problem(409, "refused", f"the ledger refuses it: {result}")


OPERATIONS = (
    Operation(
        id="getBalances",
        path="/v1/me/balances",
        handler=balances,
        summary="What you and your agents have",
        answer=Balances,
        tag="money",
        bearer=True,
        scopes=("read", "money"),
    ),
)
