"""An agent's automation: its limits, turning it on and off, how its run goes and why it has stopped."""

from __future__ import annotations

from typing import Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from server.api.operation import Operation, Services, as_json, read_body
from server.api.principal import owned_agent
from server.api.problems import Problem
from server.automation import Automation, InvalidLimits, Limits, Run, waits
from server.ledger import tiers
from server.store.automations import AtRest, NoAutomation, RunUnderWay
from spaces import registry


class AutomationDetail(msgspec.Struct, frozen=True, kw_only=True):
    """An agent's automation as it stands. Money is in micros of the run's asset."""

    agent: str
    state: Literal["on", "off", "stopped"]
    """`stopped`: by itself, for `reason`; turning it on begins a new run."""
    reason: str | None
    """Why it is stopped, in words; null in the other states."""
    limits: Limits
    run: Run
    """The run that is on, or was last."""
    waits: str | None
    """While it is on: why it makes no entry just now, in words; null when it does."""
    next_entry_ms: int | None
    """While it is on: when it tries its next entry; null while only a session that ends can make room for one."""
    next_opening_ms: int
    """When its schedule is open next: now, if it is open."""
    changed_ms: int
    """When the state or the limits last changed."""


async def automation(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "read")
    found = await services.store.automations.get(identity.agent)
    if found is None:
        raise _not_set(identity.agent)
    return await _shown(services, found)


async def set_limits(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "manage")
    limits = await read_body(request, Limits)
    _check_offered(services, limits)
    try:
        return await _shown(services, await services.store.automations.put(identity.agent, limits))
    except InvalidLimits as error:
        raise Problem(422, "bad-limits", str(error), field=error.field) from None
    except RunUnderWay as error:
        raise Problem(409, "run-under-way", f"{error}; turn it off first") from None


async def turn_on(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "manage")
    try:
        return await _shown(services, await services.store.automations.turn_on(identity.agent))
    except NoAutomation:
        raise _not_set(identity.agent) from None
    except AtRest as error:
        raise Problem(409, "not-playing", str(error)) from None


async def turn_off(services: Services, request: Request) -> Response:
    _, identity = await owned_agent(services, request, "manage")
    try:
        return await _shown(services, await services.store.automations.turn_off(identity.agent))
    except NoAutomation:
        raise _not_set(identity.agent) from None


def _check_offered(services: Services, limits: Limits) -> None:
    """What this arena offers, beside what `server.automation.check` knows. Raises Problem 422."""
    for number, space in enumerate(limits.spaces):
        try:
            registry.get_offered(space)
        except registry.UnknownSpace as error:
            at = f"spaces[{number}]"
            raise Problem(422, "unknown-space", f"spaces: {error}", field=at) from None
    if limits.tier_micros not in services.config.tiers_open:
        known = tiers.listed(services.config.tiers_open)
        said = f"tier_micros: {tiers.amount(limits.tier_micros)} is no tier that is open here; there are {known}"
        raise Problem(422, "tier-closed", said, field="tier_micros")


def _not_set(agent: str) -> Problem:
    return Problem(404, "no-automation", f"the limits of agent {agent!r} have not been set")


async def _shown(services: Services, found: Automation) -> Response:
    now_ms, tier = services.clock(), found.limits.tier_micros
    on = found.state == "on"
    held = await services.store.entries.of_agent(found.agent) if on else []
    waiting = {each.space for each in held if each.state == "held" and each.tier_micros == tier}
    detail = AutomationDetail(
        agent=found.agent,
        state=found.state,
        reason=found.reason,
        limits=found.limits,
        run=found.run,
        waits=waits(found, now_ms, waiting) if on else None,
        next_entry_ms=found.due_ms,
        next_opening_ms=found.limits.schedule.next_opening(now_ms),
        changed_ms=found.changed_ms,
    )
    return as_json(detail, Cache_Control="no-store")


_PATH = "/v1/agents/{agent}/automation"
_NOT_SET = "no such agent of yours, or its limits have not been set (`no-automation`)"

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="getAutomation",
        path=_PATH,
        handler=automation,
        summary="How an agent of yours plays by itself, and why it has stopped",
        answer=AutomationDetail,
        scopes=("read",),
        problems={404: _NOT_SET},
        tag="automation",
    ),
    Operation(
        id="setAutomation",
        path=_PATH,
        method="PUT",
        handler=set_limits,
        summary="Set the limits; they hold at once, also for the run that is on",
        answer=AutomationDetail,
        body=Limits,
        scopes=("manage",),
        problems={
            404: "no such agent of yours",
            409: "the run that is on counts in another asset: turn it off first",
            422: "the limits contradict themselves, or name what is not offered here",
        },
        tag="automation",
    ),
    Operation(
        id="turnAutomationOn",
        path=f"{_PATH}/on",
        method="POST",
        handler=turn_on,
        summary="Begin a run; one that is on goes on",
        answer=AutomationDetail,
        scopes=("manage",),
        problems={404: _NOT_SET, 409: "the agent is archived or frozen"},
        tag="automation",
    ),
    Operation(
        id="turnAutomationOff",
        path=f"{_PATH}/off",
        method="POST",
        handler=turn_off,
        summary="End the run: what waits leaves its queue, what is in play is played to its end",
        answer=AutomationDetail,
        scopes=("manage",),
        problems={404: _NOT_SET},
        tag="automation",
    ),
)
