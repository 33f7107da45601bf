"""`agon judge run`: the parts of a judge, put together and run until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from chain.client.deployment import Manifest
from chain.client.hearings import Hearings
from chain.client.node import Reverted
from chain.client.rpc import Rpc
from chain.content.ipfs import Ipfs
from chain.court.commitment import Court
from chain.ethereum import LocalAccount
from judges.judge import Judge
from judges.node.duty import Sat, Told
from judges.node.journal import Journal, Price
from judges.node.node import SALT_BYTES, Node
from server.clock import unix_ms
from server.judging.arena import Arena, Listening
from server.judging.bench import Bench
from server.judging.docket import Docket
from server.judging.ear import ClerksEar, Ears
from server.judging.folder import JOURNAL, alone
from server.judging.forced import ForcedHearings
from server.judging.hand import Hand
from server.judging.records import ChainRecords
from server.judging.told import Misshapen, place_of, told
from server.judging.unaided import Unaided, joined
from server.outside.asking import Unreadable
from server.outside.sparing import Sparing
from server.protocol import CaseView

if TYPE_CHECKING:
    from server.operators.acting import Acts

LOOK_S = 3.0
"""Between two times of asking for cases, where nothing wakes us."""
SEND_S = 0.5
"""Between two looks at what is due, where nothing wakes us."""
CHAIN_S = 10.0
"""Between two looks at the chain for hearings of ours of which the arena says nothing."""
OWED_MS = 3_600_000
"""A commitment that is older is over, revealed or not."""
MAX_OWED = 64
RING_S = 0.2
"""Between two times of asking, however often the channel moves."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the judge's owner says."""

    arena: str
    """The URL of its API."""
    folder: Path
    """Of its own: the journal."""
    ipfs: str | None = None
    """The RPC of a node of ours, asked for what the arena does not give."""
    price: Price = Price()
    at_once: int = 1
    """Cases that are judged beside each other."""
    look_s: float = LOOK_S
    confirmations: int = 6
    max_fee: int = 500 * 10**9
    """Wei a unit of gas at the most, for what is brought to the chain."""


class CannotJudge(Exception):
    """It would be of no use to begin; the message says what to do."""


async def run(
    settings: Settings,
    rpc: Rpc,
    manifest: Manifest,
    account: LocalAccount,
    judge: Judge,
    *,
    tell: Callable[[str], None],
) -> None:
    """Until cancelled. Raises CannotJudge, BotError, JournalInUse, WrongFolder, OSError, the last at the start only. `rpc` is of
    the manifest's chain and the caller's to close, and so is `judge`."""
    court = Court(manifest.chain_id, manifest.address("court"))
    records = ChainRecords(rpc, manifest)
    address = str(account.address)
    await check_ready(records, address)
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{court.chain_id}:{court.address}"
    with (
        alone(address, name),
        contextlib.closing(
            Journal(settings.folder / JOURNAL, judge=address, court=name)
        ) as journal,
    ):
        async with (
            Arena(settings.arena) as arena,
            _node(settings.ipfs) as blocks,
            _forced(settings, rpc, manifest, account, tell) as forced,
        ):
            docket = Docket(address, court, arena, records)
            hand = Hand(account, court)
            node = Node(
                journal=journal,
                docket=docket,
                bench=Bench(
                    judge=judge,
                    arena=arena,
                    filing=lambda each: docket.filing(each).filing.filing(),
                    blocks=blocks,
                ),
                hand=hand,
                ear=Ears(ClerksEar(arena, hand), forced),
                salt=lambda: secrets.token_bytes(SALT_BYTES),
                clock=unix_ms,
                tell=tell,
                price=settings.price,
            )
            totals = journal.totals()
            tell(
                f"{address} judges for {settings.arena} by {judge.model}: {totals.hearings} hearings so far, {totals.revealed} revealed"
            )
            unaided = Unaided(
                journal=journal, hearings=forced.hearings, forced=forced, clock=unix_ms
            )
            try:
                await _Rounds(settings, node, arena, forced, unaided, address, tell).run()
            finally:
                if owed := still_to_reveal(journal, unix_ms()):
                    tell(owed)


def still_to_reveal(journal: Journal, now_ms: int) -> str:
    """What whoever ends the program now should know; empty where nothing is owed."""
    found = journal.since(now_ms - OWED_MS, below=None, limit=MAX_OWED)
    owed = [each for each in found if each.committed_ms is not None and each.revealed_ms is None]
    if not owed:
        return ""
    first = f"{owed[-1].space} {owed[-1].session}"
    others = f" and {len(owed) - 1} more" if len(owed) > 1 else ""
    return f"committed and not revealed: {first}{others}. Begin again at once: a seat that does not reveal in time loses its lock"


