"""Epochs on a real escrow: every pot is paid out once, whoever crashes when, and no session holds up the others."""

from __future__ import annotations

import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chain.client.escrow import Opening
from chain.documents import epoch as epoch_documents
from chain.documents import payouts as payout_documents
from chain.documents.signature import signer
from server.clock import unix_ms
from server.settlement.epochs import Epochs
from server.store import Store, open_store
from tests.chain.node import REFUND_AFTER_S, account
from tests.chain.rpc import CHAIN_ID
from tests.server.escrow_world import (
    OWNERS,
    SETTLER_KEY,
    TIER,
    TREASURY,
    Clock,
    EscrowWorld,
    escrow_world,
)


@pytest.fixture
def clock() -> Clock:
    return Clock(unix_ms())


@pytest.fixture
async def ticking(store_url: str, clock: Clock) -> AsyncIterator[Store]:
    store = await open_store(store_url, clock)
    yield store
    await store.close()


@pytest.fixture
async def world(ticking: Store, clock: Clock, tmp_path: Path) -> AsyncIterator[EscrowWorld]:
    async with escrow_world(ticking, clock, tmp_path) as made:
        yield made


async def claimed(world: EscrowWorld) -> dict[int, int]:
    """What the escrow has paid to each of the owners and the treasury, by the number of the known account."""
    every = (*OWNERS, TREASURY)
    return {each: (await world.escrow.account(account(each).address)).claimed for each in every}


def kinds(world: EscrowWorld) -> set[str]:
    return {each.kind for each in world.alarms}


async def test_settled_sessions_are_closed_claimed_for_and_told(world: EscrowWorld) -> None:
    played = [await world.play(first=number) for number in range(3)]
    unrated = await world.play(rated=False)
    await world.go_on()

    row = await world.store.epochs.get(1)
    assert row is not None
    assert row.state == "closed"
    epoch = epoch_documents.read(row.document)
    assert [each.session for each in epoch.results] == sorted(played)
    assert signer(CHAIN_ID, world.escrow.address, epoch, epoch.sig) == (  # type: ignore[arg-type]
        account(SETTLER_KEY).address
    )
    assert row.payouts is not None
    payouts, tree = payout_documents.read(row.payouts)
    assert epoch.payouts.total_micros == 3 * 2 * TIER == tree.total
    assert (await world.escrow.read("payout_root")).hex() == payouts.root == row.payout_root
    assert bytes(await world.escrow.read("result_root", 1)).hex() == epoch.root
    paid = await claimed(world)
    assert sum(paid.values()) == 3 * 2 * TIER
    assert paid[TREASURY] == 3 * 2 * TIER // 20
    assert [(session, number) for session, number, _ in world.anchored] == [
        (each, 1) for each in sorted(played)
    ]
    waiting = await world.store.epochs.session(unrated)
    assert waiting is not None
    assert (waiting.state, waiting.epoch) == ("open", None)
    assert not kinds(world)


@pytest.mark.slow
async def test_the_next_epoch_adds_to_the_last_and_old_payouts_are_forgotten(
    world: EscrowWorld,
) -> None:
    for number in range(1, 4):
        await world.play()
        await world.go_on()
        row = await world.store.epochs.latest()
        assert row is not None
        assert (row.number, row.state) == (number, "closed")
        assert row.allotted_micros == number * 2 * TIER
    assert sum((await claimed(world)).values()) == 3 * 2 * TIER
    await world.go_on(1)
    kept = [await world.store.epochs.get(number) for number in (1, 2, 3)]
    assert [each is not None and each.payouts is not None for each in kept] == [False, True, True]


@pytest.mark.slow
async def test_epochs_wait_for_their_time(world: EscrowWorld) -> None:
    world.epochs = world.new_epochs(every_s=60)
    await world.play()
    await world.go_on()
    await world.play()
    await world.go_on()
    assert [each.number for each in await world.store.epochs.page()] == [1]
    world.clock.ms += 60_000
    await world.go_on()
    assert [each.number for each in await world.store.epochs.page()] == [2, 1]


@pytest.mark.slow
async def test_a_void_session_is_given_back_and_in_no_epoch(world: EscrowWorld) -> None:
    void = await world.play(void=True)
    before = (await world.escrow.account(world.wallet(0))).balance
    await world.go_on()
    assert (await world.escrow.session(void))[0] == 3
    assert (await world.escrow.account(world.wallet(0))).balance == before + TIER
    assert await world.store.epochs.latest() is None
    assert [session for session, _ in world.refunded] == [void]
    kept = await world.documents.result(void)
    assert kept is not None


@pytest.mark.slow
async def test_a_session_that_somebody_has_refunded_holds_up_nobody(world: EscrowWorld) -> None:
    """Found out before anything is sent: the node refuses the call."""
    lost, kept = await world.play(), await world.play(first=1)
    row = await world.store.epochs.session(lost)
    assert row is not None
    refund = world.escrow.refund([Opening(lost, TIER, row.owners)])
    await world.chain.send(SETTLER_KEY, *refund)  # behind the arena's back
    await world.epochs.round()
    made = await world.store.epochs.get(1)
    assert made is not None
    assert [each.session for each in await world.store.epochs.sessions_of(1)] == [kept]
    await world.go_on()
    assert "epoch-remade" in kinds(world)
    closed = await world.store.epochs.get(1)
    assert closed is not None
    assert closed.state == "closed"
    assert [each.session for each in epoch_documents.read(closed.document).results] == [kept]
    assert sum((await claimed(world)).values()) == 2 * TIER


