"""`agon jobs` as an operator uses it: on the database of an arena that runs."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner

from server import cli
from server.jobs import Worker
from server.store import Store
from server.store.ratings import Ratings
from tests import forked_agon
from tests.server.aftermath_session import ScriptedPanel, Seats, finish, worker

ROOT = Path(__file__).parents[2]


class Agon:
    """The command, on one database: in a process of its own, or, which is a second sooner, in a thread."""

    def __init__(self, url: str, **env: str) -> None:
        self.env: dict[str, str | None] = {"AGON_DATABASE_URL": url, "COLUMNS": "200", **env}

    async def __call__(self, *arguments: str, status: int = 0, apart: bool = False) -> str:
        """`apart` while workers run here, whose log lines would stand among its own."""
        run = self._apart if apart else self._here
        returned, said, wrong = await asyncio.to_thread(run, arguments)
        assert returned == status, wrong
        return said or wrong

    async def json(self, *arguments: str, apart: bool = False) -> Any:
        return json.loads(await self(*arguments, "--json", apart=apart))

    def _here(self, arguments: Sequence[str]) -> tuple[int, str, str]:
        result = CliRunner().invoke(cli.app, arguments, env=self.env)
        if isinstance(result.exception, Exception) and cli.is_known(result.exception):
            return 1, "", str(result.exception)
        assert not result.exception or isinstance(result.exception, SystemExit), result.exception
        return result.exit_code, result.stdout, result.stderr

    def _apart(self, arguments: Sequence[str]) -> tuple[int, str, str]:
        given = {name: value for name, value in self.env.items() if value is not None}
        done = forked_agon.agon(*arguments, env=os.environ | given)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def agon(store: Store, store_url: str) -> Agon:
    return Agon(store_url)


@contextlib.asynccontextmanager
async def working(serving: Worker) -> AsyncIterator[None]:
    task = asyncio.create_task(serving.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_dead_letter_is_seen_driven_again_and_done(
    store: Store, redis: Redis, agon: Agon, monkeypatch: pytest.MonkeyPatch
) -> None:
    rate = Ratings.apply
    broken = True

    async def apply(self: Ratings, *args: Any, **kwargs: Any) -> Any:
        if broken:
            raise OSError("the disk is full")
        return await rate(self, *args, **kwargs)

    monkeypatch.setattr(Ratings, "apply", apply)
    session = await finish(store, redis, await Seats.registered(store), "bid-tac-toe")
    async with working(worker(store, redis, ScriptedPanel(), job_attempts=2)):
        async with asyncio.timeout(30):
            while not (dead := await store.outbox.dead()):
                await asyncio.sleep(0.05)
        [letter] = dead

        [listed] = await agon.json("jobs", apart=True)
        assert (listed["id"], listed["step"], listed["state"]) == (letter.id, "rate", "dead")
        assert (listed["session"], listed["space"]) == (session, "bid-tac-toe")
        assert (listed["attempts"], listed["error"]) == (2, "the disk is full")
        shown = await agon("jobs", "--state", "dead", "--step", "rate")
        assert letter.id in shown
        assert "the disk is full" in shown
        assert "rate of session" in await agon("jobs", "show", letter.id)

        assert "not dead" in await agon("jobs", "redrive", "01NOBODY", status=1)
        broken = False
        reason = ("--reason", "the disk is mended")
        driven = await agon("jobs", "redrive", "--all", "--step", "rate", *reason, apart=True)
        assert driven.split() == [letter.id]
        async with asyncio.timeout(30):
            while (row := await store.outbox.get(letter.id)) is None or row.state != "done":
                await asyncio.sleep(0.05)
        await asyncio.sleep(0.2)
    assert await store.ratings.applied(session)
    assert await agon.json("jobs") == []
    [entry] = await store.audit.page()
    assert (entry.act, entry.actor, entry.subject) == ("redrive", "operator", letter.id)
    assert entry.reason == "the disk is mended"
    assert (entry.detail["step"], entry.detail["error"]) == ("rate", "the disk is full")


async def test_what_waits_says_for_what(store: Store, redis: Redis, agon: Agon) -> None:
    session = await finish(store, redis, await Seats.registered(store))
    found = await agon.json("jobs", "--session", session)
    assert [(job["step"], job["waits_for"]) for job in found] == [
        ("judge", None),
        ("settle", "judge"),
        ("rate", "judge"),
    ]
    assert "waits for judge" in await agon("jobs")
    [opened] = await agon.json("jobs", "--state", "done")
    assert opened["step"] == "open"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("jobs", "--state", "lost"), "no state 'lost'; there are: dead, done"),
        (("jobs", "show", "01NOBODY"), "no job '01NOBODY'"),
        (("jobs", "redrive"), "name the ids of dead letters, or --all with --step"),
        (("jobs", "redrive", "--all"), "name the ids of dead letters, or --all with --step"),
        (("jobs", "redrive", "--all", "--step", "rate"), "no dead letter of the step 'rate'"),
    ],
)
async def test_mistakes_are_one_line(agon: Agon, arguments: tuple[str, ...], said: str) -> None:
    told = await agon(*arguments, status=1)
    assert said in told
    assert len(told.splitlines()) == 1


async def test_no_database_is_made_where_there_is_none(tmp_path: Path, agon: Agon) -> None:
    agon.env["AGON_DATABASE_URL"] = None
    told = await agon("jobs", "--data-dir", str(tmp_path / "nowhere"), status=1)
    assert "no arena has run in" in told
    assert not (tmp_path / "nowhere").exists()
