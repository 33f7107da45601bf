"""Acts of admins: what they change, what they refuse, and the line that stands in the audit log."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from server.admin import Acts, Refused
from server.automation import Limits
from server.identity import Identity
from server.store import Store, money, schema
from server.store.audit import OPERATOR

NOW = 1_800_000_000_000


@pytest.fixture
def acts(store: Store) -> Acts:
    return Acts(store, clock=lambda: NOW)


@pytest.fixture
async def ember(store: Store) -> Identity:
    return (await store.agents.register("Ember"))[0]


async def automate(store: Store, agent: str) -> None:
    limits = Limits(tier_micros=0, spaces=("logic",), max_sessions=9, stop_loss_micros=9_000_000)
    await store.automations.put(agent, limits)
    await store.automations.turn_on(agent)


async def frozen(store: Store, agent: str) -> tuple[int | None, str | None]:
    a = schema.agent
    async with store.database.reading() as tx:
        row = (
            await tx.execute(select(a.c.frozen_ms, a.c.frozen_reason).where(a.c.id == agent))
        ).one()
    return row.frozen_ms, row.frozen_reason


async def test_a_frozen_agent_is_stopped_and_everybody_may_know_why(
    store: Store, acts: Acts, ember: Identity
) -> None:
    await automate(store, ember.agent)
    entry = await acts.freeze(ember.agent, actor="boss", reason="  sells\nits seats ")
    assert await frozen(store, ember.agent) == (NOW, "sells its seats")
    async with store.database.reading() as tx:
        automation = (await tx.execute(select(money.automation))).one()
    assert (automation.state, automation.reason) == (
        "stopped",
        "the agent was frozen: sells its seats",
    )
    assert [entry] == await store.audit.page(subject=ember.agent)
    assert (entry.actor, entry.act, entry.reason) == ("boss", "freeze", "sells its seats")
    assert entry.detail == {"automation_stopped": True}

    with pytest.raises(Refused, match="is frozen: sells its seats"):
        await acts.freeze(ember.agent, actor="boss", reason="again")
    await acts.unfreeze(ember.agent, actor="boss", reason="it has explained itself")
    assert await frozen(store, ember.agent) == (None, None)
    with pytest.raises(Refused, match="is not frozen"):
        await acts.unfreeze(ember.agent, actor="boss", reason="again")
    assert [each.act for each in await store.audit.page()] == ["unfreeze", "freeze"]


async def test_roles_come_and_go_and_the_last_admin_stays(
    store: Store, acts: Acts, ember: Identity
) -> None:
    frost, _ = await store.agents.register("Frost")
    await acts.grant_role(ember.owner, "admin", actor=OPERATOR, reason="the first")
    with pytest.raises(Refused, match="last admin"):
        await acts.revoke_role(ember.owner, "admin", actor=ember.owner, reason="I resign")
    await acts.grant_role(frost.owner, "admin", actor=ember.owner, reason="the second")
    await acts.revoke_role(ember.owner, "admin", actor=ember.owner, reason="I resign")
    with pytest.raises(Refused, match="does not have the role"):
        await acts.revoke_role(ember.owner, "admin", actor=frost.owner, reason="again")
    with pytest.raises(Refused, match="has the role"):
        await acts.grant_role(frost.owner, "admin", actor=OPERATOR, reason="again")
    await acts.revoke_role(frost.owner, "admin", actor=OPERATOR, reason="from the machine")
    acted = [(each.act, each.subject) for each in await store.audit.page()]
    assert acted == [
        ("revoke-role", frost.owner),
        ("revoke-role", ember.owner),
        ("grant-role", frost.owner),
        ("grant-role", ember.owner),
    ]


@pytest.mark.parametrize("reason", ["", " \n ", "x" * 281])
async def test_who_gives_no_reason_does_nothing(
    store: Store, acts: Acts, ember: Identity, reason: str
) -> None:
    with pytest.raises(Refused, match="1 to 280"):
        await acts.freeze(ember.agent, actor="boss", reason=reason)
    assert await frozen(store, ember.agent) == (None, None)
    assert await store.audit.page() == []


async def test_what_does_not_exist_is_named(acts: Acts, store: Store, ember: Identity) -> None:
    for refused in (
        acts.freeze("01NOBODY", actor="boss", reason="x"),
        acts.grant_role("01NOBODY", "admin", actor="boss", reason="x"),
        acts.void("01NOBODY", actor="boss", reason="x"),
    ):
        with pytest.raises(Refused, match=r"unknown \w+ '01NOBODY'") as caught:
            await refused
        assert caught.value.kind == "unknown"
    with pytest.raises(Refused, match="there are: admin, judge, operator"):
        await acts.grant_role(ember.owner, "king", actor="boss", reason="x")
    assert await store.audit.page() == []


async def test_nothing_changes_the_audit_log(store: Store, acts: Acts, ember: Identity) -> None:
    await acts.freeze(ember.agent, actor="boss", reason="x")
    for statement in ("UPDATE audit SET actor = 'nobody'", "DELETE FROM audit"):
        with pytest.raises(DBAPIError, match="immutable"):
            async with store.database.writing() as tx:
                await tx.execute(text(statement))
    assert [each.actor for each in await store.audit.page()] == ["boss"]


async def test_the_log_is_paged_newest_first(store: Store, acts: Acts, ember: Identity) -> None:
    for number in range(3):
        await acts.freeze(ember.agent, actor="boss", reason=f"freeze {number}")
        await acts.unfreeze(ember.agent, actor="boss", reason=f"thaw {number}")
    first = await store.audit.page(limit=2)
    second = await store.audit.page(limit=2, before=first[-1].id)
    assert [each.reason for each in first + second] == ["thaw 2", "freeze 2", "thaw 1", "freeze 1"]
    assert [each.reason for each in await store.audit.page(act="freeze")] == [
        "freeze 2",
        "freeze 1",
        "freeze 0",
    ]
