"""The statement of a purse: every line of it, as pages and as one CSV."""

from __future__ import annotations

import csv
import io
from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from server.api.operation import Limit, Operation, Services, as_json, read_query
from server.api.principal import authorize
from server.api.purses import NO_PURSE, Asset, Party, purse_of
from server.store.statement import Line

CSV_LINES = 10_000
"""Lines of a statement's CSV; a longer one goes on from `before`."""


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


async def statement(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "read", "money")
    query = read_query(request, StatementQuery)
    account = await purse_of(services, principal, query.asset, query.holder)
    lines = await services.store.ledger.statement(account, before=query.before, limit=query.limit)
    following = lines[-1].seq if len(lines) == query.limit else None
    page = Statement(account, query.asset, [_shown(line) for line in lines], following)
    return as_json(page, Cache_Control="no-store")


async def statement_csv(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "read", "money")
    query = read_query(request, StatementQuery)
    account = await purse_of(services, principal, query.asset, query.holder)
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


OPERATIONS = (
    Operation(
        id="getStatement",
        path="/v1/me/statement",
        handler=statement,
        summary="Every line of a purse, newest first",
        answer=Statement,
        query=StatementQuery,
        problems={400: "the query is not understood", 404: NO_PURSE},
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
        problems={400: "the query is not understood", 404: NO_PURSE},
        tag="money",
        bearer=True,
        scopes=("read", "money"),
    ),
)
