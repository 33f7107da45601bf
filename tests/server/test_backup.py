"""Backups: taken while others write, restored into another folder, with the money where it belongs."""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import sqlite3
import subprocess
import tarfile
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from redis.asyncio import Redis
from sqlalchemy import make_url, text
from sqlalchemy.exc import DBAPIError

from server.backup import archive
from server.backup.archive import BackupFailed
from server.backup.making import make
from server.backup.restoring import restore
from server.clock import unix_ms
from server.embedded import database
from server.embedded.data_dir import DataDir
from server.entering import Holds
from server.identity import Identity
from server.jobs import Worker
from server.live.agents import AgentChannels
from server.live.log import LiveLog
from server.live.queue import Queues
from server.lost import LostSessions
from server.store import Store, open_store
from tests.server.aftermath_session import ScriptedPanel, Seats, hostless, worker
from tests.server.money_world import TIER, available, balance, funded, session_of, ticket_of
from tests.server.test_jobs_command import working
from tests.server.test_jobs_void import opened

AGE_MS = 60_000
RNG = random.Random(2026)


class Arena:
    """A data directory with the records of an arena, and what happens in it."""

    def __init__(self, folder: Path) -> None:
        self.data = DataDir(folder)
        self.data.path.mkdir()
        self.store: Store

    async def __aenter__(self) -> Arena:
        self.store = await open_store(f"sqlite:///{self.data.file(database.FILE)}")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.store.close()

    async def backup(self, out: Path) -> archive.Manifest:
        return await make(self.data.file(database.FILE), out)


async def live_session(store: Store, redis: Redis, *agents: Identity) -> str:
    """With the entries of all in its pot, and a log in Redis."""
    tickets = [ticket_of(each) for each in agents]
    for ticket in tickets:
        await store.entries.hold(ticket)
    record = session_of(tickets)
    record = msgspec.structs.replace(record, rules="bid-tac-toe/1", opened_ms=unix_ms() - AGE_MS)
    await opened(store, redis, Seats(*agents), record=record)
    return record.session


async def test_a_restored_arena_pays_back_what_was_at_stake_and_its_ledger_is_sound(
    tmp_path: Path, redis: Redis
) -> None:
    out = tmp_path / "arena.tar"
    async with Arena(tmp_path / "one") as arena:
        store = arena.store
        ann, ben, cyd = [await funded(store, name) for name in ("Ann", "Ben", "Cyd")]
        live = await live_session(store, redis, ann, ben)
        waiting = ticket_of(cyd)
        await store.entries.hold(waiting)
        await Queues(redis).enqueue(waiting)
        manifest = await arena.backup(out)
        assert (manifest.live_sessions, manifest.held_entries, manifest.sound) == (1, 1, True)
        later = await funded(store, "Dan")

    await redis.flushdb()  # the machine is gone, and all that was live
    data = DataDir(tmp_path / "two")
    assert restore(out, data) == manifest
    store = await open_store(f"sqlite:///{data.file(database.FILE)}")
    try:
        assert await store.agents.get(later.agent) is None, "what came after the backup is gone"
        assert await available(store, ann) == 9 * TIER
        await sweep(store, redis)
        row = await store.sessions.get(live)
        assert row is not None
        assert (row.status, row.outcome) == ("void", {"reason": "the live log was lost"})
        async with working(serving(store, redis)), asyncio.timeout(20):
            while await store.results.get(live) is None:
                await asyncio.sleep(0.05)
        for agent in (ann, ben, cyd):
            assert await available(store, agent) == 10 * TIER
            assert await balance(store, agent) == 10 * TIER
        assert await store.ledger.audit() == []
        [entry] = await store.audit.page()
        assert (entry.act, entry.subject) == ("restore", "arena.tar")
    finally:
        await store.close()


async def sweep(store: Store, redis: Redis) -> None:
    """What every matchmaker does once in a few seconds."""
    later_ms = unix_ms() + AGE_MS
    lost = LostSessions(
        sessions=store.sessions,
        log=LiveLog(redis),
        agents=AgentChannels(redis),
        seal_session=hostless(store, redis)._seal_session,
        clock=unix_ms,
    )
    await lost.void()
    await Holds(entries=store.entries, queues=Queues(redis), clock=lambda: later_ms).sweep()


