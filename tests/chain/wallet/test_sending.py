"""One command, one transaction: however often it is repeated, killed, outbid or reorganised away."""

from __future__ import annotations

import pytest

from chain.client.contract import Invocation
from chain.client.node import RpcUnavailable
from chain.client.nonces import Mined
from chain.client.rpc import Rpc
from chain.devchain.accounts import ADDRESSES
from chain.ethereum import Account
from chain.wallet.deposits import deposit
from chain.wallet.refusals import FlowRefused
from tests.chain.rpc import signed
from tests.chain.wallet.stage import DOLLAR, Stage

FIVE = "deposit 5.00 USDC"


async def test_a_wallet_without_gas_is_told_before_anything_is_signed(stage: Stage) -> None:
    poor = Account.from_key(b"\x66" * 32)
    await stage.give(poor.address, usdc=5 * DOLLAR)
    with pytest.raises(FlowRefused, match=f"{poor.address} has no ETH to pay gas with"):
        await deposit(stage.hands(FIVE, key=poor), 5 * DOLLAR)
    assert stage.journal.written == 0
    await stage.give(poor.address, wei=1_000)
    with pytest.raises(FlowRefused, match=r"has <0.00000001 ETH, and this may cost up to 0\.00"):
        await deposit(stage.hands(FIVE, key=poor), 5 * DOLLAR)
    assert stage.journal.written == 0


async def test_gas_above_the_cap_is_not_paid(stage: Stage) -> None:
    with pytest.raises(FlowRefused, match=r"more than the cap of 0.001 gwei: wait, or raise"):
        await deposit(stage.hands(FIVE, cap=10**6), 5 * DOLLAR)
    assert stage.journal.written == 0


async def test_the_same_command_goes_on_with_what_it_has_sent(stage: Stage) -> None:
    await stage.chain.wire("evm_setAutomine", False)
    before = await stage.nonce()
    for _ in range(2):
        with pytest.raises(FlowRefused, match="the same command goes on waiting"):
            await deposit(stage.hands(FIVE, patience_s=0), 5 * DOLLAR)
    sent = stage.journal.sent
    assert sent is not None
    assert sent.command == FIVE
    assert stage.journal.written == 1, "the second run has signed nothing"
    with pytest.raises(FlowRefused, match=r"`deposit 5\.00 USDC` of 0 s ago still waits"):
        await deposit(stage.hands("deposit 7.00 USDC"), 7 * DOLLAR)
    await stage.chain.wire("evm_mine")
    done = await deposit(stage.hands(FIVE), 5 * DOLLAR)
    assert done.tx.earlier
    assert done.tx.hash == sent.attempts[0].hash
    assert done.escrow_micros == 5 * DOLLAR
    assert await stage.nonce() == before + 1


async def test_a_run_that_was_killed_before_it_told_is_not_done_again(stage: Stage) -> None:
    await deposit(stage.hands(FIVE), 5 * DOLLAR)  # and killed here: nobody has called finish
    hands = stage.hands(FIVE)
    again = await deposit(hands, 5 * DOLLAR)
    assert again.tx.earlier
    assert again.escrow_micros == 5 * DOLLAR
    hands.sender.finish()
    once_more = await deposit(stage.hands(FIVE), 5 * DOLLAR)
    assert not once_more.tx.earlier
    assert once_more.escrow_micros == 10 * DOLLAR


async def test_bytes_that_no_node_has_got_are_sent_by_the_next_run(stage: Stage) -> None:
    await stage.chain.wire("evm_setAutomine", False)
    with pytest.raises(FlowRefused):
        await deposit(stage.hands(FIVE, patience_s=0), 5 * DOLLAR)
    await stage.chain.wire("evm_mine")
    await stage.chain.wire("evm_reorg", 1, True)
    sent = stage.journal.sent
    assert sent is not None
    assert not await stage.chain.rpc.known(sent.attempts[0].hash), "the node has forgotten it"
    await stage.chain.wire("evm_setAutomine", True)
    done = await deposit(stage.hands(FIVE), 5 * DOLLAR)
    assert done.tx.hash == sent.attempts[0].hash
    assert done.escrow_micros == 5 * DOLLAR


async def test_what_another_command_has_left_is_told_and_over(stage: Stage) -> None:
    await deposit(stage.hands(FIVE), 5 * DOLLAR)
    other = await deposit(stage.hands("deposit 7.00 USDC"), 7 * DOLLAR)
    assert other.escrow_micros == 12 * DOLLAR
    assert any("deposit of 5.00 USDC: done" in line for line in stage.told)


async def test_it_can_be_outbid_and_given_up(stage: Stage) -> None:
    await stage.chain.wire("evm_setAutomine", False)
    with pytest.raises(FlowRefused):
        await deposit(stage.hands(FIVE, patience_s=0), 5 * DOLLAR)
    hands = stage.hands("pending", patience_s=0)
    under_way = await hands.sender.under_way()
    assert under_way is not None
    with pytest.raises(FlowRefused, match="is in no block"):
        await hands.sender.again(under_way, cancel=False)
    under_way = await hands.sender.under_way()
    assert under_way is not None
    first, second = under_way.attempts
    assert second.fees.most >= first.fees.most * 9 // 8
    with pytest.raises(FlowRefused, match="is in no block"):
        await hands.sender.again(under_way, cancel=True)
    await stage.chain.wire("evm_mine")
    assert await hands.sender.under_way() is None
    assert await stage.hands(FIVE).sender.earlier() is None, "it is free to be done anew"
    assert any("was given up" in line for line in stage.told)
    assert (await stage.contracts.escrow.account(stage.owner.address)).balance == 0


