"""Agents that meet again and again, with results of the test's choice: sealed, settled and rated as ever."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec
from sqlalchemy import update

from server.identity import Identity, new_id
from server.jobs.aftermath import Aftermath, Change
from server.jobs.fence import Fence
from server.jobs.rate import RateStep
from server.live.records import SeatRecord, SessionRecord
from server.store import Store, schema
from server.store.agents import version_id

DIGEST = "d" * 64
FIRST_MS = 1_700_000_000_000
LATER_MS = 2_000_000_000_000


class Untold(Aftermath):
    """Nobody watches."""

    def __init__(self) -> None:
        pass

    async def tell(self, session: str, change: Change, *, once: str = "") -> bool:
        return False


class Open(Fence):
    """Nobody has taken the row over: there is none."""

    def __init__(self) -> None:
        pass

    async def check(self) -> None:
        return


class Circuit:
    def __init__(self, store: Store, space: str = "rap-battle") -> None:
        self.store = store
        self.space = space
        self.moved: list[str] = []
        self._rate = RateStep(store=store, aftermath=Untold(), moved=self.moved.append)
        self._ms = itertools.count(FIRST_MS, 60_000)

    async def agents(self, *names: str, owner: str | None = None) -> list[Identity]:
        return [(await self.store.agents.register(name, owner))[0] for name in names]

    async def improved(self, agent: Identity, number: int) -> Identity:
        """The agent in its next version."""
        version = version_id(agent.agent, number)
        async with self.store._database.writing() as tx:
            await tx.execute(
                schema.agent_version.insert().values(
                    id=version, agent=agent.agent, number=number, spec="{}", created_ms=FIRST_MS
                )
            )
            await tx.execute(
                update(schema.agent).where(schema.agent.c.id == agent.agent).values(plays=number)
            )
        return msgspec.structs.replace(agent, version=version)

    async def formed(self, *agents: Identity) -> str:
        seats = tuple(
            SeatRecord(i, each.agent, each.name, each.version, each.owner, b"0" * 32)
            for i, each in enumerate(agents)
        )
        session = new_id()
        record = SessionRecord(
            session, self.space, f"{self.space}/1", {}, 0, next(self._ms), b"s" * 32, seats
        )
        await self.store.sessions.form(record)
        return session

    async def ended(self, agents: Sequence[Identity], ranks: Sequence[int]) -> str:
        """Sealed, with these competition ranks as its returns."""
        session = await self.formed(*agents)
        await self._seal(session, "ended", {"returns": [-rank for rank in ranks]})
        return session

    async def play(self, *agents: Identity, ranks: Sequence[int] = (1, 2)) -> str:
        """Sealed, settled and rated."""
        session = await self.ended(agents, ranks)
        await self.store.results.settle(session, ranks, [1_000 - rank for rank in ranks])
        await self.rate(session)
        return session

    async def void(self, *agents: Identity, reason: str = "the model is away") -> str:
        session = await self.formed(*agents)
        await self._seal(session, "void", {"reason": reason})
        await self.store.results.void(session, reason)
        return session

    async def rate(self, session: str) -> None:
        await self._rate.run(session, Open())

    async def _seal(self, session: str, status: str, outcome: dict[str, object]) -> None:
        assert status in ("ended", "void")
        await self.store.sessions.seal(
            session=session,
            status="void" if status == "void" else "ended",
            outcome={"termination": "line", **outcome},
            document=b"{}",
            digest=DIGEST,
            steps=(),
            now_ms=next(self._ms),
        )
