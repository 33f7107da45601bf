"""Gates, their matches and lineages in the store; a gate followed from its first match to a promotion, whoever plays it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy import func, select

from server.agents import spec as specs
from server.agents.limits import Limits
from server.agents.spec import VersionSpec
from server.clock import unix_ms
from server.identity import Identity, new_id
from server.jobs.faults import Permanent
from server.live import keys
from server.live.log import LiveLog
from server.protocol import AgentView
from server.store import Store, merit
from server.store.adapters import AdapterRow
from server.store.agents import Draft
from server.store.gates import ATTEMPTS, GateRow, GateRunning, MatchRow, NotGated, StaleGate
from server.store.lineages import NothingToRollBack
from server.store.owned import Changes
from server.store.retiring import InUse
from server.store.training_jobs import JobRow
from server.training.gate import PlayedGate
from server.training.gates import GateKeeper
from server.training.opening import open_gate
from server.training.ruling import Gate
from server.training.states import State
from training.gate import pairing
from training.gate.sprt import Bounds
from training.gate.verdict import Verdict

SPACE = "bid-tac-toe"
ADAPTER = "bafkreigaknpexyvxt76zgkitavbwx6ejgfheup5oybpm77f3pxzrvwpfdi"
LIMITS = Limits(agents=50, versions_per_day=50)
PROMOTE = Verdict("promote", ("It is better.",))


async def hosted(store: Store, spec: VersionSpec = specs.EMPTY, name: str = "Ember") -> Identity:
    draft = Draft(name=name, kind="hosted", specs=[specs.canonical(spec)])
    identity, _ = await store.agents.make(draft)
    return identity


async def opened(store: Store, agent: str, **options: Any) -> GateRow:
    candidate = options.pop("candidate", VersionSpec(adapter=ADAPTER))
    return await open_gate(store, agent, SPACE, candidate, **{"pool_pairs": 2} | options)


def adapter_of(agent: str, owner: str) -> AdapterRow:
    return AdapterRow(
        card=ADAPTER,
        weights="w",
        owner=owner,
        agent=agent,
        space=SPACE,
        base_sha256="0" * 64,
        bytes=1,
        created_ms=1,
    )


def keeper(store: Store, redis: Redis) -> GateKeeper:
    return GateKeeper(
        name="keeper",
        redis=redis,
        log=LiveLog(redis),
        store=store,
        form_session=store.sessions.form,
        opened=store.sessions.opened,
    )


async def finish(store: Store, row: MatchRow, returns: list[int] | None) -> None:
    """The host has sealed the session; None: it was voided."""
    outcome: dict[str, Any] = {"termination": "line", "returns": returns}
    if returns is None:
        outcome = {"reason": "the model is dead"}
    acts = [{"by": f"seat:{seat}", "type": "action", "body": {"turn": 1}} for seat in (0, 1)]
    await store.sessions.seal(
        session=row.session,
        status="void" if returns is None else "ended",
        outcome=outcome,
        document=msgspec.json.encode({"entries": acts}),
        digest="0" * 64,
        steps=(),
        now_ms=unix_ms(),
    )


def candidate_wins(row: MatchRow) -> list[int] | None:
    return [1, -1] if row.match.ours == 0 else [-1, 1]


def first_seat_wins(row: MatchRow) -> list[int] | None:
    return [1, -1]


Returns = Callable[[MatchRow], list[int] | None]


async def live(store: Store, gate: str) -> list[MatchRow]:
    return [each for each in await store.gates.matches(gate) if each.state == "live"]


async def play(store: Store, redis: Redis, gate: str, returns: Returns, *, anew: int = 0) -> None:
    """Step until it is over, ending every live session in between. `anew`: it is loaded anew after so many steps, as by another process."""
    keeping = keeper(store, redis)
    played = await PlayedGate.load(keeping, gate)
    for step in range(1, 200):
        await played.step()
        if played.over:
            return
        for row in await live(store, gate):
            await finish(store, row, returns(row))
        if anew and step % anew == 0:
            played = await PlayedGate.load(keeping, gate)
    raise AssertionError("the gate does not end")


async def spec_of(store: Store, agent: str) -> VersionSpec:
    found = await store.owned.get(agent)
    assert found is not None
    return specs.read(found.spec)


# ---------------------------------------------------------------------- opening


async def test_a_gate_makes_a_version_that_does_not_play_yet(store: Store) -> None:
    ember = await hosted(store)
    row = await opened(store, ember.agent)
    assert row.candidate == f"{ember.agent}@v2"
    assert row.adapter == ADAPTER
    now = await store.agents.get(ember.agent)
    assert now is not None
    assert now.version == row.current == f"{ember.agent}@v1"
    assert await store.gates.running() == [row.gate]
    assert row.seed_commit == pairing.committed(row.gate, row.plan, row.seed)
    assert [player.name for player in row.players] == ["Ember", "Ember v1", "random", "bidder"]
    assert len({player.agent for player in row.players}) == 4, "nobody sits twice"


async def test_one_gate_of_an_agent_runs_at_a_time_and_the_same_one_opens_once(
    store: Store,
) -> None:
    ember = await hosted(store)
    row = await opened(store, ember.agent, gate="g1")
    assert await opened(store, ember.agent, gate="g1") == row
    with pytest.raises(GateRunning, match="g1"):
        await opened(store, ember.agent, candidate=VersionSpec(temperature=0.1))


async def test_sparring_partners_are_made_once(store: Store) -> None:
    one, other = await hosted(store), await hosted(store, name="Ash")
    first, second = await opened(store, one.agent), await opened(store, other.agent)
    assert first.players[2:] == second.players[2:]
    assert first.players[1] != second.players[1]


async def test_a_sparring_partner_plays_by_the_spec_of_whom_it_stands_for(store: Store) -> None:
    ember = await hosted(store)
    await store.lineages.conclude(await opened(store, ember.agent), PROMOTE)
    row = await opened(store, ember.agent, candidate=VersionSpec(temperature=0.2))
    spec = await store.hosting.spec(row.players[1].version)
    assert specs.read(spec or "") == VersionSpec(adapter=ADAPTER)


@pytest.mark.parametrize("why", ["the same spec", "remote", "archived"])
async def test_who_cannot_be_tested_is_told_why(store: Store, why: str) -> None:
    ember = await hosted(store)
    candidate = VersionSpec(adapter=ADAPTER)
    if why == "the same spec":
        candidate = specs.EMPTY
    elif why == "remote":
        await store.owned.edit(ember.agent, Changes(kind="remote"), LIMITS)
    else:
        await store.owned.archive(ember.agent)
    words = "very spec" if why == "the same spec" else why
    with pytest.raises(NotGated, match=words):
        await opened(store, ember.agent, candidate=candidate)


# ---------------------------------------------------------------------- playing


async def test_a_better_candidate_plays_from_then_on_rated_with_more_doubt(
    store: Store, redis: Redis
) -> None:
    ember = await hosted(store)
    row = await opened(store, ember.agent)
    await play(store, redis, row.gate, candidate_wins)
    ended = await store.gates.get(row.gate)
    assert ended is not None
    assert ended.verdict is not None
    assert (ended.status, ended.verdict.decision) == ("ended", "promote")
    now = await store.agents.get(ember.agent)
    assert now is not None
    assert now.version == row.candidate
    [line] = await store.lineages.of(ember.agent)
    assert (line.kind, line.version, line.parent) == ("promoted", row.candidate, row.current)
    assert (line.adapter, line.gate) == (ADAPTER, row.gate)
    head = await LiveLog(redis).head(keys.agent_channel(ember.agent))
    assert head is not None
    assert head.views is not None
    view = head.views.public
    assert isinstance(view, AgentView)
    assert view.gate is not None
    assert (view.gate.decision, view.gate.score_milli) == ("promote", 1_000)
    assert view.gate.llr_milli >= view.gate.upper_milli


async def test_an_equal_candidate_does_not_play(store: Store, redis: Redis) -> None:
    ember = await hosted(store)
    row = await opened(store, ember.agent)
    await play(store, redis, row.gate, first_seat_wins)
    ended = await store.gates.get(row.gate)
    assert ended is not None
    assert ended.verdict is not None
    assert ended.verdict.decision == "keep"
    now = await store.agents.get(ember.agent)
    assert now is not None
    assert now.version == row.current
    assert await store.lineages.of(ember.agent) == []


async def test_pairs_share_their_seed_and_flip_their_seats_in_the_sessions(
    store: Store, redis: Redis
) -> None:
    row = await opened(store, (await hosted(store)).agent)
    played = await PlayedGate.load(keeper(store, redis), row.gate)
    await played.step()
    rows = await live(store, row.gate)
    assert len(rows) == 2 * row.at_once
    by_name = {each.match.name: await store.sessions.record(each.session) for each in rows}
    first, second = by_name["current.0.a"], by_name["current.0.b"]
    assert first is not None
    assert second is not None
    assert first.seed == second.seed
    assert [s.version for s in first.seats] == [s.version for s in second.seats][::-1]
    assert (first.tier_micros, first.gate) == (0, row.gate)
    assert {seat.kind for seat in first.seats} == {"hosted"}
    assert await store.gates.holds(first.session) == row.gate
    assert await store.gates.holds("another") is None


@pytest.mark.parametrize("anew", [1, 3])
async def test_who_takes_a_gate_over_goes_on_to_the_same_end(
    store: Store, redis: Redis, anew: int
) -> None:
    row = await opened(store, (await hosted(store)).agent)
    await play(store, redis, row.gate, candidate_wins, anew=anew)
    matches = await store.gates.matches(row.gate)
    names = [each.match.name for each in matches]
    assert len(set(names)) == len(names), "nothing was played twice"
    ended = await store.gates.get(row.gate)
    assert ended is not None
    assert ended.verdict is not None
    assert ended.verdict.decision == "promote"


async def test_of_two_that_play_a_gate_one_is_told_so(store: Store, redis: Redis) -> None:
    row = await opened(store, (await hosted(store)).agent)
    one, other = [await PlayedGate.load(keeper(store, redis), row.gate) for _ in range(2)]
    await one.step()
    with pytest.raises(StaleGate):
        await other.step()


async def test_what_was_planned_and_not_formed_is_formed_by_the_next(
    store: Store, redis: Redis
) -> None:
    row = await opened(store, (await hosted(store)).agent)
    match = pairing.against_current(row.plan, 0)[0]
    await store.gates.plan(row.gate, [MatchRow(match=match, attempt=1, session=(lost := new_id()))])
    played = await PlayedGate.load(keeper(store, redis), row.gate)
    await played.step()
    assert await store.sessions.record(lost) is not None


async def test_a_void_match_is_played_again_and_what_stays_void_ends_the_gate(
    store: Store, redis: Redis
) -> None:
    row = await opened(store, (await hosted(store)).agent)
    await play(store, redis, row.gate, lambda _: None)
    matches = await store.gates.matches(row.gate)
    assert max(each.attempt for each in matches) == ATTEMPTS
    ended = await store.gates.get(row.gate)
    assert ended is not None
    assert ended.verdict is not None
    assert ended.verdict.decision == "undecided"
    assert "could not be played" in ended.verdict.reasons[0]


async def test_an_edit_ends_a_gate(store: Store, redis: Redis) -> None:
    ember = await hosted(store)
    row = await opened(store, ember.agent)
    await store.owned.edit(ember.agent, Changes(spec='{"prompt":"mine"}'), LIMITS)
    await play(store, redis, row.gate, candidate_wins)
    ended = await store.gates.get(row.gate)
    assert ended is not None
    assert ended.verdict is not None
    assert ended.verdict.decision == "undecided"
    assert "changed what plays" in ended.verdict.reasons[0]
    assert (await spec_of(store, ember.agent)).prompt == "mine"


async def gating(store: Store, agent: str) -> JobRow:
    """A training of the agent, before its gate."""
    jobs = store.training_jobs
    job = await jobs.create(agent=agent, space=SPACE, asked="owner", since_ms=0, scored=40)
    job = await jobs.start(job, 30_000, "cpu", "w")
    for state in (State.COLLECTING, State.TRAINING, State.PACKAGING, State.GATING):
        job = await jobs.move(job, state)
    return job


async def test_a_cancelled_training_promotes_nobody_though_its_gate_was_being_won(
    store: Store, redis: Redis
) -> None:
    ember = await hosted(store)
    job = await gating(store, ember.agent)
    row = await opened(store, ember.agent, gate=job.id)
    await store.training_jobs.cancel(ember.agent, SPACE)
    stands = await store.lineages.conclude(row, PROMOTE)
    assert stands.decision == "undecided"
    assert "cancelled" in stands.reasons[0]
    assert (await spec_of(store, ember.agent)).adapter is None


async def test_a_gate_does_not_go_on_without_its_training(store: Store, redis: Redis) -> None:
    ember = await hosted(store)
    job = await gating(store, ember.agent)
    row = await opened(store, ember.agent, gate=job.id)
    await store.training_jobs.move(job, State.FAILED, reason="its adapter cannot be loaded")
    await play(store, redis, row.gate, candidate_wins)
    assert await store.gates.running() == []
    assert (await spec_of(store, ember.agent)).adapter is None


async def test_a_cancellation_comes_too_late_for_a_verdict(store: Store) -> None:
    ember = await hosted(store)
    job = await gating(store, ember.agent)
    row = await opened(store, ember.agent, gate=job.id)
    assert (await store.lineages.conclude(row, PROMOTE)).decision == "promote"
    left = await store.training_jobs.cancel(ember.agent, SPACE)
    assert left is not None
    assert (left.state, left.wanted_off) == (State.GATING, False)
    ruling = await Gate(store).ruled(left)
    assert ruling is not None
    assert ruling.promoted == row.candidate


async def test_a_gate_that_its_owner_cuts_off_counts_as_one_that_was_failed(store: Store) -> None:
    ember = await hosted(store)
    job = await gating(store, ember.agent)
    await opened(store, ember.agent, gate=job.id)
    await store.training_jobs.cancel(ember.agent, SPACE)
    job = await store.training_jobs.move(job, State.CANCELLED, reason="its owner cancelled it")
    past = await store.training_jobs.history(ember.agent, SPACE, unix_ms())
    assert (past.kept, past.kept_ms) == (1, job.ended_ms)
    assert await store.training_jobs.since_ms(ember.agent, SPACE) == job.until_ms


async def test_a_gate_that_could_not_be_played_is_no_failed_one(store: Store, redis: Redis) -> None:
    ember = await hosted(store)
    job = await gating(store, ember.agent)
    row = await opened(store, ember.agent, gate=job.id)
    await play(store, redis, row.gate, lambda _: None)
    with pytest.raises(Permanent, match="could not be played"):
        await Gate(store).ruled(job)


async def test_an_adapter_is_not_tested_on_another_model(store: Store) -> None:
    ember = await hosted(store)
    job = await gating(store, ember.agent)
    await store.owned.edit(ember.agent, Changes(spec='{"model":"big-7b"}'), LIMITS)
    with pytest.raises(Permanent, match="model"):
        await Gate(store).rule(job, adapter_of(ember.agent, ember.owner))
    assert await store.gates.running() == []


async def test_an_adapter_does_not_take_the_place_of_one_that_it_did_not_learn_on(
    store: Store,
) -> None:
    ember = await hosted(store)
    job = await gating(store, ember.agent)
    await store.lineages.conclude(await opened(store, ember.agent), PROMOTE)
    row = msgspec.structs.replace(adapter_of(ember.agent, ember.owner), card=ADAPTER[:-1] + "a")
    with pytest.raises(Permanent, match="another adapter"):
        await Gate(store).rule(job, row)


async def test_nothing_of_a_gate_is_counted_rewarded_published_or_learned_from(
    store: Store, redis: Redis
) -> None:
    ember = await hosted(store)
    row = await opened(store, ember.agent)
    await play(store, redis, row.gate, candidate_wins)
    match = (await store.gates.matches(row.gate))[0]
    await store.results.settle(match.session, (1, 2), (1_000, 0))
    for player in row.players:
        assert await store.careers.parts(player.agent) == []
    async with store.database.reading() as tx:
        assert await tx.scalar(select(func.count()).select_from(merit.point)) == 0
    until_ms = unix_ms() + 1_000
    assert await store.outcomes.count(SPACE, until_ms) == (0, 0)
    assert await store.outcomes.page(SPACE, None, 10, until_ms) == []
    lessons = await store.lessons.page(
        ember.agent, SPACE, since_ms=0, until_ms=until_ms, after=None, limit=10
    )
    assert lessons == []
    past = await store.training_jobs.history(ember.agent, SPACE, until_ms)
    assert past.scored == 0


# ---------------------------------------------------------------------- promotion and the way back


async def test_a_verdict_that_comes_too_late_promotes_nobody(store: Store) -> None:
    ember = await hosted(store)
    row = await opened(store, ember.agent)
    await store.owned.edit(ember.agent, Changes(spec='{"prompt":"mine"}'), LIMITS)
    stands = await store.lineages.conclude(row, PROMOTE)
    assert stands.decision == "undecided"
    assert (await spec_of(store, ember.agent)).prompt == "mine"


async def test_the_first_verdict_stands(store: Store) -> None:
    ember = await hosted(store)
    row = await opened(store, ember.agent)
    keep = Verdict("keep", ("It is not.",))
    assert await store.lineages.conclude(row, keep) == keep
    assert await store.lineages.conclude(row, PROMOTE) == keep
    assert await store.lineages.of(ember.agent) == []


async def test_two_who_conclude_at_once_promote_once(store: Store) -> None:
    row = await opened(store, (await hosted(store)).agent)
    found = await asyncio.gather(*(store.lineages.conclude(row, PROMOTE) for _ in range(3)))
    assert {each.decision for each in found} == {"promote"}
    assert len(await store.lineages.of(row.agent)) == 1


async def test_rolling_back_has_the_parent_play_again_and_says_so(store: Store) -> None:
    ember = await hosted(store)
    row = await opened(store, ember.agent)
    await store.lineages.conclude(row, PROMOTE)
    back = await store.lineages.roll_back(ember.agent, row.candidate)
    assert (back.kind, back.version, back.parent) == ("rolled-back", row.current, row.candidate)
    assert back.adapter is None
    assert (await spec_of(store, ember.agent)).adapter is None
    assert await store.lineages.roll_back(ember.agent, row.candidate) == back, "once"
    with pytest.raises(NothingToRollBack, match="not promoted"):
        await store.lineages.roll_back(ember.agent)


async def test_generations_are_rolled_back_one_by_one(store: Store) -> None:
    ember = await hosted(store)
    for temperature in (0.1, 0.2):
        spec = VersionSpec(adapter=ADAPTER, temperature=temperature)
        await store.lineages.conclude(await opened(store, ember.agent, candidate=spec), PROMOTE)
    assert (await store.lineages.roll_back(ember.agent)).version == f"{ember.agent}@v2"
    assert (await store.lineages.roll_back(ember.agent)).version == f"{ember.agent}@v1"
    assert [each.number for each in await store.lineages.of(ember.agent)] == [1, 2, 3, 4]


async def test_an_adapter_is_retired_when_nothing_leads_to_it(store: Store) -> None:
    ember = await hosted(store)
    kept = await store.adapters.add(adapter_of(ember.agent, ember.owner))
    row = await opened(store, ember.agent)
    with pytest.raises(InUse, match="tests it"):
        await store.retiring.retire(kept)
    await store.lineages.conclude(row, PROMOTE)
    with pytest.raises(InUse, match=f"{row.candidate} plays with it"):
        await store.retiring.retire(kept)
    row = await opened(store, ember.agent, candidate=VersionSpec(prompt="better", adapter=ADAPTER))
    await store.lineages.conclude(row, PROMOTE)
    await store.owned.edit(ember.agent, Changes(spec='{"prompt":"mine"}'), LIMITS)
    back = await store.retiring.retire(kept)
    assert back.retired_ms is not None
    assert await store.lineages.adapters(ember.agent) == set()
    assert await store.adapters.live_of_owner(ember.owner) == []
    spec = specs.canonical(VersionSpec(prompt="better", adapter=ADAPTER))
    with pytest.raises(specs.BadSpec, match="retired"):
        await store.owned.edit(ember.agent, Changes(spec=spec), LIMITS)


async def test_an_adapter_that_a_roll_back_leads_to_is_not_retired(store: Store) -> None:
    ember = await hosted(store)
    kept = await store.adapters.add(adapter_of(ember.agent, ember.owner))
    await store.lineages.conclude(await opened(store, ember.agent), PROMOTE)
    row = await opened(store, ember.agent, candidate=VersionSpec(prompt="no adapter"))
    await store.lineages.conclude(row, PROMOTE)
    with pytest.raises(InUse, match="roll-back"):
        await store.retiring.retire(kept)


async def test_an_adapter_of_a_live_session_is_not_retired(store: Store, redis: Redis) -> None:
    """Who is losing cannot have the session voided by it."""
    ember = await hosted(store)
    kept = await store.adapters.add(adapter_of(ember.agent, ember.owner))
    row = await opened(store, ember.agent)
    await (await PlayedGate.load(keeper(store, redis), row.gate)).step()
    await store.owned.edit(ember.agent, Changes(spec='{"prompt":"mine"}'), LIMITS)
    await store.lineages.conclude(row, Verdict("undecided", ("It was changed.",)))
    with pytest.raises(InUse, match="being played with it"):
        await store.retiring.retire(kept)
    for match in await live(store, row.gate):
        await finish(store, match, None)
    assert (await store.retiring.retire(kept)).retired_ms is not None


async def test_only_promoted_adapters_are_the_owners_to_name(store: Store) -> None:
    ember = await hosted(store)
    row = await opened(store, ember.agent)
    assert await store.lineages.adapters(ember.agent) == set()
    await store.lineages.conclude(row, PROMOTE)
    assert await store.lineages.adapters(ember.agent) == {(ADAPTER, None)}
    other = await hosted(store, name="Ash")
    assert await store.lineages.adapters(other.agent) == set()


async def test_a_gate_reads_back_as_it_was_written(store: Store) -> None:
    bounds = Bounds(p1=0.65, most=33)
    row = await opened(store, (await hosted(store)).agent, bounds=bounds, params={"chips": 20})
    found = await store.gates.get(row.gate)
    assert found == row
    assert msgspec.to_builtins(row.plan.bounds)["p1"] == 0.65
