"""`agon points`, against a real API on a port of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner, Result

from server.api.app import create_app
from server.api.listen import ApiServer
from server.cli import app
from server.config import Config
from server.points_claims import Seat, for_session
from server.protocol import QueueCard
from server.store import Store
from server.store import points as stored

Run = Callable[..., Awaitable[Result]]


async def no_queues() -> list[QueueCard]:
    return []


@pytest.fixture
async def agon(store: Store, redis: Redis) -> AsyncIterator[Run]:
    """Runs `agon points …` as the owner of Ember, which has met Frost in 120 sessions on many days."""
    ember, _ = await store.agents.register("Ember")
    frost, _ = await store.agents.register("Frost")
    for number in range(120):
        seats = [Seat(each.owner, each.agent, each.version, 1) for each in (ember, frost)]
        async with store.database.writing() as tx:
            claims = for_session(f"S{number}", "logic", 0, seats)
            await stored.add(store.database, tx, claims, (20_000 + number) * 86_400_000)
    token, _ = await store.logins.begin(ember.owner, 86_400_000)
    api = ApiServer(
        create_app(
            config=Config(),
            store=store,
            redis=redis,
            gateway_address=lambda: "ws://127.0.0.1:8601",
            queue_sizes=no_queues,
        ),
        "127.0.0.1",
        0,
    )

    async def run(*arguments: str, token: str = token) -> Result:
        env = {"AGON_URL": api.address, "AGON_TOKEN": token}
        return await asyncio.to_thread(CliRunner().invoke, app, ["points", *arguments], env=env)

    async with asyncio.TaskGroup() as group:
        group.create_task(api.run())
        yield run
        await api.drain()


async def test_every_line_is_explained_and_they_add_up(agon: Run) -> None:
    result = await agon("explain", "ember")
    assert result.exit_code == 0, (result.output, result.exception)
    lines = [line for line in result.stdout.splitlines() if line[:3] in ("202", "sea", "the")]
    assert any("creation" in line and "agent 1 of 3" in line for line in lines)
    assert any(
        "session" in line and "played logic" in line and line.endswith("S7") for line in lines
    )
    total = 50 + 20 + 120 * 10 + (5 + 10 + 15 + 20 + 25 + 30) + 114 * 35
    assert f"season 1: {total} points (activity {105 + 114 * 35}, creation 50, " in result.stdout
    assert f"the {2 + 240} lines of season 1 make {total}" in result.stdout


async def test_the_account_has_what_its_agents_have(agon: Run) -> None:
    one = await agon("explain", "Ember", "--json")
    all_ = await agon("explain", "--account", "--json")
    answers = [json.loads(each.stdout[each.stdout.index("{\n") :]) for each in (one, all_)]
    assert answers[0] == answers[1]
    assert len(answers[0]["lines"]) == 242
    other = await agon("explain", "--account", "--season", "2")
    assert "nothing in season 2" in other.stdout


async def test_the_formula_and_the_board_need_no_login(agon: Run) -> None:
    formula = await agon("formula", token="")
    assert "fractals/1" in formula.stdout
    assert "Points do not prove:" in formula.stdout
    board = await agon("board", token="")
    rows = [line.split() for line in board.stdout.splitlines() if line.startswith("#")]
    assert [(row[0], row[2]) for row in rows] == [("#1", "Ember"), ("#2", "Frost")]


async def test_a_link_is_printed(agon: Run) -> None:
    result = await agon("share", "--agent", "Ember")
    assert result.exit_code == 0
    assert "/v1/s/" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("explain",), "name an agent, or give --account"),
        (("explain", "Ember", "--account"), "name an agent, or give --account"),
        (("explain", "Nobody"), "unknown agent 'Nobody'"),
        (("explain", "../../x"), "there is nothing here"),
        (("share",), "name either --session or --agent"),
        (("share", "--session", "none"), "unknown session 'none'"),
    ],
)
async def test_what_cannot_be_done_is_said(
    agon: Run, arguments: tuple[str, ...], said: str
) -> None:
    result = await agon(*arguments)
    assert result.exit_code != 0
    assert said in result.output + str(result.exception)
