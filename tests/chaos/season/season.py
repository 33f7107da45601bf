"""A season, from the deployment to the last withdrawal: what is played, what goes wrong meanwhile, and whether it adds up."""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from chain.documents import payouts as payout_documents
from tests.chaos.season import audit, leaving
from tests.chaos.season.arena import Arena
from tests.chaos.season.audit import Doubts
from tests.chaos.season.gas import Gas, read_gas
from tests.chaos.season.ground import TERMS, Ground, chain, prepare
from tests.chaos.season.keepers import Keeper
from tests.chaos.season.leaving import Left
from tests.chaos.season.owners import TIER_MICROS, Owner
from tests.chaos.season.troubles import Happened, Troubles

STUCK_S = 400.0
"""Nothing was settled for so long: something is wrong."""
REPAIRED_S = 240.0


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What season it is to be."""

    sessions: int
    kind: str
    """Of the chain: `anvil` or `devchain`."""
    owners: int
    space: str
    epoch_every_s: int
    seed: int


class Report(msgspec.Struct, kw_only=True):
    """What came of it."""

    wanted: Wanted
    doubts: list[str] = []
    """What does not add up; empty: all is well."""
    checks: int = 0
    sessions: int = 0
    void: int = 0
    epochs: int = 0
    refused: int = 0
    allotted_micros: int = 0
    fees_micros: int = 0
    unclaimed_micros: int = 0
    """When the server was stopped."""
    happened: Happened = msgspec.field(default_factory=Happened)
    repaired: int = 0
    """Blocks of the dead operator that the other one has attested since."""
    left: Left = msgspec.field(default_factory=Left)
    gas: Gas = msgspec.field(default_factory=Gas)
    seconds: dict[str, float] = {}


async def run(wanted: Wanted, folder: Path, tell: Callable[[str], None]) -> Report:
    """Raises AssertionError and TimeoutError where it cannot go on; what does not add up is in the report."""
    async with chain(wanted.kind, folder) as url:
        ground = await prepare(wanted.kind, url, folder)
        try:
            return await Season(wanted, ground, folder, tell).run()
        finally:
            await ground.close()


class Season:
    """One, on a chain of its own."""

    def __init__(
        self, wanted: Wanted, ground: Ground, folder: Path, tell: Callable[[str], None]
    ) -> None:
        self._wanted = wanted
        self._ground = ground
        self._folder = folder
        self._tell = tell
        self._owners = [Owner(ground, number + 1) for number in range(wanted.owners)]
        self._keepers = [Keeper(ground, "ada"), Keeper(ground, "bob")]
        self._arena = Arena(ground, folder, wanted.space, wanted.epoch_every_s)
        self._settled = 0
        self._doubts = Doubts()
        self.report = Report(wanted=wanted)

    async def run(self) -> Report:
        began = time.monotonic()
        try:
            await self._come()
            self._lap("until everybody was there", began)
            began = time.monotonic()
            await self._play()
            self._lap("until all was settled", began)
            began = time.monotonic()
            found = await self._check()
            self._lap("checking", began)
            began = time.monotonic()
        finally:
            for keeper in self._keepers:
                await keeper.end(signal.SIGTERM)
            await asyncio.to_thread(self._arena.stop)
        self._tell("the server is stopped; everybody withdraws everything")
        await self._leave(found)
        self._lap("leaving", began)
        self.report.doubts, self.report.checks = self._doubts.lines, self._doubts.checks
        return self.report

    def _lap(self, what: str, began: float) -> None:
        self.report.seconds[what] = round(time.monotonic() - began, 1)

    # ------------------------------------------------------------------ coming

    async def _come(self) -> None:
        for owner in self._owners:
            await owner.come()
        self._tell(f"{len(self._owners)} owners have deposited and set limits")
        for keeper in self._keepers:
            await keeper.join()
        self._tell("two operators have staked")
        await asyncio.to_thread(self._arena.start, "door", "table", "worker")
        for keeper in self._keepers:
            await keeper.start(self._arena.url)
        for owner in self._owners:
            await owner.sign_in(self._arena.url)
        await asyncio.gather(*(owner.play(self._wanted.space) for owner in self._owners))
        self._tell("their agents play")

    # ------------------------------------------------------------------ playing

    async def _play(self) -> None:
        troubles = Troubles(
            ground=self._ground,
            arena=self._arena,
            owners=self._owners,
            keepers=self._keepers,
            sessions=self._wanted.sessions,
            settled=lambda: self._settled,
            chance=random.Random(self._wanted.seed),
            tell=self._tell,
        )
        self.report.happened = troubles.happened
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._watch())
            trouble = tasks.create_task(troubles.run())
            await trouble
            # The last entry of each owner may meet nobody any more, so it becomes no session.
            while await self._begun() < self._wanted.sessions + len(self._owners):
                await asyncio.sleep(1)
            for owner in self._owners:
                await owner.stop()
            self._tell("nobody enters any more; what is played is played to its end")
            await self._until_played()
            await self._until_settled()
            watching.cancel()

    async def _watch(self) -> None:
        """Follows how much is settled, and gives up where nothing is any more."""
        moved, told = time.monotonic(), 0
        while True:
            settled = (await self._ground.escrow.books()).settled // (2 * TIER_MICROS)
            if settled > self._settled:
                moved = time.monotonic()
            self._settled = settled
            if settled >= told + max(10, self._wanted.sessions // 20):
                told = settled
                self._tell(f"{settled} sessions are settled on the chain")
            if time.monotonic() - moved > STUCK_S:
                raise TimeoutError(f"nothing was settled for {STUCK_S:.0f} s, after {settled}")
            await asyncio.sleep(1)

    async def _begun(self) -> int:
        begun = [int((await owner.run())["begun"]) for owner in self._owners]
        return sum(begun) // 2

    async def _until_played(self) -> None:
        while sum([(await owner.run())["open"] for owner in self._owners]):
            await asyncio.sleep(0.5)

    async def _until_settled(self) -> None:
        """Until no session is open on the chain; then the worker is told to end at once, so that the last claims are left to
        their owners."""
        while True:
            read = await audit.read_chain(self._ground)
            open_ = read.opened.keys() - read.settled.keys() - read.refunded.keys()
            if not open_:
                break
            await asyncio.sleep(0.5)
        await asyncio.to_thread(self._arena.end, "worker", signal.SIGTERM)

    # ------------------------------------------------------------------ checking

    async def _check(self) -> leaving.Tree:
        ground, doubts, report = self._ground, self._doubts, self.report
        await self._repaired()
        compared = await self._arena.compared()
        read = await audit.read_chain(ground)
        listed = await audit.cards(self._arena.url)
        settled = [each.session for each in listed if each.status == "ended"]
        found = await audit.fetch_results(self._arena.url, settled)
        reckoning = audit.reckon(ground, read, listed, found, doubts)
        unclaimed = await audit.check_money(ground, read, reckoning, self._owners, compared, doubts)
        doubts.true(
            f"at least {self._wanted.sessions} settled", reckoning.sessions >= self._wanted.sessions
        )
        happened = report.happened
        doubts.equal("reorganisations", len(happened.reorganisations), 3)
        doubts.equal("SIGKILLs of the worker", happened.kills, 2)
        doubts.true("the dead operator has lost stake", happened.slashed_frac > 0)
        bonded = (await ground.operators.operator(self._keepers[0].address)).bonded
        doubts.equal("what it has left", bonded, TERMS.min_stake - happened.slashed_frac)
        report.sessions, report.void = reckoning.sessions, reckoning.void
        report.epochs, report.refused = len(read.epochs), read.refused
        report.allotted_micros = sum(reckoning.allotted.values())
        report.fees_micros = reckoning.fees_micros
        report.unclaimed_micros = sum(unclaimed.values())
        report.gas = await read_gas(ground)
        assert reckoning.tree is not None, "something was settled"
        return reckoning.tree

    async def _repaired(self) -> None:
        """All that the dead operator attested is attested by the other one."""
        dead, other = self._keepers
        lost = await dead.attested()
        deadline = time.monotonic() + REPAIRED_S
        while True:
            other.check_runs()
            kept = await other.attested()
            self.report.repaired = len(lost & kept)
            if lost <= kept or time.monotonic() > deadline:
                break
            await asyncio.sleep(2)
        self._doubts.true(f"the dead one's {len(lost)} blocks are kept by the other", lost <= kept)
        self._tell(
            f"{self.report.repaired} of {len(lost)} blocks of the dead operator are repaired"
        )

    # ------------------------------------------------------------------ leaving

    async def _leave(self, tree: leaving.Tree) -> None:
        """By the bytes that whoever adds the results up makes, which somebody has to have."""
        bytes_ = payout_documents.encode(tree[0])
        stores = [
            ("the operator that lives", self._keepers[1].folder),
            ("the arena's content store", self._folder / "data"),
        ]
        name, found = await leaving.find_list(bytes_, stores)
        self.report.left = await leaving.leave(self._ground, self._owners, found, self._doubts)
        self.report.left.list_from = name


def table(report: Report) -> Sequence[tuple[str, str]]:
    """For people."""
    happened, gas = report.happened, report.gas
    rows: list[tuple[str, Any]] = [
        ("sessions settled on the chain", report.sessions),
        ("void (entries given back)", report.void),
        ("refused by the escrow", report.refused),
        ("epochs", report.epochs),
        ("allotted, USDC", report.allotted_micros / 1e6),
        ("of that fees, USDC", report.fees_micros / 1e6),
        ("SIGKILLs of the worker, back after s", happened.restart_s),
        ("the dead operator lost, FRAC", happened.slashed_frac / 10**18),
        ("its blocks kept by another", report.repaired),
        ("unclaimed at the end, USDC", report.unclaimed_micros / 1e6),
        ("owners who claimed by themselves", report.left.claimed_by_owners),
        ("by the list of", report.left.list_from),
        ("withdrawn with the server stopped, USDC", report.left.withdrawn_micros / 1e6),
        ("gas a session, all in", gas.each(report.sessions)),
    ]
    rows += [(f"gas of {name}: transactions, gas", value) for name, value in gas.calls.items()]
    for each in happened.reorganisations:
        rows.append(
            (f"reorganisation of {each.depth} blocks", f"lost {each.lost}, read before {each.read}")
        )
    rows += [(f"seconds {name}", value) for name, value in report.seconds.items()]
    rows += [("checks", report.checks), ("that do not hold", len(report.doubts))]
    return [(name, str(value)) for name, value in rows]
