"""The writer of transactions among crashes, reorganisations and forgetful nodes."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from chain.client.fees import FeePolicy, Fees
from chain.client.node import Trouble
from chain.client.nonces import Call, Policy, State, Tx
from chain.client.txs import CANCEL_GAS, Alarm, OtherCall, TxWriter
from tests.chain.fake_chain import (
    CHAIN_ID,
    SENDER,
    Crash,
    FakeNode,
    FakeSigner,
    Fuse,
    MemoryTxs,
    Sent,
    outbids,
)

T = TypeVar("T")
CONFIRMATIONS = 3
RESUBMIT_MS = 1_000
TARGET = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"


class World:
    """A chain, a store, and a writer that can be killed and started again."""

    def __init__(self, **policy: Any) -> None:
        self.fuse = Fuse()
        self.node = FakeNode(self.fuse)
        self.store = MemoryTxs(self.fuse)
        self.now_ms = 1_000_000
        self.alarms: list[Alarm] = []
        self.policy = Policy(
            confirmations=CONFIRMATIONS, resubmit_ms=RESUBMIT_MS, in_flight=4, **policy
        )
        self.start()

    def start(self) -> None:
        self.writer = TxWriter(
            node=self.node, store=self.store, signer=FakeSigner(), chain_id=CHAIN_ID,
            clock=lambda: self.now_ms, policy=self.policy, alarm=self.alarms.append,
        )  # fmt: skip

    def submit(self, action: str) -> Tx:
        return _run(self.writer.submit(action, TARGET, action.encode()))

    def round(self) -> int:
        return _run(self.writer.round())

    def row(self, action: str) -> Tx:
        found = _run(self.writer.find(action))
        assert found is not None
        return found

    def kinds(self) -> set[str]:
        return {alarm.kind for alarm in self.alarms}


def _run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def test_an_action_is_mined_and_buried() -> None:
    world = World()
    assert world.submit("epoch:1").state is State.RESERVED
    world.round()
    assert world.row("epoch:1").state is State.SENT
    world.node.mine()
    world.round()
    assert world.row("epoch:1").state is State.MINED
    world.node.mine(CONFIRMATIONS)
    world.round()
    assert world.row("epoch:1").done
    assert world.round() == 0
    assert world.node.executed() == [b"epoch:1"]
    assert world.alarms == []


def test_an_action_is_signed_for_one_nonce_whatever_is_asked_again() -> None:
    world = World()
    first, again = world.submit("epoch:1"), world.submit("epoch:1")
    assert first == again
    with pytest.raises(OtherCall, match="epoch:1"):
        _run(world.writer.submit("epoch:1", TARGET, b"something else"))
    assert world.submit("epoch:2").nonce == 1


def test_a_transaction_that_stays_out_of_blocks_is_outbid_and_either_may_win() -> None:
    world = World()
    world.submit("epoch:1")
    world.round()
    cheap = world.node.pool[0]
    world.now_ms += RESUBMIT_MS
    world.round()
    assert len(world.row("epoch:1").attempts) == 2
    assert world.node.pool[0] != cheap
    world.node.pool[0] = cheap  # another node had it
    world.node.mine(CONFIRMATIONS + 1)
    world.round()
    row = world.row("epoch:1")
    assert row.done
    assert row.mined is not None
    assert row.mined.hash == row.attempts[0].hash


def test_only_the_nonce_that_is_next_is_outbid() -> None:
    world = World()
    for number in range(3):
        world.submit(f"epoch:{number}")
    world.round()
    world.now_ms += 2 * RESUBMIT_MS
    world.round()
    assert [len(world.row(f"epoch:{n}").attempts) for n in range(3)] == [2, 1, 1]


def test_a_base_fee_that_rises_is_followed() -> None:
    world = World()
    world.submit("epoch:1")
    world.round()
    world.node.base_fee *= 10
    world.node.mine()
    assert world.node.executed() == []
    world.now_ms += RESUBMIT_MS
    world.round()
    world.node.mine()
    assert world.node.executed() == [b"epoch:1"]


def test_fees_stop_at_the_cap_and_somebody_is_told() -> None:
    world = World(fees=FeePolicy(cap=3 * 10**9))
    world.submit("epoch:1")
    for _ in range(6):
        world.round()
        world.now_ms += RESUBMIT_MS
    assert max(each.fees.most for each in world.row("epoch:1").attempts) <= 3 * 10**9
    assert world.kinds() == {"fee-capped"}
    assert len(world.alarms) == 1, "once a minute"


def test_a_reorganisation_that_drops_it_has_the_same_bytes_sent_again() -> None:
    world = World()
    world.submit("epoch:1")
    world.round()
    raw = world.node.pool[0]
    world.node.mine()
    world.round()
    world.node.reorganise(1)
    world.round()
    assert world.node.pool[0] == raw
    assert world.kinds() == {"reorganised"}
    world.node.mine(CONFIRMATIONS + 1)
    world.round()
    assert world.row("epoch:1").done


def test_even_what_was_buried_comes_back() -> None:
    world = World()
    world.submit("epoch:1")
    world.round()
    world.node.mine(CONFIRMATIONS + 1)
    world.round()
    assert world.row("epoch:1").done
    world.node.reorganise(CONFIRMATIONS + 1)
    world.round()
    assert "deep-reorganisation" in world.kinds()
    world.node.mine(CONFIRMATIONS + 1)
    world.round()
    assert world.row("epoch:1").done
    assert world.node.executed() == [b"epoch:1"]


def test_a_key_that_is_used_elsewhere_is_noticed_and_the_next_nonce_is_free() -> None:
    world = World()
    world.submit("epoch:1")
    world.round()
    world.node.foreign()
    world.round()
    assert world.row("epoch:1").state is State.SENT, "a reorganisation may still give it back"
    world.node.mine(CONFIRMATIONS)
    world.round()
    assert world.row("epoch:1").state is State.REPLACED
    assert "nonce-taken" in world.kinds()
    assert world.submit("epoch:1#2").nonce == 1


def test_a_nonce_that_is_given_back_after_all_is_used_for_nothing() -> None:
    world = World()
    world.submit("epoch:1")
    world.round()
    world.node.foreign()
    world.node.mine(CONFIRMATIONS)
    world.round()
    world.node.reorganise(CONFIRMATIONS + 1)
    world.submit("epoch:1#2")
    for _ in range(3):
        world.round()
        world.node.mine(CONFIRMATIONS + 1)
    world.round()
    assert world.row("epoch:1").state is State.DROPPED
    assert world.node.executed() == [b"", b"epoch:1#2"]


def test_a_nonce_that_nobody_has_any_more_is_filled_so_that_ours_can_follow() -> None:
    world = World()
    world.node.foreign()
    assert world.submit("epoch:1").nonce == 1
    world.node.reorganise(1)
    world.round()
    world.node.mine()
    assert world.node.executed() == [], "he may send it again"
    world.now_ms += RESUBMIT_MS
    for _ in range(3):
        world.round()
        world.node.mine(CONFIRMATIONS)
    world.round()
    assert world.node.executed() == [b"", b"epoch:1"]
    assert world.row("epoch:1").done
    assert "gap" in world.kinds()


@pytest.mark.parametrize("sent", [False, True])
def test_what_is_given_up_uses_its_nonce_for_nothing(sent: bool) -> None:
    world = World()
    world.submit("epoch:1")
    if sent:
        world.round()
    _run(world.writer.cancel("epoch:1"))
    world.round()
    world.node.mine(CONFIRMATIONS + 1)
    world.round()
    assert world.row("epoch:1").state is State.DROPPED
    assert world.node.executed() == [b""]


def test_what_is_given_up_too_late_has_happened() -> None:
    world = World()
    world.submit("epoch:1")
    world.round()
    world.node.mine()
    _run(world.writer.cancel("epoch:1"))
    world.round()
    world.node.mine(CONFIRMATIONS)
    world.round()
    assert world.row("epoch:1").done


@pytest.mark.parametrize("trouble", [Trouble.FUNDS, Trouble.OTHER])
def test_a_refusal_holds_up_what_follows_and_is_told(trouble: Trouble) -> None:
    world = World()
    world.submit("epoch:1")
    world.submit("epoch:2")
    world.node.refuses = trouble
    world.round()
    assert world.kinds() == {trouble.value}
    assert [world.row(f"epoch:{n}").state for n in (1, 2)] == [State.SIGNED, State.RESERVED]
    world.node.refuses = None
    world.round()
    world.node.mine(CONFIRMATIONS + 1)
    world.round()
    assert world.node.executed() == [b"epoch:1", b"epoch:2"]


def test_what_no_node_takes_can_be_given_up_so_that_the_rest_can_follow() -> None:
    world = World()
    world.submit("epoch:1")
    world.submit("epoch:2")
    world.node.never_takes = b"epoch:1"
    world.round()
    _run(world.writer.cancel("epoch:1"))
    for _ in range(2):
        world.round()
        world.node.mine(CONFIRMATIONS + 1)
    world.round()
    assert world.row("epoch:1").state is State.DROPPED
    assert world.node.executed() == [b"", b"epoch:2"]


def test_two_writers_by_mistake_harm_nothing() -> None:
    world = World()
    world.submit("epoch:1")
    other = TxWriter(
        node=world.node, store=world.store, signer=FakeSigner(), chain_id=CHAIN_ID,
        clock=lambda: world.now_ms + 1, policy=world.policy,
    )  # fmt: skip

    async def both() -> None:
        await asyncio.gather(world.writer.round(), other.round())

    for _ in range(3):
        _run(both())
        world.now_ms += RESUBMIT_MS
    world.node.mine(CONFIRMATIONS + 1)
    _run(both())
    assert world.row("epoch:1").done
    assert world.node.executed() == [b"epoch:1"]


class Storms(RuleBasedStateMachine):
    """Whatever happens in whatever order: each action is done once, and only by what was stored before it was sent."""

    @initialize()
    def begin(self) -> None:
        self.world = World()
        self.submitted: list[str] = []
        self.given_up: set[str] = set()
        self.foreign = 0

    @rule()
    def submit(self) -> None:
        action = f"epoch:{len(self.submitted)}"
        self.submitted.append(action)
        self._survive(lambda: self.world.submit(action))

    @rule(which=st.integers(0, 30))
    def submit_again(self, which: int) -> None:
        if self.submitted:
            self._survive(lambda: self.world.submit(self.submitted[which % len(self.submitted)]))

    @rule()
    def work(self) -> None:
        self._survive(self.world.round)

    @rule(steps=st.integers(0, 25))
    def die_while_working(self, steps: int) -> None:
        self.world.fuse.set(steps)
        self._survive(self.world.round)

    @rule(steps=st.integers(0, 6))
    def die_while_submitting(self, steps: int) -> None:
        self.world.fuse.set(steps)
        self.submit()

    @rule(which=st.integers(0, 30), steps=st.none() | st.integers(0, 4))
    def give_up(self, which: int, steps: int | None) -> None:
        if self.submitted:
            action = self.submitted[which % len(self.submitted)]
            self.given_up.add(action)
            self.world.fuse.set(steps)
            self._survive(lambda: _run(self.world.writer.cancel(action)))

    @precondition(lambda self: self.foreign < 2)
    @rule()
    def use_the_key_elsewhere(self) -> None:
        self.foreign += 1
        self.world.node.foreign()

    @rule(count=st.integers(1, 3))
    def mine(self, count: int) -> None:
        self.world.node.mine(count)

    @rule(depth=st.integers(1, CONFIRMATIONS + 2))
    def reorganise(self, depth: int) -> None:
        self.world.node.reorganise(depth)

    @rule()
    def forget_what_waits(self) -> None:
        self.world.node.pool.clear()

    @rule(deaf=st.booleans())
    def go_deaf(self, deaf: bool) -> None:
        self.world.node.deaf = deaf

    @rule(factor=st.sampled_from([0.2, 0.9, 1.1, 5.0]))
    def change_the_market(self, factor: float) -> None:
        node = self.world.node
        node.base_fee = min(max(int(node.base_fee * factor), 10**7), 50 * 10**9)

    @rule(ms=st.sampled_from([10, RESUBMIT_MS]))
    def wait(self, ms: int) -> None:
        self.world.now_ms += ms

    @invariant()
    def each_action_has_one_nonce_and_is_done_at_most_once(self) -> None:
        rows = list(self.world.store.rows.values())
        assert len({row.action for row in rows}) == len(rows)
        executed = self.executed()
        assert len(set(executed)) == len(executed), "done twice"

    @invariant()
    def what_was_sent_is_stored_and_each_attempt_outbids_the_last(self) -> None:
        stored: set[bytes] = set()
        for row in self.world.store.rows.values():
            fees: list[Fees] = [attempt.fees for attempt in row.attempts]
            assert all(outbids(new, old) for old, new in itertools.pairwise(fees))
            for attempt in row.attempts:
                sent = msgspec.msgpack.decode(attempt.raw, type=Sent)
                call = Call(SENDER, b"", CANCEL_GAS) if attempt.cancels else row.call
                assert (sent.nonce, sent.call, sent.fees) == (row.nonce, call, attempt.fees)
                stored.add(attempt.raw)
        assert self.world.node.ever_sent <= stored

    @invariant()
    def a_row_that_is_over_is_in_a_block_or_is_about_to_be_reopened(self) -> None:
        executed = self.world.node.executed()
        for row in self.world.store.rows.values():
            if row.state is State.FINAL and row.nonce < self.world.node.used:
                assert row.call.data in executed

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        world = self.world
        world.fuse.set(None)
        world.node.deaf = False
        for action in self.submitted:
            world.submit(action)
        for _ in range(60 + 2 * len(self.submitted)):
            world.now_ms += RESUBMIT_MS
            world.round()
            world.node.mine()
        done = [action.encode() for action in self.submitted if world.row(action).done]
        assert sorted(self.executed()) == sorted(done)
        for action in self.submitted:
            state = world.row(action).state
            gone = [State.REPLACED, State.DROPPED] if self.foreign else []
            gone += [State.DROPPED] if action in self.given_up else []
            assert state in (State.FINAL, *gone), action

    def executed(self) -> list[bytes]:
        """Of the actions, what is in blocks: not what was given up, nor what somebody else did."""
        return [data for data in self.world.node.executed() if data.startswith(b"epoch:")]

    def _survive(self, work: Any) -> None:
        """The process may end; another begins with what is stored."""
        try:
            work()
        except Crash:
            self.world.start()
        finally:
            self.world.fuse.set(None)


Storms.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestStorms = Storms.TestCase


def test_a_name_has_a_bound() -> None:
    with pytest.raises(ValueError, match="1 to 128"):
        _run(World().writer.submit("x" * 129, TARGET, b""))


def test_a_call_is_kept_as_it_was_asked() -> None:
    assert World().submit("epoch:1").call == Call(TARGET, b"epoch:1", 62_500)
