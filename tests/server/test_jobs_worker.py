"""What follows a session, end to end: real Redis, real store, arq, and a panel with a script."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import msgspec
import pytest
from redis.asyncio import Redis

from judges.case import Case
from judges.house import Judging
from server.admin import Acts
from server.jobs import Worker
from server.live import keys
from server.live.lease import Leases
from server.live.log import LiveLog
from server.live.records import LogEvent, ViewSet
from server.protocol import BoardView, Step, VerdictView
from server.store import Store
from server.store.audit import OPERATOR
from server.store.settling import ResultRow
from tests.server import aftermath_session as session_of
from tests.server.aftermath_session import (
    ScriptedPanel,
    Seats,
    events,
    finish,
    verdict,
    view,
    worker,
)


@contextlib.asynccontextmanager
async def working(*workers: Worker) -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.create_task(each.run()) for each in workers]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(done: Callable[[], Awaitable[bool]], timeout_s: float = 20) -> None:
    async with asyncio.timeout(timeout_s):
        while not await done():
            await asyncio.sleep(0.02)


def settled(store: Store, *sessions: str) -> Callable[[], Awaitable[bool]]:
    """Every step of the sessions is done or dead."""

    async def done() -> bool:
        rows = [row for session in sessions for row in await store.outbox.steps(session)]
        return all(row.state in ("done", "dead") for row in rows)

    return done


def shown(steps: list[Step]) -> dict[str, str]:
    return {step.name: step.state for step in steps}


@pytest.fixture
async def seats(store: Store) -> Seats:
    return await Seats.registered(store)


async def test_a_battle_is_judged_and_rated(store: Store, redis: Redis, seats: Seats) -> None:
    session = await finish(store, redis, seats)
    panel = ScriptedPanel()
    async with working(worker(store, redis, panel)):
        await until(settled(store, session))
        seen = await view(redis, session)
        assert shown(seen.steps) == {
            "sealed": "done",
            "judged": "done",
            "settled": "done",
            "rated": "done",
        }
        assert seen.verdict is not None
        assert seen.verdict.totals_milli == [7_000, 5_500]
        assert [
            each.type
            for each in await events(redis, session, "digest", "verdict", "settled", "rated")
        ] == [
            "digest",
            "verdict",
            "settled",
            "rated",
        ]
    stored = await store.verdicts.get(session)
    assert stored is not None
    assert msgspec.json.decode(stored, type=VerdictView) == seen.verdict
    winner, loser = [
        await store.ratings.current(each.version, "rap-battle") for each in seats.agents
    ]
    assert winner[0] > 25_000 > loser[0]


async def test_the_panel_sees_what_was_played_and_no_name(
    store: Store, redis: Redis, seats: Seats
) -> None:
    session = await finish(store, redis, seats)
    panel = ScriptedPanel()
    async with working(worker(store, redis, panel)):
        await until(settled(store, session))
    [case] = panel.cases
    played = (await view(redis, session)).state
    assert case.task == played["topic"]
    assert [piece.text for piece in case.pieces] == [each["text"] for each in played["verses"]]
    assert [piece.seat for piece in case.pieces] == [0, 1, 0, 1, 0, 1]
    said = msgspec.json.encode(case).decode()
    assert not any(each.name in said or each.agent in said for each in seats.agents)
    digest = (await view(redis, session)).digest
    assert digest is not None
    assert panel.nonces[0] not in digest


async def test_the_rules_rate_without_a_judge(store: Store, redis: Redis, seats: Seats) -> None:
    session = await finish(store, redis, seats, "bid-tac-toe")
    panel = ScriptedPanel()
    async with working(worker(store, redis, panel)):
        await until(settled(store, session))
        seen = await view(redis, session)
    assert not panel.cases
    assert seen.outcome is not None
    assert seen.outcome["returns"] == [1, -1]
    assert shown(seen.steps) == {"sealed": "done", "settled": "done", "rated": "done"}
    [rated] = await events(redis, session, "rated")
    won = {each["seat"]: each["won"] for each in rated.body["ratings"]}
    assert won == {0: True, 1: False}
    assert [each["league"]["division"] for each in rated.body["ratings"]] == [0, 0]
    for each in seats.agents:
        [card] = await store.leagues.of_agent(each.agent)
        assert (card.space, card.league, card.provisional) == ("bid-tac-toe", "Bronze III", True)


async def test_what_one_account_plays_off_itself_is_not_rated(store: Store, redis: Redis) -> None:
    first, _ = await store.agents.register("First")
    second, _ = await store.agents.register("Second", first.owner)
    session = await finish(store, redis, Seats(first, second), "bid-tac-toe")
    async with working(worker(store, redis, ScriptedPanel())):
        await until(settled(store, session))
        seen = await view(redis, session)
    assert Step("rated", "done", "one account had several seats") in seen.steps
    assert await store.ratings.applied(session) == []
    for each in (first, second):
        assert await store.ratings.current(each.version, "bid-tac-toe") == (25_000, 8_333)


async def test_a_failing_judge_is_asked_again(store: Store, redis: Redis, seats: Seats) -> None:
    session = await finish(store, redis, seats)
    panel = ScriptedPanel(failures=2)
    async with working(worker(store, redis, panel)):
        await until(settled(store, session))
        assert len(panel.cases) == 3
        assert len(set(panel.nonces)) == 1, "the same question"
        assert shown((await view(redis, session)).steps)["rated"] == "done"


async def test_a_judge_that_never_answers_voids_the_session(
    store: Store, redis: Redis, seats: Seats
) -> None:
    session = await finish(store, redis, seats)
    panel = ScriptedPanel(failures=3)
    async with working(worker(store, redis, panel)):
        await until(lambda: _dead(store))
        seen = await view(redis, session)
        await asyncio.sleep(0.3)  # nothing may follow
        assert len(panel.cases) == 3
        assert seen.verdict is None
        unjudged = {"sealed": "done", "judged": "failed", "settled": "done", "rated": "failed"}
        assert shown(seen.steps) == unjudged
        result = await store.results.get(session)
        assert result is not None
        assert (result.status, result.ranks) == ("void", None)
        assert "503" in next(step.detail for step in seen.steps if step.name == "judged")
        assert await store.verdicts.get(session) is None
        assert await store.ratings.applied(session) is None

        [letter] = await store.outbox.dead()
        assert letter.step == "judge"
        await Acts(store).redrive([letter.id], actor=OPERATOR, reason="a model is back")
        await until(settled(store, session))
        seen = await view(redis, session)
    assert len(panel.cases) == 3, "it is void for good, so nobody is asked any more"
    assert shown(seen.steps) == unjudged
    assert await store.ratings.applied(session) is None


async def test_a_refund_that_fails_is_tried_again_without_anybody_s_help(
    store: Store, redis: Redis, seats: Seats, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge is dead, and the database goes away just when the entries were to go back."""
    session, void = await finish(store, redis, seats), store.results.void
    failed: list[str] = []

    async def fail_twice(session: str, reason: str) -> ResultRow:
        if len(failed) < 2:
            failed.append(reason)
            raise OSError("the database is away")
        return await void(session, reason)

    monkeypatch.setattr(store.results, "void", fail_twice)
    async with working(worker(store, redis, ScriptedPanel(failures=99), job_attempts=1)):
        await until(lambda: _dead(store))
        assert len(failed) == 2
        result = await store.results.get(session)
        assert result is not None
        assert result.status == "void"
        assert shown((await view(redis, session)).steps)["settled"] == "done"


