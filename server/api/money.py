"""An owner's money: balances, statements, moving it between agents, deposits and withdrawals.

What moves money takes an `Idempotency-Key`. The transfer's own id is made of it, so a request that is made
again, after whatever crash, moves nothing twice; the same key with another request is refused.
"""

from __future__ import annotations

import csv
import hashlib
import io
from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from server.api.idempotent import key_of
from server.api.operation import Limit, Operation, Services, as_json, read_body, read_query
from server.api.principal import Principal, authorize
from server.api.problems import Problem
from server.identity import new_id
from server.ledger import Account, Result, Transfer, names, tiers
from server.protocol import Id
from server.store.crossings import Crossing, TooManyPending
from server.store.ledger import TransferRefused
from server.store.purses import AgentFrozen
from server.store.statement import Line

MAX_SIMULATED_MICROS = 1_000_000_000
"""A simulated deposit is at most a thousand USDC."""
CSV_LINES = 10_000
"""Lines of a statement's CSV; a longer one goes on from `before`."""

Amount = Annotated[int, Meta(ge=1, le=10**12)]
Asset = Literal["usdc", "play"]
Party = Annotated[str, Meta(min_length=1, max_length=64)]


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


class StatementQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    holder: Party = "owner"
    """`owner`, or an agent of yours."""
    asset: Asset = "usdc"
    before: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    """The `next` of the page before."""
    limit: Limit = 100


class StatementLine(msgspec.Struct, frozen=True):
    seq: int
    made_ms: int
    code: str
    """Why: `entry`, `winnings`, `refund`, `fund`, `deposit`, `withdrawal`, `grant`."""
    kind: str
    """`posted` moved its amount; `pending` reserved it; `post` carried out what was pending; `void` gave it up."""
    about: str | None
    """The session, ticket, deposit, … that it is about."""
    other: str
    """The ledger account at the other end."""
    amount_micros: int
    micros: int
    """What it did to the balance; 0 while pending and when void."""
    balance_micros: int
    transfer: str


class Statement(msgspec.Struct, frozen=True):
    """Newest first."""

    account: str
    asset: str
    lines: list[StatementLine]
    next: int | None
    """`before` for the next page; null on the last one."""


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


async def balances(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "read", "money")
    holders = await _holders(services, principal)
    wanted = {
        _account(asset, holder, principal): (asset, holder, name)
        for holder, name in holders.items()
        for asset in tiers.ASSETS
    }
    found = await services.store.ledger.accounts(wanted)
    rows = [
        _balance(holder, name, found.get(id_) or names.opening(id_))
        for id_, (asset, holder, name) in wanted.items()
        if id_ in found or (holder == "owner" and asset == tiers.USDC)
    ]
    return as_json(Balances(rows, services.config.settlement), Cache_Control="no-store")


async def statement(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "read", "money")
    query = read_query(request, StatementQuery)
    account = await _purse(services, principal, query.asset, query.holder)
    lines = await services.store.ledger.statement(account, before=query.before, limit=query.limit)
    following = lines[-1].seq if len(lines) == query.limit else None
    page = Statement(account, query.asset, [_shown(line) for line in lines], following)
    return as_json(page, Cache_Control="no-store")


async def statement_csv(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "read", "money")
    query = read_query(request, StatementQuery)
    account = await _purse(services, principal, query.asset, query.holder)
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(StatementLine.__struct_fields__)
    before, left = query.before, CSV_LINES
    while left > 0:
        lines = await services.store.ledger.statement(account, before=before, limit=500)
        table.writerows(msgspec.structs.astuple(_shown(line)) for line in lines[:left])
        left -= len(lines)
        if len(lines) < 500:
            break
        before = lines[-1].seq
    named = f'attachment; filename="{account.replace(":", "-")}.csv"'
    headers = {"Content-Disposition": named, "Cache-Control": "no-store"}
    return Response(written.getvalue(), headers=headers, media_type="text/csv")