def serving(store: Store, redis: Redis) -> Worker:
    return worker(store, redis, ScriptedPanel())


async def test_a_backup_that_is_taken_while_others_write_is_of_one_instant(
    tmp_path: Path, redis: Redis
) -> None:
    async with Arena(tmp_path / "one") as arena:
        agents = [await funded(arena.store, f"Agent {number}") for number in range(4)]
        stop = asyncio.Event()

        async def play(first: Identity, second: Identity) -> None:
            while not stop.is_set():
                tickets = [ticket_of(first), ticket_of(second)]
                for ticket in tickets:
                    await arena.store.entries.hold(ticket)
                record = session_of(tickets)
                await arena.store.sessions.form(record)
                await arena.store.results.void(record.session, "again")

        players = [asyncio.create_task(play(agents[n], agents[n + 1])) for n in (0, 2)]
        manifests = []
        for number in range(4):
            await asyncio.sleep(0.1)
            manifests.append(await arena.backup(tmp_path / f"{number}.tar"))
        stop.set()
        await asyncio.gather(*players)
    assert all(manifest.sound for manifest in manifests)
    assert len({manifest.sha256 for manifest in manifests}) == 4, "there was something to write"


@pytest.fixture
async def backed_up(tmp_path: Path) -> Path:
    async with Arena(tmp_path / "one") as arena:
        await funded(arena.store, "Ann")
        await arena.backup(tmp_path / "arena.tar")
    return tmp_path / "arena.tar"


async def test_what_was_there_is_kept_aside_with_its_live_state(
    tmp_path: Path, backed_up: Path
) -> None:
    async with Arena(tmp_path / "two") as arena:
        ben = await funded(arena.store, "Ben")
        data = arena.data
        (data.folder("redis") / "appendonly.aof").write_text("live")
    restore(backed_up, data)
    store = await open_store(f"sqlite:///{data.file(database.FILE)}")
    assert await store.agents.get(ben.agent) is None
    await store.close()
    [aside] = data.path.glob("before-restore-*")
    assert (aside / "redis" / "appendonly.aof").read_text() == "live"
    assert not data.file("redis").exists()
    kept = await open_store(f"sqlite:///{aside / database.FILE}")
    assert await kept.agents.get(ben.agent) == ben
    await kept.close()


async def test_no_arena_is_restored_over_while_it_runs(
    tmp_path: Path, backed_up: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.backup.restoring.WAIT_S", 0.2)
    data = DataDir(tmp_path / "one")
    before = data.file(database.FILE).read_bytes()
    with data, pytest.raises(BackupFailed, match=r"an arena uses .*: stop it first"):
        restore(backed_up, data)
    assert data.file(database.FILE).read_bytes() == before


async def test_only_its_owner_can_read_a_backup(backed_up: Path) -> None:
    assert backed_up.stat().st_mode & 0o077 == 0
    with tarfile.open(backed_up) as tar:
        assert tar.getnames() == ["manifest.json", "agon.sqlite"]
    assert [each.name for each in backed_up.parent.glob(".agon*")] == []


def rewritten(path: Path, **changes: object) -> None:
    """The same backup with another manifest."""
    with tarfile.open(path) as tar:
        raw = tar.extractfile("manifest.json")
        content = tar.extractfile("agon.sqlite")
        assert raw is not None
        assert content is not None
        manifest = msgspec.json.decode(raw.read(), type=archive.Manifest)
        path.with_suffix(".db").write_bytes(content.read())
    archive.write(path, msgspec.structs.replace(manifest, **changes), path.with_suffix(".db"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"v": "agon-backup/2"}, "not 'agon-backup/1'"),
        ({"schema": "9999"}, "a newer Agon has made"),
        ({"sha256": "0" * 64}, "is damaged"),
        ({"bytes": 10}, "is damaged"),
    ],
)
async def test_a_backup_that_is_not_what_it_says_changes_nothing(
    tmp_path: Path, backed_up: Path, changes: dict[str, object], said: str
) -> None:
    rewritten(backed_up, **changes)
    data = DataDir(tmp_path / "two")
    with pytest.raises(BackupFailed, match=said):
        restore(backed_up, data)
    assert not data.file(database.FILE).exists()
    assert list(data.path.glob("*restor*")) == []