async def _dead(store: Store) -> bool:
    return bool(await store.outbox.dead())


class SlowPanel(ScriptedPanel):
    """Never answers the first time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = asyncio.Event()

    async def judge(self, case: Case, nonce: str) -> Judging:
        judging = await super().judge(case, nonce)
        if len(self.cases) == 1:
            self.asked.set()
            await asyncio.Event().wait()
        return judging


async def test_a_worker_cut_off_while_judging_loses_nothing(
    store: Store, redis: Redis, seats: Seats
) -> None:
    session = await finish(store, redis, seats)
    panel = SlowPanel()
    async with working(worker(store, redis, panel)):
        await asyncio.wait_for(panel.asked.wait(), 10)
    assert await store.verdicts.get(session) is None
    async with working(worker(store, redis, panel)):
        await until(settled(store, session))
    assert len(panel.cases) == 2
    assert len(await events(redis, session, "verdict")) == 1
    assert len(await events(redis, session, "rated")) == 1
    assert len(await events(redis, session, "step")) == 1, "it was running all the time"


async def test_two_workers_judge_and_rate_each_session_once(
    store: Store, redis: Redis, seats: Seats
) -> None:
    sessions = [await finish(store, redis, seats) for _ in range(4)]
    boards = [await finish(store, redis, seats, "bid-tac-toe") for _ in range(4)]
    panel = ScriptedPanel()
    async with working(worker(store, redis, panel), worker(store, redis, panel)):
        await until(settled(store, *sessions, *boards))
    assert len(panel.cases) == 4
    for session in sessions + boards:
        assert len(await events(redis, session, "rated")) == 1
    board = await store.ratings.board("bid-tac-toe")
    assert [row.sessions for row in board.rows] == [4, 4]
    assert board.rows[0].wins == 4


async def test_what_redis_forgets_the_sweeper_wakes_again(
    store: Store, redis: Redis, seats: Seats
) -> None:
    session = await finish(store, redis, seats, "bid-tac-toe")
    await redis.flushdb()  # the live channel is gone, too: there is nobody left to tell
    async with working(worker(store, redis, ScriptedPanel())):
        await until(settled(store, session))
    assert await store.ratings.applied(session) is not None


async def test_workers_wait_for_the_hosts_last_word(
    store: Store, redis: Redis, seats: Seats
) -> None:
    session = await finish(store, redis, seats, "bid-tac-toe", digest=False)
    async with working(worker(store, redis, ScriptedPanel())):
        await asyncio.sleep(0.5)
        assert not await events(redis, session, "rated")
        await _next_host_seals(store, redis, session)
        await until(settled(store, session))
    assert [each.type for each in await events(redis, session, "digest", "rated")] == [
        "digest",
        "rated",
    ]
    assert shown((await view(redis, session)).steps)["rated"] == "done"


async def _next_host_seals(store: Store, redis: Redis, session: str) -> None:
    leases = Leases(redis)

    async def claimed() -> bool:
        tokens.update(await leases.claim("host-2", 10))
        return session in tokens

    tokens: dict[str, int] = {}
    await leases.release(session_of.HOST, {session: 1})
    await until(claimed)
    seen = await view(redis, session)
    sealed = msgspec.structs.replace(
        seen, digest="d" * 64, steps=[Step("sealed", "done"), Step("rated", "waiting")]
    )
    event = LogEvent(t=1, by="host", type="digest", body={"digest": "d" * 64})
    await LiveLog(redis).seal(
        session,
        keys.lease_mark(tokens[session], "host-2"),
        "seal",
        [event],
        ViewSet.of(0, sealed, (sealed, sealed)),
    )


async def test_the_board_is_published(store: Store, redis: Redis, seats: Seats) -> None:
    session = await finish(store, redis, seats, "bid-tac-toe")
    log = LiveLog(redis)

    async def rows() -> bool:
        head = await log.head("leaderboard:bid-tac-toe")
        if head is None or head.views is None:
            return False
        assert isinstance(head.views.public, BoardView)
        return [row.sessions for row in head.views.public.rows] == [1, 1]

    async with working(worker(store, redis, ScriptedPanel(verdict()))):
        await until(settled(store, session))
        await until(rows)
        other = await log.head("leaderboard:rap-battle")
    assert other is not None, "a board that nobody has moved is there, empty"


async def test_draining_finishes_what_is_under_way(
    store: Store, redis: Redis, seats: Seats
) -> None:
    session = await finish(store, redis, seats)

    class Pausing(ScriptedPanel):
        async def judge(self, case: Case, nonce: str) -> Judging:
            begun.set()
            await asyncio.sleep(0.3)
            return await super().judge(case, nonce)

    begun = asyncio.Event()
    serving = worker(store, redis, Pausing())
    async with working(serving) as tasks:
        await begun.wait()
        await serving.drain()
        await asyncio.wait_for(tasks[0], 5)
    assert await store.verdicts.get(session) is not None