async def test_what_another_program_has_sent_is_waited_for(stage: Stage) -> None:
    await stage.chain.wire("evm_setAutomine", False)
    key = "0x" + "77" * 32
    await stage.chain.wire("eth_sendRawTransaction", signed(0, key=key))
    with pytest.raises(
        FlowRefused, match="1 transaction of this wallet that another program has sent"
    ):
        await deposit(stage.hands(FIVE), 5 * DOLLAR)
    assert stage.journal.written == 0


async def test_a_transaction_whose_place_was_taken_is_told(stage: Stage) -> None:
    await stage.chain.wire("evm_setAutomine", False)
    with pytest.raises(FlowRefused):
        await deposit(stage.hands(FIVE, patience_s=0), 5 * DOLLAR)
    key = "0x" + "77" * 32
    dear = signed(await stage.nonce(), key=key, fee=10**13, tip=10**10)
    await stage.chain.wire("eth_sendRawTransaction", dear)
    await stage.chain.wire("evm_mine")
    await stage.chain.wire("evm_setAutomine", True)
    done = await deposit(stage.hands(FIVE), 5 * DOLLAR)
    assert any("another transaction of this wallet took its place" in line for line in stage.told)
    assert not done.tx.earlier
    assert done.escrow_micros == 5 * DOLLAR


async def test_a_receipt_that_comes_late_is_waited_for(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, asked = Rpc.mined, []

    async def late(self: Rpc, hash_: str) -> Mined | None:
        """The node has counted the block, and has its receipts a little later."""
        asked.append(hash_)
        return await real(self, hash_) if len(asked) > 3 else None

    monkeypatch.setattr(Rpc, "mined", late)
    done = await deposit(stage.hands(FIVE), 5 * DOLLAR)
    assert done.tx.hash == asked[0]
    assert done.escrow_micros == 5 * DOLLAR


async def test_a_failure_on_the_chain_says_why_and_what_it_cost(stage: Stage) -> None:
    escrow = stage.contracts.escrow
    await stage.be(escrow, "guardian")
    await stage.chain.wire("evm_setAutomine", False)
    pause = escrow.invoke("set_paused", True)
    nonce = await stage.chain.rpc.waiting(ADDRESSES[0])
    first = signed(nonce, to=pause.to, data=pause.data)
    await stage.chain.wire("eth_sendRawTransaction", first)  # what is sent next cannot know
    with pytest.raises(FlowRefused):
        await deposit(stage.hands(FIVE, patience_s=0), 5 * DOLLAR)
    await stage.chain.wire("evm_mine")
    with pytest.raises(
        FlowRefused, match=r"failed on the chain: the escrow's guardian.*gas is spent"
    ):
        await deposit(stage.hands(FIVE), 5 * DOLLAR)
    assert stage.journal.sent is None
    assert (await escrow.account(stage.owner.address)).balance == 0


async def test_a_journal_of_another_chain_is_nothing_to_wait_for(stage: Stage) -> None:
    await deposit(stage.hands(FIVE), 5 * DOLLAR)
    sent = stage.journal.sent
    assert sent is not None
    stage.manifest = type(stage.manifest)(
        **{name: getattr(stage.manifest, name) for name in stage.manifest.__struct_fields__}
        | {"genesis": "0x" + "00" * 32}
    )
    assert await stage.hands(FIVE).sender.earlier() is None
    assert stage.journal.sent is None


async def test_a_node_that_is_gone_leaves_the_journal(stage: Stage) -> None:
    await stage.chain.wire("evm_setAutomine", False)
    with pytest.raises(FlowRefused):
        await deposit(stage.hands(FIVE, patience_s=0), 5 * DOLLAR)
    hands = stage.hands(FIVE)
    await stage.chain.rpc.close()
    stage.chain.rpc._provider._url = "http://127.0.0.1:9"  # type: ignore[assignment]
    with pytest.raises(RpcUnavailable, match="the chain's node failed"):
        await deposit(hands, 5 * DOLLAR)
    assert stage.journal.sent is not None


async def test_nothing_is_sent_that_would_fail(stage: Stage) -> None:
    hands = stage.hands("withdraw")
    escrow = stage.contracts.escrow
    with pytest.raises(FlowRefused, match="no withdrawal is on its way"):
        await hands.sender.send("it", escrow.withdraw(stage.owner.address))
    assert not await hands.sender.would(escrow.withdraw(stage.owner.address))
    assert stage.journal.written == 0
    with pytest.raises(FlowRefused, match="does not say why"):
        await hands.sender.send("it", Invocation(escrow.address, b"\x01\x02\x03\x04"))
