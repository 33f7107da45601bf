"""How an owner's agents learn: what is allowed, whether a training may begin and why not yet, the one that runs, and what came of those
before. An adapter is public, as its documents are; the rest is its owner's.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from server.agents import spec as specs
from server.agents.shelf import shelf_of
from server.api import problems
from server.api.operation import Operation, Services, as_json, read_body, read_id
from server.api.principal import authorize, owned_agent
from server.api.problems import Problem
from server.identity import Identity
from server.jobs.faults import NotNow
from server.protocol import SpaceId
from server.store.adapters import AdapterRow
from server.store.training_jobs import JobRow, UnderWay
from server.training import eligibility, retirement
from server.training.eligibility import BUDGET_MAX_S, Consent, Eligibility
from server.training.eta import eta_s
from server.training.retirement import InUse
from server.training.states import OVER, State
from server.training.trainable import obstacle
from spaces import registry

UNTAKEN_MS = 15_000
"""A trainer that is free takes a job in a second or two; one that goes on elsewhere, too, once the lease of a dead one has ended."""
PAST = 20
"""Trainings that are shown with an agent."""


class SetConsent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the owner allows in a Space; a field that is left out stays as it is."""

    space: SpaceId
    on: bool | None = None
    """Trainings begin by themselves as soon as they may."""
    budget_s: Annotated[int, Meta(ge=60, le=BUDGET_MAX_S)] | None = None
    """Device-seconds that the agent's trainings in this Space may use in any seven days."""