@pytest.mark.slow
async def test_an_epoch_that_fails_on_the_chain_is_made_anew_under_its_number(
    world: EscrowWorld,
) -> None:
    """Its transaction was on its way when the time of one session was over."""
    late = await world.play()
    await world.pass_time(REFUND_AFTER_S - 1_200)
    kept = await world.play(first=1)
    await world.epochs.round()
    assert await world.writer.find("epoch:1") is not None, "it will be sent"
    await world.pass_time(1_300)
    await world.settle_down()
    failed = await world.writer.find("epoch:1")
    assert failed is not None
    assert failed.mined is not None
    assert not failed.mined.succeeded

    await world.go_on(6)
    closed = await world.store.epochs.get(1)
    assert closed is not None
    assert closed.state == "closed"
    assert [each.session for each in epoch_documents.read(closed.document).results] == [kept]
    second = await world.writer.find("epoch:1:2")
    assert second is not None
    assert second.done
    assert sum((await claimed(world)).values()) == 2 * TIER
    left = await world.store.epochs.session(late)
    assert left is not None
    assert (left.state, left.epoch) == ("refunded", None), "like a void one"
    assert await world.store.epochs.get(2) is None
    assert {"epoch-remade", "reverted", "overdue"} <= kinds(world)


@pytest.mark.slow
async def test_an_epoch_of_nothing_but_lost_sessions_gives_its_number_back(
    world: EscrowWorld,
) -> None:
    await world.play()
    await world.epochs.round()
    await world.pass_time(REFUND_AFTER_S + 600)
    await world.settle_down()
    await world.go_on(5)
    assert await world.store.epochs.latest() is None
    await world.play(first=1)
    await world.go_on(5)
    row = await world.store.epochs.latest()
    assert row is not None
    assert (row.number, row.state) == (1, "closed")


@pytest.mark.slow
async def test_an_epoch_that_was_given_up_is_sent_again_under_another_name(
    world: EscrowWorld,
) -> None:
    await world.play()
    await world.epochs.round()
    await world.writer.cancel("epoch:1")
    await world.settle_down()
    await world.settle_down()
    await world.go_on()
    row = await world.store.epochs.get(1)
    assert row is not None
    assert row.state == "closed"
    second = await world.writer.find("epoch:1:2")
    assert second is not None
    assert second.done


@pytest.mark.slow
async def test_a_chain_that_counts_other_epochs_is_not_argued_with(world: EscrowWorld) -> None:
    foreign = world.escrow.invoke("close_epoch", 1, b"\1" * 32, b"\2" * 32, 0, [])
    await world.chain.send(SETTLER_KEY, *foreign)  # another arena with the same key
    await world.play()
    await world.go_on(2)
    assert await world.store.epochs.latest() is None
    assert "epoch-number" in kinds(world)


@pytest.mark.slow
async def test_what_a_reorganisation_takes_back_is_done_again(world: EscrowWorld) -> None:
    session = await world.play()
    await world.go_on()
    before = await claimed(world)
    await world.chain.wire("evm_reorg", 10, True)
    await world.chain.wire("evm_mine")
    await world.follow()
    undone = await world.store.epochs.get(1)
    assert undone is not None
    assert (undone.state, undone.tx) == ("made", None)
    waiting = await world.store.epochs.session(session)
    assert waiting is not None
    assert (waiting.state, waiting.epoch) == ("open", 1)
    await world.go_on(6)
    again = await world.store.epochs.get(1)
    assert again is not None
    assert (again.state, again.document) == ("closed", undone.document)
    assert await claimed(world) == before


class Killed(Exception):
    """The process is gone."""


class Fragile:
    """Something whose calls may be the last thing that a process does: done, or not even that."""

    def __init__(self, inner: object, rng: random.Random, chance: float) -> None:
        self._inner, self._rng, self._chance = inner, rng, chance

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._inner, name)

        async def called(*arguments: Any, **named: Any) -> Any:
            self._perhaps_die()
            found = await method(*arguments, **named)
            self._perhaps_die()
            return found

        return called

    def _perhaps_die(self) -> None:
        if self._rng.random() < self._chance:
            raise Killed


def fragile_epochs(world: EscrowWorld, rng: random.Random, chance: float) -> Epochs:
    epochs = Fragile(world.store.epochs, rng, chance)
    store = SimpleNamespace(epochs=epochs, document_pins=world.store.document_pins)
    writer: Any = Fragile(world.writer, rng, chance)
    return world.new_epochs(store=store, writer=writer)  # type: ignore[arg-type]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
async def test_whoever_is_killed_when_every_pot_is_paid_out_once(
    world: EscrowWorld, seed: int
) -> None:
    rng = random.Random(seed)
    settled: list[str] = []
    void: list[str] = []
    for _ in range(6):
        if rng.random() < 0.25:
            void.append(await world.play(void=True, first=rng.randrange(4)))
        else:
            settled.append(await world.play(first=rng.randrange(4)))
        for _ in range(rng.randrange(5)):
            epochs = fragile_epochs(world, rng, 0.08)
            with contextlib.suppress(Killed):
                for _ in range(3):
                    await epochs.round()
                    if rng.random() < 0.5:
                        await world.settle_down()
                    if rng.random() < 0.5:
                        await world.follow()
    world.epochs = world.new_epochs()
    await world.go_on(12)
    for session in settled:
        assert (await world.escrow.session(session))[0] == 2
    for session in void:
        assert (await world.escrow.session(session))[0] == 3
    books = await world.escrow.books()
    assert books.settled == books.allotted == books.claimed == len(settled) * 2 * TIER
    rows = await world.store.epochs.page()
    assert all(row.state == "closed" for row in rows)
    told = [
        each.session
        for row in rows
        if (full := await world.store.epochs.get(row.number)) is not None
        for each in epoch_documents.read(full.document).results
    ]
    assert sorted(told) == sorted(settled), "each in one epoch"
    assert not kinds(world) - {"contended"}
