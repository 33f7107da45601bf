"""Five judges, each a process of its own, judge a battle; one is killed between commitment and reveal, one never comes back."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner

from chain.client.plans import FRAC
from chain.content import cid
from chain.devchain.accounts import ADDRESSES, KEYS
from chain.documents.case import Commitment, Shown
from judges.court.hearing import SeatState
from judges.node.journal import Sealed, of_session_at
from judges.rubric import RAP_BATTLE
from server.api.app import create_app
from server.api.listen import ApiServer
from server.cli import app
from server.clock import unix_ms
from server.commands import keystore
from server.config import Config
from server.court.case import Case, Held, Terms
from server.court.clerk import Clerk
from server.court.telling import Telling
from server.live.log import LiveLog
from server.store import Store
from server.store.pins import NewPin
from tests.chain.node import account
from tests.server.aftermath_session import Seats, finish
from tests.server.court_chain_world import BENCH, TERMS, CourtWorld, court_world, deploy_into
from tests.server.gateway_arena import arena_of

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PASSPHRASE = "correct horse"
WAYS = ("sound", "words", "topic", "blend", "sound")
"""What they judge by; on the chain each is of a family of its own."""
COMMIT_S = 25
PATIENCE_S = 120.0
SOMEBODY = 8
"""Of the known accounts: no judge."""


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("court")
    asyncio.run(deploy_into(folder))
    return folder


class Bench:
    """The processes. Each has its wallet, and its folder."""

    def __init__(self, world: CourtWorld, api: str, home: Path, deployment: Path) -> None:
        self._world = world
        self._api = api
        self._home = home
        self._manifest = deployment / "manifest.json"
        self._running: dict[int, asyncio.subprocess.Process] = {}
        for who in BENCH:
            folder = self.folder(who)
            folder.mkdir(mode=0o700)
            sealed = account(who).encrypt(PASSPHRASE, kdf="scrypt", iterations=1 << 10)
            (folder / "wallet.json").write_text(json.dumps(sealed))

    def folder(self, who: int) -> Path:
        return self._home / f"judge-{who}"

    def said(self, who: int) -> str:
        return (self.folder(who) / "log").read_text()

    async def start(self, who: int) -> None:
        folder = self.folder(who)
        with (folder / "log").open("ab") as log:
            self._running[who] = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "server.cli", "judge", "run", "--url", self._api,
                "--family", WAYS[who - BENCH.start], "--rpc", self._world.chain.url,
                "--manifest", str(self._manifest),
                "--file", str(folder / "wallet.json"), "--folder", str(folder),
                cwd=ROOT, env=os.environ | {"AGON_PASSPHRASE": PASSPHRASE, "XDG_DATA_HOME": str(self._home)}, stdout=log, stderr=log,
            )  # fmt: skip

    async def kill(self, who: int) -> None:
        process = self._running.pop(who)
        if process.returncode is None:
            process.send_signal(signal.SIGKILL)
        await process.wait()

    def check(self) -> None:
        """Nobody has ended by itself."""
        for who, process in self._running.items():
            assert process.returncode is None, self.said(who)

    async def close(self) -> None:
        for who in list(self._running):
            await self.kill(who)

    def journal(self, who: int, session: str) -> Sealed:
        (found,) = of_session_at(self.folder(who) / "judge.sqlite", session)
        return found


@asynccontextmanager
async def arena(
    world: CourtWorld, store: Store, redis: Redis, *, deaf: bool = False
) -> AsyncIterator[str]:
    """What judges meet: an API, a gateway, and a clerk whose rounds go on. The API's address. `deaf`: it takes no messages."""
    telling = Telling(store=store, log=LiveLog(redis), clock=unix_ms)
    clerk = Clerk(
        store=store,
        chain=world.side,
        court=world.law,
        content=world.shelf,
        clock=unix_ms,
        patience_s=3_600,
        told=telling.round,
    )

    async def rounds() -> None:
        while True:
            world.now_ms = unix_ms()
            while await world.writer.round():
                pass
            for each in world.rounds.rounds:
                await each.work(60.0)
            await clerk.round()
            await world.mine(1)
            await asyncio.sleep(0.3)

    async with arena_of(redis) as gateway:
        served = create_app(
            config=Config(),
            store=store,
            redis=redis,
            gateway_address=lambda: gateway.gateways[0].address,
            court=None if deaf else world.law,
        )
        server = ApiServer(served, "127.0.0.1", 0)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.run())
            going = tasks.create_task(rounds())
            yield server.address
            going.cancel()
            await server.drain()


async def battle(store: Store, redis: Redis) -> str:
    """A battle that was played, and is to be judged by five."""
    session = await finish(store, redis, await Seats.registered(store), "rap-battle", steps=())
    document = await store.sessions.transcript(session)
    assert document is not None
    transcript = str(cid.of(document))
    await store.pins.put(NewPin(session, transcript, len(document), unix_ms()))
    terms = Terms(
        weights=tuple(line.weight for line in RAP_BATTLE.lines),
        prior=(5_000,) * 4,
        scale=1_000_000,
        fee_micros=9_000,
        lock=str(100 * FRAC),
        margin=100,
        commit_s=COMMIT_S,
        reveal_s=30,
        appeal_s=1,
        most=0,
        tie_milli=0,
    )
    made = Case(
        session=session,
        space="rap-battle",
        transcript=transcript,
        rubric=RAP_BATTLE.id,
        lines=tuple(line.name for line in RAP_BATTLE.lines),
        contestants=2,
        terms=terms,
        made_ms=unix_ms(),
        hearings=(Held(hearing=0, seats=5, salt="5a" * 32),),
    )
    await store.court.make(made)
    return session