class InSpace(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which Space is meant."""

    space: SpaceId


class TrainingJob(msgspec.Struct, frozen=True, kw_only=True):
    """One training."""

    job: str
    agent: str
    space: str
    version: str
    """The one it is a training of, `<agent>@v<number>`."""
    asked: str
    """`owner` or `schedule`."""
    state: Literal[
        "queued",
        "collecting",
        "training",
        "packaging",
        "gating",
        "promoted",
        "kept",
        "failed",
        "cancelled",
    ]
    """In this order; the last four are for good."""
    reason: str | None
    """Why it ended as it did, or what it waits for, in words."""
    scored: int
    """Scored sessions since the last gated training, when this one was asked for."""
    step: int
    steps: int
    """Of the weights; 0 before the first is planned."""
    loss_micro: int | None
    """Of the latest step, micro-nats."""
    curve: list[tuple[int, int]]
    """Loss by step, [step, micro-nats]; thinned, the last point is the latest."""
    eta_s: int | None
    """Until the last step, at the speed so far; null while nothing is known of it."""
    device: str | None
    """`cpu` or `cuda`."""
    device_s: int
    """What it has used of the budget."""
    cancelling: bool
    """Its owner wants it ended, and it is about to be."""
    data: str | None
    """CID of the data card, `agon-data/1`: which sessions it learned from, and how."""
    manifest: str | None
    """CID of the proof, `agon-training/1`."""
    adapter: str | None
    """CID of the card, `agon-adapter/1`."""
    gate: str | None
    """The gate's id."""
    promoted: str | None
    """The version that it became."""
    created_ms: int
    started_ms: int | None
    ended_ms: int | None


class Adapter(msgspec.Struct, frozen=True, kw_only=True):
    """An adapter in the registry."""

    adapter: str
    """CID of its card: its name for ever."""
    weights: str
    """CID of the safetensors."""
    gguf: str | None
    name: str | None
    """What the model server calls it."""
    agent: str
    space: str
    base_sha256: str
    bytes: int
    parent: str | None
    created_ms: int
    retired_ms: int | None
    """When its blocks were let go; null: they are kept."""


class SpaceTraining(msgspec.Struct, frozen=True, kw_only=True):
    """An agent's learning in one Space."""

    space: str
    consent: Consent
    spent_s: int
    """Device-seconds of the last seven days."""
    eligibility: Eligibility
    job: TrainingJob | None
    """The one that is not over."""


class TrainingDetail(msgspec.Struct, frozen=True, kw_only=True):
    """An agent's learning."""

    agent: str
    version: str
    """The one that plays now."""
    rule: str
    """The published formula, in words."""
    spaces: list[SpaceTraining]
    """Those that it plays, and those where it has ever trained."""
    past: list[TrainingJob]
    """Those that are over, newest first, at most 20."""
    adapters: list[Adapter]
    """Newest first, at most 20."""


RULE = (
    f"A training needs {eligibility.SESSIONS} scored sessions in its Space since the last one that was gated:"
    f" {eligibility.BONUS} less for each league above Bronze, {eligibility.needed(5)} in Master. One at a time; after a"
    " gate that was failed a day's rest, doubled for each further one in a row, a week at most."
)


async def training(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "read")
    return await _shown(services, identity)


async def set_consent(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "manage")
    wanted = await read_body(request, SetConsent)
    space = _offered(wanted.space)
    was = (await services.store.consents.of_agent(identity.agent)).get(space, Consent())
    now = Consent(
        on=was.on if wanted.on is None else wanted.on,
        budget_s=was.budget_s if wanted.budget_s is None else wanted.budget_s,
    )
    await services.store.consents.put(identity.agent, space, now)
    return await _shown(services, identity)


async def start(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "manage")
    space = _offered((await read_body(request, InSpace)).space)
    consents = await services.store.consents.of_agent(identity.agent)
    history = await _history(services, identity, space)
    now_ms = services.clock()
    found = eligibility.look(consents.get(space, Consent()), history, now_ms, by_hand=True)
    if history.job is not None:
        raise Problem(409, "training-under-way", found.reason)
    if not found.ready:
        raise Problem(409, "not-eligible", found.reason)
    try:
        job = await services.store.training_jobs.create(
            agent=identity.agent,
            space=space,
            asked="owner",
            since_ms=await services.store.training_jobs.since_ms(identity.agent, space),
            scored=history.scored,
        )
    except UnderWay as error:
        raise Problem(409, "training-under-way", str(error)) from None
    return as_json(_job(job, now_ms), 201, Cache_Control="no-store")


async def cancel(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "manage")
    space = (await read_body(request, InSpace)).space
    job = await services.store.training_jobs.cancel(identity.agent, space)
    if job is None:
        said = f"no training of agent {identity.agent!r} in {space} is under way"
        raise Problem(409, "no-training", said)
    return as_json(_job(job, services.clock()), Cache_Control="no-store")


async def one_job(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "read")
    name = read_id(request, "job")
    job = await services.store.training_jobs.get(name)
    identity = None if job is None else await services.store.agents.get(job.agent)
    if job is None or identity is None or identity.owner != principal.account:
        raise problems.not_found("job", name)
    if principal.agent not in (None, job.agent):
        raise problems.not_found("job", name)
    return as_json(_job(job, services.clock()), Cache_Control="no-store")


async def one_adapter(services: Services, request: Request) -> Response:
    name = read_id(request, "cid")
    found = await services.store.adapters.get(name)
    if found is None:
        raise problems.not_found("adapter", name)
    return as_json(_adapter(found))


async def retire_adapter(services: Services, request: Request) -> Response:
    principal = await authorize(services, request, "manage")
    name = read_id(request, "cid")
    found = await services.store.adapters.get(name)
    if found is None or found.owner != principal.account:
        raise problems.not_found("adapter", name)
    if principal.agent not in (None, found.agent):
        raise problems.not_found("adapter", name)
    try:
        row = await retirement.retire(services.store, found, services.unpin)
    except InUse as error:
        raise Problem(409, "adapter-in-use", str(error)) from None
    except NotNow as error:
        said = f"it is retired, but the content store does not let its files go now: {error}"
        raise Problem(503, "content-away", said) from None
    return as_json(_adapter(row), Cache_Control="no-store")


def _offered(space: str) -> str:
    """The Space's id. Raises Problem 422."""
    try:
        return registry.get_offered(space).id
    except registry.UnknownSpace as error:
        raise Problem(422, "unknown-space", f"space: {error}", field="space") from None


async def _history(services: Services, identity: Identity, space: str) -> eligibility.History:
    history = await services.store.training_jobs.history(identity.agent, space, services.clock())
    owned = await services.store.owned.get(identity.agent)
    if owned is None:
        raise problems.not_found("agent", identity.agent)
    stands_in = obstacle(owned, space, services.config)
    return msgspec.structs.replace(history, obstacle=stands_in)


async def _shown(services: Services, identity: Identity) -> Response:
    store, now_ms, agent = services.store, services.clock(), identity.agent
    owned = await store.owned.get(agent)
    if owned is None:
        raise problems.not_found("agent", agent)
    consents = await store.consents.of_agent(agent)
    jobs = await store.training_jobs.of_agent(agent)
    plays = specs.plays(specs.read(owned.spec), shelf_of(services.config))
    spaces = dict.fromkeys((*plays, *consents, *(job.space for job in jobs)))
    detail = TrainingDetail(
        agent=agent,
        version=owned.version,
        rule=RULE,
        spaces=[
            await _space(services, identity, space, consents.get(space, Consent()), jobs)
            for space in spaces
        ],
        past=[_job(job, now_ms) for job in jobs if job.state in OVER][:PAST],
        adapters=[_adapter(each) for each in await store.adapters.of_agent(agent, PAST)],
    )
    return as_json(detail, Cache_Control="no-store")


async def _space(
    services: Services, identity: Identity, space: str, consent: Consent, jobs: list[JobRow]
) -> SpaceTraining:
    now_ms = services.clock()
    history = await _history(services, identity, space)
    under_way = [job for job in jobs if job.space == space and job.state not in OVER]
    return SpaceTraining(
        space=space,
        consent=consent,
        spent_s=eligibility.spent_ms(history, now_ms) // 1_000,
        eligibility=eligibility.look(consent, history, now_ms),
        job=_job(under_way[0], now_ms) if under_way else None,
    )


def _job(row: JobRow, now_ms: int) -> TrainingJob:
    return TrainingJob(
        job=row.id,
        agent=row.agent,
        space=row.space,
        version=row.version,
        asked=row.asked,
        state=row.state.value,
        reason=row.reason or _waiting(row, now_ms),
        scored=row.scored,
        step=row.step,
        steps=row.steps,
        loss_micro=row.loss_micro,
        curve=msgspec.json.decode(row.curve, type=list[tuple[int, int]]),
        eta_s=eta_s(row.step, row.steps, row.device_ms) if row.state is State.TRAINING else None,
        device=row.device,
        device_s=row.device_ms // 1_000,
        cancelling=row.wanted_off and row.state not in OVER,
        data=row.data,
        manifest=row.manifest,
        adapter=row.adapter,
        gate=row.gate,
        promoted=row.promoted,
        created_ms=row.created_ms,
        started_ms=row.started_ms,
        ended_ms=row.ended_ms,
    )


def _waiting(row: JobRow, now_ms: int) -> str | None:
    """What is due and nobody has taken: as far as its row tells, since trainers are not known by name."""
    late_ms = now_ms - row.due_ms
    if row.state in OVER or late_ms < UNTAKEN_MS:
        return None
    device = {None: "", "cpu": " with a CPU slot", "cuda": " with a GPU"}.get(row.device, "")
    since = f"{late_ms // 60_000} minutes" if late_ms >= 120_000 else f"{late_ms // 1_000} seconds"
    return f"it has waited {since} for a trainer{device}: all are busy, or the arena runs none (role `trainer`)"


def _adapter(row: AdapterRow) -> Adapter:
    return Adapter(
        adapter=row.card,
        weights=row.weights,
        gguf=row.gguf,
        name=row.name,
        agent=row.agent,
        space=row.space,
        base_sha256=row.base_sha256,
        bytes=row.bytes,
        parent=row.parent,
        created_ms=row.created_ms,
        retired_ms=row.retired_ms,
    )


_PATH = "/v1/agents/{agent}/training"
_NOT_YOURS = "no such agent of yours"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="getTraining",
        path=_PATH,
        handler=training,
        summary="How an agent of yours learns: what is allowed, what runs, what came of it, and why nothing does yet",
        answer=TrainingDetail,
        scopes=("read",),
        problems={404: _NOT_YOURS},
        tag="training",
    ),
    Operation(
        id="setTrainingConsent",
        path=_PATH,
        method="PUT",
        handler=set_consent,
        summary="Allow trainings in a Space, or no more; set their budget",
        answer=TrainingDetail,
        body=SetConsent,
        scopes=("manage",),
        problems={404: _NOT_YOURS, 422: "no such Space is offered here"},
        tag="training",
    ),
    Operation(
        id="startTraining",
        path=f"{_PATH}/start",
        method="POST",
        handler=start,
        summary="Begin a training now, where it may",
        answer=TrainingJob,
        status=201,
        body=InSpace,
        scopes=("manage",),
        problems={
            404: _NOT_YOURS,
            409: "it may not begin yet, and why (`not-eligible`), or one is under way (`training-under-way`)",
            422: "no such Space is offered here",
        },
        tag="training",
    ),
    Operation(
        id="cancelTraining",
        path=f"{_PATH}/cancel",
        method="POST",
        handler=cancel,
        summary="End the training that is under way; the agent stays as it is",
        answer=TrainingJob,
        body=InSpace,
        scopes=("manage",),
        problems={404: _NOT_YOURS, 409: "none is under way (`no-training`)"},
        tag="training",
    ),
    Operation(
        id="getTrainingJob",
        path="/v1/training/jobs/{job}",
        handler=one_job,
        summary="One training of an agent of yours",
        answer=TrainingJob,
        scopes=("read",),
        problems={404: "no such training of yours"},
        tag="training",
    ),
    Operation(
        id="getAdapter",
        path="/v1/adapters/{cid}",
        handler=one_adapter,
        summary="An adapter, by the CID of its card",
        answer=Adapter,
        problems={404: "no such adapter"},
        tag="training",
    ),
    Operation(
        id="retireAdapter",
        path="/v1/adapters/{cid}/retire",
        method="POST",
        handler=retire_adapter,
        summary="Let the files of an adapter of yours go, and make room for another; for good",
        answer=Adapter,
        scopes=("manage",),
        problems={
            404: "no such adapter of yours",
            409: "it plays, a roll-back leads to it, or a training, a gate or a live session needs it (`adapter-in-use`)",
        },
        tag="training",
    ),
)
