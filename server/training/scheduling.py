"""Begins trainings that owners have allowed, as soon as they may. Any number of processes may look: one training at a time is the records' rule."""

from __future__ import annotations

import msgspec
import structlog

from server.clock import Clock
from server.config import Config
from server.store import Store
from server.store.training_jobs import UnderWay
from server.training import eligibility
from server.training.eligibility import Consent
from server.training.trainable import obstacle

PAGE = 200

_logger = structlog.get_logger()


class Scheduling:
    def __init__(self, store: Store, config: Config, clock: Clock) -> None:
        self._store = store
        self._config = config
        self._clock = clock

    async def look(self) -> int:
        """Begin what may begin; returns how many."""
        begun, after = 0, ("", "")
        while page := await self._store.consents.wanted(after, PAGE):
            for agent, space, consent in page:
                begun += await self._begin(agent, space, consent)
            after = page[-1][0], page[-1][1]
        return begun

    async def _begin(self, agent: str, space: str, consent: Consent) -> bool:
        now_ms, jobs = self._clock(), self._store.training_jobs
        history = await jobs.history(agent, space, now_ms)
        if not eligibility.look(consent, history, now_ms).ready:
            return False
        owned = await self._store.owned.get(agent)
        stands_in = "it is no more" if owned is None else obstacle(owned, space, self._config)
        history = msgspec.structs.replace(history, obstacle=stands_in)
        if not eligibility.look(consent, history, now_ms).ready:
            return False
        try:
            job = await jobs.create(
                agent=agent,
                space=space,
                asked="schedule",
                since_ms=await jobs.since_ms(agent, space),
                scored=history.scored,
            )
        except UnderWay:
            return False
        _logger.info("training begins", training=job.id, agent=agent, space=space)
        return True
