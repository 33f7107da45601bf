"""Two of the house's rappers meet in an arena of real processes, and the one that is to be worse is, over the wire."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bots.brains import Brain
from bots.hosted import HostedAgent
from bots.runner import Runner
from judges.bench.planted import plan
from judges.reading import read_case
from server.court import audits
from server.court.audits import Audits, audit_key
from server.embedded import database
from server.embedded.data_dir import DataDir
from server.store import Store, open_store
from tests.chaos.arena_processes import processes
from tests.server.test_court_audits import VERSE, Rapper

ROLES = ("api", "gateway", "host", "matchmaker", "worker")
DONE_S = 90.0


@pytest.mark.slow
async def test_a_battle_of_the_house_is_an_audit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGON_LLM_URL", "http://127.0.0.1:9/v1")  # nobody is asked
    monkeypatch.setenv("AGON_LOG_LEVEL", "warning")
    monkeypatch.setattr(audits, "WORD_S", 0.005)
    with processes(tmp_path, arena=ROLES) as arena:
        api = arena["arena"].addresses()["api"]
        with DataDir(str(tmp_path / "data")) as data:
            store = await open_store(database.url(data))
            key = audit_key(data.file(audits.KEY_FILE))
        try:
            await _play(api, store, key)
        finally:
            await store.close()


async def _play(api: str, store: Store, key: bytes) -> None:
    made = [await store.agents.register(name) for name in ("Frostbite", "Ember")]
    house = Audits(store, key, 1.0, [agent.agent for agent, _ in made])

    def dressed(agent: HostedAgent, _: Brain) -> Brain:
        return house.dressed(agent, Rapper())

    agents = [
        HostedAgent(name=each.name, space="rap-battle", brain="random", key=secret, sessions=1)
        for each, secret in made
    ]
    async with asyncio.timeout(DONE_S):
        await Runner(api, agents, dressed=dressed).run()
        while not (rows := await store.sessions.page(status=["ended"])):
            await asyncio.sleep(0.1)
    session = rows[0].session
    found = plan(key, session, 1.0)
    assert found is not None
    body = await store.sessions.transcript(session)
    assert body is not None
    pieces = read_case(body).case.pieces
    assert {(each.seat, each.round) for each in pieces if each.text != VERSE} == (
        set()  # it was to be off topic, and this rapper has one verse for all
        if found.topic("night buses", ["night buses", "rain"]) != "night buses"
        else {(found.worse, round_) for round_ in found.rounds}
    )
    assert await store.court.answer(session) == found.answer()
