"""What a job learns from, put into its folder: its agent's lessons and the order for the child.

The data are a function of the job's row: the newest sessions of its agent that were settled, up to the moment at which the job was asked for. What
rules decide is learned by imitating who won, whoever it was; what judges decide, from answers that were good or bad.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from chain.content import cid as cids
from server.agents import spec as specs
from server.config import Config
from server.jobs.faults import NotNow, Permanent
from server.jobs.pin import ContentStore
from server.store import Store
from server.store.training_jobs import JobRow
from server.training import collect, lesson_files, publishing
from server.training.collect import Collected
from server.training.order import LESSONS, ORDER, Order, write
from server.training.publishing import OwnerFull
from spaces import registry
from training.recipes.config import TrainConfig

MAX_ADAPTER = 512 * 1024 * 1024


class Gathering:
    """`flow.Collects`, out of the records."""

    def __init__(self, store: Store, content: ContentStore, config: Config) -> None:
        self._store = store
        self._content = content
        self._config = config

    async def collect(self, job: JobRow, folder: Path) -> None:
        """Idempotent. Raises Permanent, NotNow."""
        if (folder / ORDER).is_file():
            return
        await self._check_room(job)
        found = await collect.of_agent(
            self._store,
            job.agent,
            job.space,
            since_ms=0,
            until_ms=job.until_ms,
            most=self._config.training_sessions,
        )
        if not found.lessons:
            raise Permanent(_nothing(job, found))
        await asyncio.to_thread(lesson_files.save, found.lessons, folder / LESSONS)
        write(folder / ORDER, await self._order(job, folder))

    async def _check_room(self, job: JobRow) -> None:
        """Before hours of training. What has an adapter already takes no more room. Raises Permanent."""
        agent = await self._store.agents.get(job.agent)
        if job.adapter is not None or agent is None:
            return
        try:
            publishing.check(await self._store.adapters.live_of_owner(agent.owner), 0, self._config)
        except OwnerFull as error:
            raise Permanent(str(error)) from None

    async def _order(self, job: JobRow, folder: Path) -> Order:
        text = await self._store.training_jobs.spec(job.version)
        spec = specs.read(text)
        judged = registry.get(job.space).decided_by == "judges"
        parent: str | None = getattr(spec, "adapter", None)
        if parent is not None:
            await self._fetch(parent, folder / "parent")
        return Order(
            space=job.space,
            agent=job.agent,
            base=self._config.training_base,
            config=self._settings(judged),
            form="labelled" if judged else "winners",
            system=specs.prompt_for(spec, job.space) or default_system(),
            parent=parent,
        )

    def _settings(self, judged: bool) -> TrainConfig:
        return TrainConfig(
            recipe="kto" if judged else "sft",
            steps=self._config.training_steps,
            threads=self._config.training_threads,
            checkpoint_every=max(1, min(25, self._config.training_steps // 4)),
        )

    async def _fetch(self, card: str, to: Path) -> None:
        """The parent's files. Raises NotNow."""
        from chain.content.errors import IpfsError
        from training.adapters import package
        from training.serving.backend import CONFIG, WEIGHTS

        try:
            told = package.read_card(await self._content.block(cids.parse(card)))
            weights = await self._content.file(cids.parse(told.weights), MAX_ADAPTER)
        except IpfsError as error:
            raise NotNow(
                f"the adapter {card} that it goes on from cannot be had: {error}"
            ) from None
        except package.BadAdapter as error:
            raise Permanent(f"the adapter {card} that it goes on from: {error}") from None
        config = package.config_of(package.shape_of(told), told.base.name)
        _put(to, {WEIGHTS: weights, CONFIG: config})


def _nothing(job: JobRow, found: Collected) -> str:
    why = next(iter(found.refused.values()), "")
    return f"no session of {job.space} is there to learn from{f': {why}' if why else ''}"


def _put(folder: Path, files: dict[str, bytes]) -> None:
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)


def default_system() -> str:
    """What the brain `llm` says where an owner says nothing."""
    from bots.brains.llm import LlmSettings

    return next(
        _default(each) for each in msgspec.structs.fields(LlmSettings) if each.name == "system"
    )


def _default(field: Any) -> str:
    assert isinstance(field.default, str)
    return field.default