async def check_ready(records: ChainRecords, judge: str) -> None:
    """Raises CannotJudge, OSError."""
    standing = await records.standing(judge)
    if not standing.registered:
        raise CannotJudge(f"{judge} is not registered: `agon judge register` does it")
    if standing.bonded + standing.unbonding == 0:
        least = await records.min_stake() // 10**18
        raise CannotJudge(
            f"{judge} has staked nothing: `agon judge stake` does it, {least} FRAC at least"
        )


@contextlib.asynccontextmanager
async def _node(url: str | None) -> AsyncIterator[Ipfs | None]:
    if url is None:
        yield None
        return
    async with Ipfs(url) as node:
        yield node


def _forced(
    settings: Settings,
    rpc: Rpc,
    manifest: Manifest,
    account: LocalAccount,
    tell: Callable[[str], None],
) -> ForcedHearings:
    async def acts(stack: contextlib.AsyncExitStack) -> Acts:
        # Few judges ever send anything: what it takes is imported and opened by those who do.
        from server.judging.sending import sending

        return await stack.enter_async_context(sending(settings, rpc, manifest, account, tell))

    hearings = Hearings(rpc, manifest.address("hearings"))
    return ForcedHearings(
        judge=str(account.address), rpc=rpc, hearings=hearings, acts=acts, clock=unix_ms
    )


class _Rounds:
    """What we are told, kept fresh; messages and judging beside each other, so that no long case keeps a reveal waiting."""

    def __init__(
        self,
        settings: Settings,
        node: Node,
        arena: Arena,
        forced: ForcedHearings,
        unaided: Unaided,
        judge: str,
        tell: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._node = node
        self._arena = arena
        self._forced = forced
        self._unaided = unaided
        self._judge = judge
        self._tell = tell
        self._said = Sparing(tell)
        self._shown: list[Told] = []
        """What the arena tells."""
        self._put: list[Told] = []
        """What the chain has."""
        self._cases: list[Told] = []
        self._rung = asyncio.Event()
        self._rung.set()
        self._fresh = asyncio.Condition()

    async def run(self) -> None:
        listening = Listening(self._arena.url, self._judge, rang=self._rung.set, tell=self._tell)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(listening.run())
            tasks.create_task(self._asking())
            tasks.create_task(self._watching())
            tasks.create_task(self._sending())
            for _ in range(self._settings.at_once):
                tasks.create_task(self._judging())

    async def _asking(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.look_s):
                    await self._rung.wait()
            self._rung.clear()
            try:
                views = await self._arena.open_cases(self._judge)
            except Unreadable as error:
                self._said.about("cases", f"cases are not to be had now: {error}")
            else:
                self._said.over("cases")
                told = [await self._told(view) for view in views]
                self._shown = [each for each in told if each is not None]
                await self._told_anew()
            await asyncio.sleep(RING_S)

    async def _watching(self) -> None:
        """Whoever forces a hearing does it because the arena does not do its part: it is not to be waited for."""
        while True:
            try:
                self._put = await self._unaided.look()
            except (OSError, LookupError, Reverted) as error:
                self._said.about("chain", f"hearings on the chain are not to be had now: {error}")
            else:
                self._said.over("chain")
                await self._told_anew()
            await asyncio.sleep(CHAIN_S)

    async def _told_anew(self) -> None:
        self._cases = joined(self._shown, self._put)
        await self._wake()

    async def _told(self, view: CaseView) -> Told | None:
        try:
            found = told(view, self._judge)
        except Misshapen as error:
            self._said.about("misshapen", f"the arena tells of a case that is none: {error}")
            return None
        if not found.forced:
            return found
        place = place_of(view.panel, self._judge)
        try:
            return await self._forced.told(found, place)
        except (OSError, LookupError, Reverted) as error:
            self._said.about(
                view.session, f"{view.session} on the chain: not to be had now: {error}"
            )
            return msgspec.structs.replace(found, seat=Sat.NONE)

    async def _sending(self) -> None:
        while True:
            await self._node.send(self._cases)
            await self._nap(SEND_S)

    async def _judging(self) -> None:
        while True:
            if await self._node.judge_next(self._cases):
                await self._wake()  # its commitment is due
            else:
                await self._nap(SEND_S)

    async def _wake(self) -> None:
        async with self._fresh:
            self._fresh.notify_all()

    async def _nap(self, seconds: float) -> None:
        """Until there is something new, or for so long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._fresh:
                await self._fresh.wait()
