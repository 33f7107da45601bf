"""A candidate is asked at the model gateway before its first match."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chain.content import cid
from server.api.listen import ApiServer
from server.hosting import ModelServer
from server.jobs.faults import NotNow, Permanent, StepFault
from server.store import Store
from server.store.adapters import AdapterRow
from server.store.training_jobs import JobRow
from server.training.probing import Probing

CARD = str(cid.of(b"card"))


class Gateway:
    """Answers by a status, and remembers whom it was asked for."""

    def __init__(self) -> None:
        self.status, self.words = 200, ""
        self.asked: list[str] = []

    async def complete(self, request: Request) -> Response:
        self.asked.append((await request.json())["model"])
        told: dict[str, Any] = {"error": {"message": self.words}} if self.words else {"choices": []}
        return JSONResponse(told, self.status)


@pytest.fixture
async def gateway() -> AsyncIterator[tuple[Gateway, Probing]]:
    it = Gateway()
    app = Starlette(routes=[Route("/v1/chat/completions", it.complete, methods=["POST"])])
    server = ApiServer(app, "127.0.0.1", 0)
    async with asyncio.TaskGroup() as group:
        group.create_task(server.run())
        yield it, Probing(lambda: ModelServer(f"{server.address}/v1", "base"))
        await server.drain()


@pytest.fixture
async def job(store: Store) -> JobRow:
    ember, _ = await store.agents.register("Ember", kind="hosted")
    return await store.training_jobs.create(
        agent=ember.agent, space="logic", asked="owner", since_ms=0, scored=40
    )


def adapter(job: JobRow) -> AdapterRow:
    return AdapterRow(
        card=CARD,
        weights="weights",
        owner="ann",
        agent=job.agent,
        space=job.space,
        base_sha256="0" * 64,
        bytes=1,
        created_ms=1,
    )


async def test_one_that_answers_may_go_before_the_gate(
    gateway: tuple[Gateway, Probing], job: JobRow
) -> None:
    it, probing = gateway
    await probing.load(job, adapter(job), Path())
    assert it.asked == [f"{job.version}-{cid.of(b'card').digest.hex()[:8]}"]


async def test_one_that_is_refused_says_why(gateway: tuple[Gateway, Probing], job: JobRow) -> None:
    it, probing = gateway
    it.status, it.words = 404, "no adapter of that name"
    with pytest.raises(Permanent, match="not served: no adapter of that name"):
        await probing.load(job, adapter(job), Path())
    it.status, it.words = 503, "it changes nothing"
    with pytest.raises(StepFault, match="not served: it changes nothing") as refused:
        await probing.load(job, adapter(job), Path())
    assert not isinstance(refused.value, Permanent | NotNow), "a few more tries tell"


async def test_a_gateway_that_is_away_is_waited_for(job: JobRow) -> None:
    away = Probing(lambda: ModelServer("http://127.0.0.1:9/v1", "base"))
    with pytest.raises(NotNow, match="the model gateway does not answer"):
        await away.load(job, adapter(job), Path())


@pytest.mark.parametrize("status", [401, 429])
async def test_a_gateway_that_does_not_let_us_in_is_no_fault_of_the_candidates(
    gateway: tuple[Gateway, Probing], job: JobRow, tmp_path: Path, status: int
) -> None:
    it, probing = gateway
    it.status = status
    with pytest.raises(NotNow):
        await probing.load(job, adapter(job), tmp_path)
