"""`agon operator run`: the parts of an operator, put together and run until it is told to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from chain.client.deployment import Manifest
from chain.client.fees import FeePolicy
from chain.client.nonces import Policy
from chain.client.operators import Operators, Terms
from chain.client.rpc import Rpc
from chain.client.signer import KeySigner
from chain.client.txs import Alarm, TxWriter
from chain.content.errors import IpfsError
from chain.content.ipfs import Ipfs
from chain.ethereum import LocalAccount
from chain.operator.journal import Journal
from chain.operator.keeper import Keeper, Plan
from server.clock import unix_ms
from server.operating.arena import Arena, Listening
from server.operating.reading import Reading, open_books
from server.operators.acting import Acts
from server.outside.sparing import Sparing
from server.store.chain_txs import ChainTxs
from server.store.engine import Database

LOOK_S = 4.0
"""Between two looks at the chain, where nothing wakes us."""
AGAIN_S = 10.0
"""After something was not to be had."""
JOURNAL = "keeper.sqlite"
BOOKS = "chain.sqlite"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator's owner says."""

    arena: str
    """The URL of its API."""
    ipfs: str
    """The RPC of our node."""
    folder: Path
    """Of its own: the journal, and what it has sent and read of the chain."""
    confirmations: int = 6
    batch_leaves: int = 256
    batch_every_s: int = 600
    max_bytes: int = 10 * 1024**3
    max_fee: int = 500 * 10**9
    """Wei a unit of gas at the most."""
    look_s: float = LOOK_S


class CannotOperate(Exception):
    """It would be of no use to begin; the message says what to do."""


async def operate(
    settings: Settings,
    rpc: Rpc,
    manifest: Manifest,
    account: LocalAccount,
    *,
    tell: Callable[[str], None],
) -> None:
    """Until cancelled. Raises CannotOperate, BotError, IpfsError, OSError, the last three at the start only. `rpc` is of the
    manifest's chain, and the caller's to close."""
    contract = Operators(rpc, manifest.address("operators"))
    terms = await contract.terms()
    settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    journal = Journal(settings.folder / JOURNAL)
    try:
        async with Ipfs(settings.ipfs) as ipfs, Arena(settings.arena) as arena:
            await check_ready(contract, terms, ipfs, str(account.address))
            parts = _Parts(settings, manifest, account, journal, rpc, contract, terms, ipfs, arena)
            await _work(parts, tell)
    finally:
        journal.close()


class _Parts(NamedTuple):
    settings: Settings
    manifest: Manifest
    account: LocalAccount
    journal: Journal
    rpc: Rpc
    contract: Operators
    terms: Terms
    ipfs: Ipfs
    arena: Arena


async def check_ready(contract: Operators, terms: Terms, ipfs: Ipfs, address: str) -> None:
    """Raises CannotOperate, IpfsError, OSError."""
    await ipfs.version()
    standing = await contract.operator(address)
    if not await contract.peer_id(address):
        raise CannotOperate(f"{address} is not registered: `agon operator register` does it")
    if standing.bonded + standing.unbonding == 0:
        raise CannotOperate(
            f"{address} has staked nothing: `agon operator stake` does it, {terms.min_stake // 10**18} FRAC at least"
        )


async def _work(parts: _Parts, tell: Callable[[str], None]) -> None:
    books = await open_books(parts.settings.folder / BOOKS)
    said = Sparing(tell)
    try:
        writer = _writer(parts, books, tell)
        reading = read(books, parts.rpc, parts.manifest, parts.settings.confirmations, tell)
        acts = Acts(writer, lambda name, why: said.about(name, f"{name}: {why}"))
        keeper = _keeper(parts, acts, tell)
        wake = asyncio.Event()
        listening = Listening(parts.arena, parts.journal, took=wake.set, tell=tell)
        kept = parts.journal.totals()
        tell(
            f"{parts.account.address} keeps for {parts.settings.arena}: {kept.kept} blocks, {kept.kept_bytes} bytes so far"
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(writer.run(every_s=min(1.0, parts.settings.look_s)))
            tasks.create_task(listening.run())
            tasks.create_task(_rounds(keeper, reading, wake, parts.settings.look_s, said))
    finally:
        await books.close()


def read(
    books: Database,
    rpc: Rpc,
    manifest: Manifest,
    confirmations: int,
    tell: Callable[[str], None],
) -> Reading:
    """The reader of the operators' contract, which goes on from where these books are."""
    return Reading(
        node=rpc,
        database=books,
        contract=Operators(rpc, manifest.address("operators")),
        start=manifest.first_block,
        confirmations=confirmations,
        alarm=lambda kind, detail: tell(f"chain: {kind}: {detail}"),
    )


def _writer(parts: _Parts, books: Database, tell: Callable[[str], None]) -> TxWriter:
    chain_id = parts.manifest.chain_id

    def alarmed(alarm: Alarm) -> None:
        tell(f"chain: {alarm.kind}: {alarm.action} {alarm.detail}".rstrip())

    return TxWriter(
        node=parts.rpc,
        store=ChainTxs(books),
        signer=KeySigner(parts.account, chain_id),
        chain_id=chain_id,
        clock=unix_ms,
        policy=Policy(
            confirmations=parts.settings.confirmations, fees=FeePolicy(cap=parts.settings.max_fee)
        ),
        alarm=alarmed,
    )


def _keeper(parts: _Parts, acts: Acts, tell: Callable[[str], None]) -> Keeper:
    settings = parts.settings
    return Keeper(
        plan=Plan(
            str(parts.account.address),
            parts.terms.min_stake,
            settings.batch_leaves,
            settings.batch_every_s * 1_000,
            settings.max_bytes,
        ),
        journal=parts.journal,
        node=parts.ipfs,
        source=parts.arena,
        contract=parts.contract,
        acts=acts,
        clock=unix_ms,
        tell=tell,
    )


async def _rounds(
    keeper: Keeper, reading: Reading, wake: asyncio.Event, look_s: float, said: Sparing
) -> None:
    while True:
        wait_s = look_s
        try:
            look = await reading.look()
            wake.clear()
            if await keeper.round(look):
                continue
            said.over("round")
        except (OSError, IpfsError) as error:  # of the chain, of our own node
            said.about("round", f"not now: {error}")
            wait_s = min(AGAIN_S, 10 * look_s)
        try:
            async with asyncio.timeout(wait_s):
                await wake.wait()
        except TimeoutError:
            pass
