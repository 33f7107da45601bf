"""What admins do and see, for accounts with the role `admin`; `agon admin` is the same at the machine.

Every act is a line of the audit log with the account that did it. See `server.admin`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from server.admin import Acts, Refused, overview
from server.admin.overview import LiveSession, QueueState
from server.admin.voiding import Voiding
from server.api.operation import (
    Limit,
    Operation,
    Services,
    as_json,
    read_body,
    read_id,
    read_query,
)
from server.api.principal import authorize_role
from server.api.problems import Problem
from server.protocol import Id
from server.store.accounts import Role
from server.store.audit import AuditEntry
from server.store.backlog import UNFINISHED, Job, StepLoad

T = TypeVar("T")

Reason = Annotated[str, Meta(min_length=1, max_length=280)]
Step = Annotated[str, Meta(min_length=1, max_length=16, pattern=r"^[a-z-]+$(?!\n)")]
Subject = Annotated[
    str, Meta(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9:._@-]*$(?!\n)")
]
JobState = Literal["waiting", "running", "dead", "done", "void"]

_STATUS = {"unknown": 404, "conflict": 409, "invalid": 422}


class ActReason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reason: Reason
    """One line for the audit log; of a void and a freeze everybody may read it."""


class RoleChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    role: Role
    reason: Reason
    """One line for the audit log."""


class Redrive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    jobs: Annotated[list[Id], Meta(min_length=1, max_length=100)]
    """Ids of dead letters."""
    reason: Reason
    """One line for the audit log."""


class Redriven(msgspec.Struct, frozen=True):
    jobs: list[str]
    """Those that were dead."""


class SessionsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    limit: Limit = 100
    """Sessions, at most."""


class LiveSessions(msgspec.Struct, frozen=True):
    """The oldest first."""

    sessions: list[LiveSession]


class QueueStates(msgspec.Struct, frozen=True):
    queues: list[QueueState]


class JobsQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    state: JobState | None = None
    """Only rows in this state; else what is waiting, running or dead."""
    step: Step | None = None
    """Only this step, e.g. `settle`."""
    session: Id | None = None
    """Only what follows this session."""
    limit: Limit = 100
    """Rows, at most."""


class JobList(msgspec.Struct, frozen=True):
    jobs: list[Job]
    """The oldest first."""
    loads: list[StepLoad]
    """For each step of which something is unfinished."""


class LedgerReport(msgspec.Struct, frozen=True):
    sound: bool
    violations: list[str]
    """One sentence for each invariant that does not hold."""


class AuditQuery(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    subject: Subject | None = None
    """Only what was done to this session, agent, account or job."""
    act: Step | None = None
    """Only acts of this kind, e.g. `void`."""
    before: Id | None = None
    """The `next` of the page before."""
    limit: Limit = 50
    """Entries on one page."""


class AuditPage(msgspec.Struct, frozen=True):
    """Newest first."""

    entries: list[AuditEntry]
    next: str | None
    """`before` for the next page; null on the last one."""


async def void(services: Services, request: Request) -> Response:
    actor = await _admin(services, request)
    why = await read_body(request, ActReason)
    session = read_id(request, "session")
    acts = Acts(services.store, services.clock)
    found = await _acting(acts.void(session, actor=actor, reason=why.reason))
    return as_json(found, 202, Cache_Control="no-store")


async def freeze(services: Services, request: Request) -> Response:
    return await _on_agent(services, request, lambda acts: acts.freeze)


async def unfreeze(services: Services, request: Request) -> Response:
    return await _on_agent(services, request, lambda acts: acts.unfreeze)


async def grant(services: Services, request: Request) -> Response:
    return await _on_account(services, request, lambda acts: acts.grant_role)


async def revoke(services: Services, request: Request) -> Response:
    return await _on_account(services, request, lambda acts: acts.revoke_role)


async def redrive(services: Services, request: Request) -> Response:
    actor = await _admin(services, request)
    wanted = await read_body(request, Redrive)
    acts = Acts(services.store, services.clock)
    driven = await _acting(acts.redrive(wanted.jobs, actor=actor, reason=wanted.reason))
    return as_json(Redriven(driven), Cache_Control="no-store")


async def sessions(services: Services, request: Request) -> Response:
    await _admin(services, request)
    limit = read_query(request, SessionsQuery).limit
    found = await overview.live_sessions(services.store, services.redis, limit)
    return as_json(LiveSessions(found), Cache_Control="no-store")


async def queues(services: Services, request: Request) -> Response:
    await _admin(services, request)
    found = await overview.queue_states(services.redis, services.config.tiers_open)
    return as_json(QueueStates(found), Cache_Control="no-store")


async def jobs(services: Services, request: Request) -> Response:
    await _admin(services, request)
    query = read_query(request, JobsQuery)
    backlog = services.store.backlog
    rows = await backlog.page(
        states=UNFINISHED if query.state is None else (query.state,),
        step=query.step,
        session=query.session,
        limit=query.limit,
    )
    found = JobList(rows, await backlog.load(services.clock()))
    return as_json(found, Cache_Control="no-store")


async def ledger(services: Services, request: Request) -> Response:
    await _admin(services, request)
    violations = await services.store.ledger.audit()
    if services.contracts is not None:
        from server.settlement.compare import violation

        violations += await violation(services.store.database, services.contracts)
    return as_json(LedgerReport(not violations, violations), Cache_Control="no-store")


async def audit(services: Services, request: Request) -> Response:
    await _admin(services, request)
    query = read_query(request, AuditQuery)
    entries = await services.store.audit.page(
        subject=query.subject, act=query.act, before=query.before, limit=query.limit
    )
    following = entries[-1].id if len(entries) == query.limit else None
    return as_json(AuditPage(entries, following), Cache_Control="no-store")


async def _admin(services: Services, request: Request) -> str:
    return (await authorize_role(services, request, "admin")).account


async def _on_agent(
    services: Services,
    request: Request,
    act: Callable[[Acts], Callable[..., Awaitable[AuditEntry]]],
) -> Response:
    actor = await _admin(services, request)
    why = await read_body(request, ActReason)
    doing = act(Acts(services.store, services.clock))
    entry = await _acting(doing(read_id(request, "agent"), actor=actor, reason=why.reason))
    return as_json(entry, Cache_Control="no-store")


async def _on_account(
    services: Services,
    request: Request,
    act: Callable[[Acts], Callable[..., Awaitable[AuditEntry]]],
) -> Response:
    actor = await _admin(services, request)
    change = await read_body(request, RoleChange)
    doing = act(Acts(services.store, services.clock))
    account = read_id(request, "account")
    entry = await _acting(doing(account, change.role, actor=actor, reason=change.reason))
    return as_json(entry, Cache_Control="no-store")


async def _acting(act: Awaitable[T]) -> T:
    """What the act returns. Raises Problem where it is refused."""
    try:
        return await act
    except Refused as refused:
        raise Problem(_STATUS[refused.kind], refused.code, refused.words) from None


_BODY = {
    400: "the body is not understood",
    408: "the body did not come whole within ten seconds",
    413: "the body is larger than 64 KiB",
    415: "the body is not application/json",
    422: "the reason has no printable characters: `bad-reason`",
}
_QUERY = {400: "a parameter is unknown or out of range"}


def _act(
    id_: str,
    path: str,
    handler: Callable[[Services, Request], Awaitable[Response]],
    summary: str,
    *,
    body: type[msgspec.Struct] = ActReason,
    answer: type[msgspec.Struct] = AuditEntry,
    status: int = 200,
    problems: dict[int, str],
) -> Operation:
    return Operation(
        id=id_,
        path=path,
        method="POST",
        handler=handler,
        summary=summary,
        answer=answer,
        status=status,
        body=body,
        scopes=("manage",),
        problems=_BODY | problems,
        tag="admin",
    )


def _look(
    id_: str,
    path: str,
    handler: Callable[[Services, Request], Awaitable[Response]],
    summary: str,
    answer: type[msgspec.Struct],
    query: type[msgspec.Struct] | None = None,
) -> Operation:
    return Operation(
        id=id_,
        path=path,
        handler=handler,
        summary=summary,
        answer=answer,
        query=query,
        scopes=("manage",),
        problems=_QUERY if query else {},
        tag="admin",
    )


OPERATIONS: tuple[Operation, ...] = (
    _act(
        "voidSession",
        "/v1/admin/sessions/{session}/void",
        void,
        "Have a session count for nothing and its entries paid back",
        answer=Voiding,
        status=202,
        problems={
            404: "no such session",
            409: "it is void (`already-void`), is being voided (`being-voided`), or its money has moved "
            "(`already-settled`)",
        },
    ),
    _act(
        "freezeAgent",
        "/v1/admin/agents/{agent}/freeze",
        freeze,
        "Have an agent play no more once what it plays now is over",
        problems={404: "no such agent", 409: "it is frozen"},
    ),
    _act(
        "unfreezeAgent",
        "/v1/admin/agents/{agent}/unfreeze",
        unfreeze,
        "Let a frozen agent play again",
        problems={404: "no such agent", 409: "it is not frozen"},
    ),
    _act(
        "grantRole",
        "/v1/admin/accounts/{account}/grant-role",
        grant,
        "Give an account a role",
        body=RoleChange,
        problems={404: "no such account", 409: "it has the role"},
    ),
    _act(
        "revokeRole",
        "/v1/admin/accounts/{account}/revoke-role",
        revoke,
        "Take a role from an account",
        body=RoleChange,
        problems={404: "no such account", 409: "it has not the role, or is the last admin"},
    ),
    _act(
        "redriveJobs",
        "/v1/admin/jobs/redrive",
        redrive,
        "Give dead letters all their attempts again",
        body=Redrive,
        answer=Redriven,
        problems={},
    ),
    _look(
        "listLiveSessions",
        "/v1/admin/sessions",
        sessions,
        "Live sessions and the hosts that play them",
        LiveSessions,
        SessionsQuery,
    ),
    _look(
        "listQueueStates",
        "/v1/admin/queues",
        queues,
        "The queues and the matchmakers that lead them",
        QueueStates,
    ),
    _look(
        "listJobs",
        "/v1/admin/jobs",
        jobs,
        "What follows sessions and is not done",
        JobList,
        JobsQuery,
    ),
    _look(
        "auditLedger",
        "/v1/admin/ledger",
        ledger,
        "Whether the ledger's invariants hold; reads all of it",
        LedgerReport,
    ),
    _look(
        "listAudit",
        "/v1/admin/audit",
        audit,
        "What admins did, newest first",
        AuditPage,
        AuditQuery,
    ),
)