async def test_files_that_are_no_backups_are_named(tmp_path: Path, backed_up: Path) -> None:
    data = DataDir(tmp_path / "two")
    whole = backed_up.read_bytes()
    strange = tmp_path / "strange.tar"
    for content in (b"", b"hello", whole[:100], whole[: len(whole) // 2], RNG.randbytes(20_000)):
        strange.write_bytes(content)
        with pytest.raises(BackupFailed, match=str(strange)):
            restore(strange, data)
    with pytest.raises(BackupFailed, match=r"cannot read .*: No such file"):
        restore(tmp_path / "nowhere.tar", data)
    with tarfile.open(strange, "w") as tar:  # a link that leads out of the tar
        info = tarfile.TarInfo("manifest.json")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(info)
    with pytest.raises(BackupFailed, match="has no manifest"):
        restore(strange, data)
    assert not data.file(database.FILE).exists()


async def test_a_damaged_database_is_not_backed_up(tmp_path: Path, backed_up: Path) -> None:
    file = tmp_path / "one" / database.FILE
    whole = bytearray(file.read_bytes())
    whole[4_096 * 3 : 4_096 * 6] = RNG.randbytes(4_096 * 3)
    file.write_bytes(whole)
    with pytest.raises(BackupFailed, match=r"damaged|cannot copy"):
        await make(file, tmp_path / "damaged.tar")
    assert not (tmp_path / "damaged.tar").exists()


async def test_a_ledger_that_is_not_sound_is_backed_up_and_told(
    tmp_path: Path, backed_up: Path
) -> None:
    file = tmp_path / "one" / database.FILE
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("UPDATE ledger_account SET credits_posted = credits_posted + 1")
        connection.commit()
    manifest = await make(file, tmp_path / "unsound.tar")
    assert not manifest.sound
    assert json.loads(msgspec.json.encode(archive.read_manifest(tmp_path / "unsound.tar")))


PG_TOOLS = all(map(shutil.which, ("pg_dump", "pg_restore", "psql")))


@pytest.mark.skipif(
    not (PG_TOOLS and os.environ.get("AGON_TEST_DATABASE_URL")), reason="needs PostgreSQL's tools"
)
async def test_postgresqls_own_tools_do_the_same(
    tmp_path: Path, empty_url: str, redis: Redis
) -> None:
    """As docs/operations.md says: dump while it runs, restore, empty Redis, start."""
    url = make_url(empty_url)
    schema = str(url.query["search_path"])
    plain = url.set(drivername="postgresql", query={}).render_as_string(hide_password=False)
    out = str(tmp_path / "arena.dump")

    async def tool(*command: str) -> None:
        await asyncio.to_thread(subprocess.run, command, check=True, capture_output=True)

    store = await open_store(empty_url)
    ann, ben = await funded(store, "Ann"), await funded(store, "Ben")
    live = await live_session(store, redis, ann, ben)
    await tool("pg_dump", "--format=custom", f"--schema={schema}", f"--file={out}", plain)
    later = await funded(store, "Dan")
    await store.close()
    await tool("psql", "--quiet", f"--dbname={plain}", f"--command=DROP SCHEMA {schema} CASCADE")
    await redis.flushdb()
    await tool("pg_restore", "--no-owner", "--exit-on-error", f"--dbname={plain}", out)

    store = await open_store(empty_url)
    try:
        assert await store.agents.get(later.agent) is None
        await sweep(store, redis)
        async with working(serving(store, redis)), asyncio.timeout(20):
            while await store.results.get(live) is None:
                await asyncio.sleep(0.05)
        assert [await balance(store, each) for each in (ann, ben)] == [10 * TIER] * 2
        assert await store.ledger.audit() == []
        with pytest.raises(DBAPIError, match="immutable"):  # the guards have come along
            async with store.database.writing() as tx:
                await tx.execute(text("DELETE FROM ledger_transfer"))
    finally:
        await store.close()
