"""What goes wrong in a season: three reorganisations, two SIGKILLs of the worker, an operator that dies for good."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Sequence

import msgspec

from chain.client.plans import FRAC
from chain.wallet.amounts import shown_usdc
from tests.chaos.season.arena import CONFIRMATIONS, Arena
from tests.chaos.season.ground import Ground
from tests.chaos.season.keepers import Keeper, doubt
from tests.chaos.season.owners import MORE_MICROS, Owner

DEEPEST = 40
"""Blocks that a reorganisation takes, at most."""
PATIENCE_S = 300.0


class Reorganised(msgspec.Struct, frozen=True):
    depth: int
    lost: dict[str, int]
    """Logs of the escrow in the blocks that went, by event."""
    read: dict[str, int]
    """Of these, what the arena had read: deep enough to count."""


class Happened(msgspec.Struct):
    reorganisations: list[Reorganised] = []
    kills: int = 0
    restart_s: list[float] = []
    """From each SIGKILL until the worker was at work again."""
    slashed_frac: int = 0
    """What the dead operator lost, in the smallest part."""


class Troubles:
    """Each comes when so much of the season has been settled."""

    def __init__(
        self,
        *,
        ground: Ground,
        arena: Arena,
        owners: Sequence[Owner],
        keepers: Sequence[Keeper],
        sessions: int,
        settled: Callable[[], int],
        chance: random.Random,
        tell: Callable[[str], None],
    ) -> None:
        """`settled`: sessions, until now; the first of `keepers` dies."""
        self._ground = ground
        self._arena = arena
        self._owners = owners
        self._keepers = keepers
        self._sessions = sessions
        self._settled = settled
        self._chance = chance
        self._tell = tell
        self._floor = 0
        """No reorganisation reaches below this block: what strangers have done there is not done again."""
        self.happened = Happened()

    async def run(self) -> None:
        await self._after(0.08)
        await self._operator_dies()
        await self._after(0.18)
        await self._reorganise(CONFIRMATIONS)
        await self._after(0.28)
        await self._kill()
        await self._after(0.40)
        await self._deposits_taken_back()
        await self._after(0.58)
        await self._kill()
        await self._after(0.70)
        await self._reorganise(await self._deep_enough({"Opened", "EpochClosed"}))

    async def _after(self, share: float) -> None:
        while self._settled() < share * self._sessions:
            await asyncio.sleep(0.5)

    async def _operator_dies(self) -> None:
        dead = self._keepers[0]
        async with asyncio.timeout(PATIENCE_S):
            while not await dead.batches():
                dead.check_runs()
                await asyncio.sleep(1)
        await dead.end(signal.SIGKILL)
        self._tell(f"operator {dead.name} was killed for good; it had attested")
        self.happened.slashed_frac = await doubt(self._ground, dead)
        self._tell(
            f"it was challenged, did not answer, and lost {self.happened.slashed_frac / FRAC} FRAC"
        )
        self._floor = await self._ground.head()
        await self._ground.buried(CONFIRMATIONS + 1)

    async def _kill(self) -> None:
        await asyncio.sleep(self._chance.uniform(0, 3))
        began = time.monotonic()
        self._arena.end("worker", signal.SIGKILL)
        await asyncio.sleep(self._chance.uniform(0, 5))
        await asyncio.to_thread(self._arena.start, "worker")
        self.happened.kills += 1
        self.happened.restart_s.append(round(time.monotonic() - began, 1))
        self._tell(f"the worker was killed, and started again ({self._settled()} settled)")

    async def _deposits_taken_back(self) -> None:
        """Two deposits that the arena believed go, and come again."""
        depositors = self._owners[:2]
        before = await self._ground.head()
        await asyncio.gather(*(each.deposit(MORE_MICROS) for each in depositors))
        await self._until_more(depositors, there=True)
        await self._deep_enough({"Opened", "EpochClosed"}, before)
        await self._reorganise(await self._ground.head() - before + 2)
        await self._until_more(depositors, there=False)
        self._tell("the arena has taken two deposits back, too")
        for each in depositors:
            await each.send_again()
        await self._until_more(depositors, there=True)
        self._tell(f"the same deposits of {shown_usdc(MORE_MICROS)} came again")

    async def _until_more(self, depositors: Sequence[Owner], *, there: bool) -> None:
        """The second deposits are on the ledger, or are not any more."""
        async with asyncio.timeout(PATIENCE_S):
            for each in depositors:
                while await each.has_more() != there:
                    await asyncio.sleep(0.3)

    async def _deep_enough(self, wanted: set[str], after: int = 0) -> int:
        """A depth at which each of these events is lost though the arena has read it; they stand behind the block `after`."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                head = await self._ground.head()
                first = after + 1 if after else max(self._floor + 1, head - DEEPEST)
                newest: dict[str, int] = {}
                for number, name in await self._events(first, head - CONFIRMATIONS - 1):
                    newest[name] = max(number, newest.get(name, 0))
                if wanted <= newest.keys():
                    return head - min(newest[name] for name in wanted) + 1
                await asyncio.sleep(0.5)

    async def _reorganise(self, depth: int) -> None:
        head = await self._ground.head()
        events = await self._events(head - depth + 1, head)
        lost = Counter(name for _, name in events)
        read = Counter(name for number, name in events if number <= head - CONFIRMATIONS)
        await self._ground.reorganise(depth)
        self.happened.reorganisations.append(Reorganised(depth, dict(lost), dict(read)))
        self._tell(f"{depth} blocks were replaced; lost: {dict(lost)}, read before: {dict(read)}")

    async def _events(self, first: int, last: int) -> list[tuple[int, str]]:
        """Block and name of each event of the escrow."""
        escrow = self._ground.escrow
        logs = await self._ground.node.logs([escrow.address], first, last) if first <= last else []
        events = [escrow.event(log) for log in logs]
        return [(event.log.number, event.name) for event in events if event is not None]