async def transfer(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "money")
    new = await read_body(request, NewTransfer)
    source = await _purse(services, principal, new.asset, new.source)
    to = await _purse(services, principal, new.asset, new.to)
    if source == to:
        raise Problem(422, "same-purse", "source and to are the same purse")
    moved = Transfer(
        id=f"fund:{_name(request, principal, 'transfer')}",
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
        raise await _unfunded(services, principal, new.asset, new.source, new.micros)
    if not result.done:
        raise _refused(result)
    after = await services.store.ledger.accounts([source, to])
    holders = await _holders(services, principal)
    shown = [
        _balance(holder, holders[holder], after[account])
        for holder, account in ((new.source, source), (new.to, to))
    ]
    return as_json(Moved(moved.id, *shown), 201, Cache_Control="no-store")


async def deposit(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "money")
    new = await read_body(request, NewCrossing)
    if new.micros > MAX_SIMULATED_MICROS:
        most = tiers.money(MAX_SIMULATED_MICROS, tiers.USDC)
        raise Problem(422, "too-much", f"a simulated deposit is at most {most}")
    return await _cross(services, request, principal, "deposit", new.micros)


async def withdraw(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "money")
    new = await read_body(request, NewCrossing)
    return await _cross(services, request, principal, "withdrawal", new.micros)


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
    id_ = _name(request, principal, direction)
    try:
        crossing = await services.store.crossings.begin(
            id_, principal.account, direction, micros, account.wallet
        )
    except TooManyPending as error:
        raise Problem(409, "too-many-pending", str(error), headers={"Retry-After": "5"}) from None
    except TransferRefused as error:
        if error.result is Result.EXCEEDS_CREDITS:
            raise await _unfunded(services, principal, tiers.USDC, "owner", micros) from None
        raise _refused(error.result) from None
    if (crossing.direction, crossing.micros) != (direction, micros):
        raise _refused(Result.EXISTS_DIFFERENT)
    return as_json(crossing, 202, Cache_Control="no-store")


def _name(request: Request, principal: Principal, what: str) -> str:
    """A name for what the request does: the same for the same account and `Idempotency-Key`."""
    key = key_of(request)
    if key is None:
        return new_id()
    said = f"{principal.account}\n{what}\n{key}".encode()
    return f"key-{hashlib.sha256(said).hexdigest()[:40]}"


async def _unfunded(
    services: Services, principal: Principal, asset: str, holder: str, micros: int
) -> Problem:
    """That a purse has less than `micros`, and how much it has now."""
    id_ = _account(asset, holder, principal)
    account = (await services.store.ledger.accounts([id_])).get(id_)
    has = tiers.money(0 if account is None else account.available_micros, asset)
    who = "your purse" if holder == "owner" else (await _holders(services, principal))[holder]
    wanted = tiers.money(micros, asset)
    return Problem(
        409, "unfunded", f"{who} has {has} available, {wanted} is wanted", field="micros"
    )


def _refused(result: Result) -> Problem:
    if result is Result.EXISTS_DIFFERENT:
        return Problem(
            422,
            "idempotency-mismatch",
            "this Idempotency-Key was used for another request; take a new one",
        )
    return Problem(409, "refused", f"the ledger refuses it: {result}")


async def _holders(services: Services, principal: Principal) -> dict[str, str]:
    """Whose purses the caller may look into: `owner` and the account's agents, with their names."""
    if principal.agent is not None:
        identity = await services.store.agents.get(principal.agent)
        return {} if identity is None else {identity.agent: identity.name}
    return {"owner": ""} | await services.store.agents.names_of(principal.account)


async def _purse(services: Services, principal: Principal, asset: str, holder: str) -> str:
    """The ledger account of a purse of the caller's. Raises Problem 404, also for other people's."""
    if holder not in await _holders(services, principal):
        raise Problem(404, "unknown-agent", f"unknown agent {holder!r}")
    return _account(asset, holder, principal)


def _account(asset: str, holder: str, principal: Principal) -> str:
    if holder == "owner":
        return names.owner(asset, principal.account)
    return names.agent(asset, holder)


def _balance(holder: str, name: str, account: Account) -> Balance:
    return Balance(
        holder=holder,
        name=name,
        account=account.id,
        asset=account.asset,
        available_micros=account.available_micros,
        held_micros=account.debits_pending,
        incoming_micros=account.credits_pending,
    )


def _shown(line: Line) -> StatementLine:
    return StatementLine(
        seq=line.seq,
        made_ms=line.made_ms,
        code=line.code,
        kind=line.kind.value,
        about=line.about,
        other=line.other,
        amount_micros=line.amount_micros,
        micros=line.micros,
        balance_micros=line.balance_micros,
        transfer=line.transfer,
    )


_PURSE = "no such purse of yours: `unknown-agent`"
_FUNDS = "not so much is available: `unfunded`"

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
    Operation(
        id="getStatement",
        path="/v1/me/statement",
        handler=statement,
        summary="Every line of a purse, newest first",
        answer=Statement,
        query=StatementQuery,
        problems={400: "the query is not understood", 404: _PURSE},
        tag="money",
        bearer=True,
        scopes=("read", "money"),
    ),
    Operation(
        id="getStatementCsv",
        path="/v1/me/statement.csv",
        handler=statement_csv,
        summary=f"The same as CSV, at most {CSV_LINES} lines",
        media_type="text/csv",
        query=StatementQuery,
        problems={400: "the query is not understood", 404: _PURSE},
        tag="money",
        bearer=True,
        scopes=("read", "money"),
    ),
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
            404: _PURSE,
            409: f"{_FUNDS}, or the agent that has it is frozen: `frozen`",
            422: "one purse twice",
        },
        tag="money",
        bearer=True,
        scopes=("money",),
    ),
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
        problems={409: "no wallet, or too many are under way", 422: "too much"},
        tag="money",
        bearer=True,
        scopes=("money",),
    ),
    Operation(
        id="makeWithdrawal",
        path="/v1/withdrawals",
        method="POST",
        handler=withdraw,
        summary="Take USDC out to your wallet",
        answer=Crossing,
        status=202,
        idempotent=True,
        body=NewCrossing,
        problems={409: f"no wallet, too many are under way, or {_FUNDS}"},
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