async def until(so: Callable[[], Awaitable[bool]], what: str) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while not await so():
            await asyncio.sleep(0.1)
    assert await so(), what


async def test_a_judge_that_is_killed_reveals_with_its_salt_and_one_that_is_lost_changes_nothing(
    store: Store, redis: Redis, deployment: Path, tmp_path: Path
) -> None:
    killed, lost, *others = BENCH
    async with (
        court_world(store, deployment, tmp_path) as world,
        arena(world, store, redis) as api,
    ):
        bench = Bench(world, api, tmp_path, deployment)
        try:
            for who in (killed, *others):
                await bench.start(who)
            session = await battle(store, redis)

            async def states() -> dict[str, SeatState]:
                case = await store.court.get(session)
                assert case is not None
                return {each.judge: each.state for each in case.last.bench}

            async def committed() -> bool:
                bench.check()
                found = await states()
                return list(found.values()).count(SeatState.COMMITTED) == 4

            await until(committed, "four have committed")
            await bench.kill(killed)
            before = bench.journal(killed, session)
            assert before.revealed_ms is None
            await bench.start(killed)

            async def decided() -> bool:
                bench.check()
                case = await store.court.get(session)
                return case is not None and case.last.over

            await until(decided, "the hearing is over")
        except BaseException:
            for who in (killed, *others):
                print(who, bench.said(who))
            raise
        finally:
            await bench.close()
        case = await store.court.get(session)
        assert case is not None
        after = bench.journal(killed, session)
        assert after == msgspec.structs.replace(before, committed_ms=after.committed_ms, revealed_ms=after.revealed_ms)  # fmt: skip
        assert after.revealed_ms is not None
        own = [each for each in case.last.messages if each.judge == ADDRESSES[killed]]
        assert [type(each) for each in own] == [Commitment, Shown]
        assert isinstance(own[0], Commitment)
        assert isinstance(own[1], Shown)
        assert own[0].commitment == before.commitment.hex()
        assert own[1].salt == before.salt.hex()
        found = {each.judge: each for each in case.last.bench}
        assert found[ADDRESSES[lost]].state is SeatState.ABSENT
        assert int(found[ADDRESSES[lost]].slash) == 20 * FRAC
        assert len(case.last.shown()) == 4
        assert len(case.last.totals) == 2
        assert not any("REFUSED" in bench.said(who) for who in (killed, *others))


async def test_judges_of_a_hearing_by_force_bring_what_they_have_found_to_the_chain(
    store: Store, redis: Redis, deployment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The arena takes no messages: somebody forces the hearing, and it is decided without it."""
    monkeypatch.setattr(keystore, "SCRYPT_N", 1 << 10)
    async with (
        court_world(store, deployment, tmp_path) as world,
        arena(world, store, redis, deaf=True) as api,
    ):
        await world.send(0, world.frac.transfer(ADDRESSES[SOMEBODY], TERMS.bond))
        bench = Bench(world, api, tmp_path, deployment)
        session = await battle(store, redis)
        try:
            for who in BENCH:
                await bench.start(who)

            async def drawn() -> bool:
                case = await store.court.get(session)
                return case is not None and case.last.state == "committing"

            await until(drawn, "a panel is drawn")
            await asyncio.to_thread(force, world, api, session, deployment, tmp_path)

            async def decided() -> bool:
                bench.check()
                case = await store.court.get(session)
                return case is not None and case.last.forced and case.last.over

            await until(decided, "the chain has decided")
        except BaseException:
            for who in BENCH:
                print(who, bench.said(who))
            raise
        finally:
            await bench.close()
        case = await store.court.get(session)
        assert case is not None
        assert case.last.state == "decided"
        assert [each.state for each in case.last.bench] == [SeatState.REVEALED] * 5
        for who in BENCH:
            own = bench.journal(who, session)
            assert own.committed_ms is not None
            assert own.revealed_ms is not None
            bound = [
                each.commitment
                for each in case.last.messages
                if isinstance(each, Commitment) and each.judge == ADDRESSES[who]
            ]
            assert bound == [own.commitment.hex()]


def force(world: CourtWorld, api: str, session: str, deployment: Path, home: Path) -> None:
    """As somebody types it who gets no answer."""
    (home / "key").write_text(KEYS[SOMEBODY])
    env = {
        "AGON_PASSPHRASE": PASSPHRASE,
        "AGON_RPC_URL": world.chain.url,
        "AGON_CHAIN_MANIFEST": str(deployment / "manifest.json"),
        "AGON_URL": api,
        "XDG_CONFIG_HOME": str(home / "config"),
    }
    for command in (["wallet", "import", str(home / "key")], ["court", "force", session]):
        result = CliRunner().invoke(app, command, env=env)
        assert result.exit_code == 0, (result.output, result.exception)
    assert "hearing 0 is on the chain" in result.output
