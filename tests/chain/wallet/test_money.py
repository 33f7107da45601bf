"""Deposits, limits and withdrawals, end to end on a chain."""

from __future__ import annotations

import msgspec
import pytest

from chain.client.contract import Invocation
from chain.client.escrow import Limits, Opening
from chain.client.token import Token
from chain.devchain.accounts import ADDRESSES
from chain.ethereum import Account
from chain.wallet import limits, withdrawals
from chain.wallet.deposits import deposit
from chain.wallet.holdings import in_words, look
from chain.wallet.refusals import FlowRefused
from tests.chain.node import WITHDRAWAL_DELAY_S
from tests.chain.wallet.stage import DOLLAR, SETTLER, Stage

DAY_S = 86_400
NOW_MS = 1_800_000_000_000
NO_LIST = "no list was named"


async def test_a_deposit_is_one_transaction_by_permit(stage: Stage) -> None:
    before = await stage.nonce()
    done = await deposit(stage.hands("deposit"), 20 * DOLLAR + 1)
    assert (done.way, done.escrow_micros) == ("permit", 20 * DOLLAR + 1)
    assert done.wallet_micros == 980 * DOLLAR - 1
    assert await stage.nonce() == before + 1
    usdc = await stage.contracts.usdc()
    assert await usdc.allowance(stage.owner.address, stage.contracts.escrow.address) == 0


async def test_a_deposit_takes_the_way_that_the_token_knows(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    usdc = await stage.contracts.usdc()
    escrow = stage.contracts.escrow
    await stage.hands("approve").sender.send("it", usdc.approve(escrow.address, 5 * DOLLAR))
    stage.journal.clear()
    assert (await deposit(stage.hands("deposit 5"), 5 * DOLLAR)).way == "allowance"
    stage.journal.clear()

    async def no_permits(self: Token, owner: str) -> int:
        return 10**9  # a nonce that is not the token's: every permit is bad

    monkeypatch.setattr(Token, "permits", no_permits)
    assert (await deposit(stage.hands("deposit 6"), 6 * DOLLAR)).way == "authorization"
    stage.journal.clear()

    async def no_domain(self: Token) -> tuple[str, str]:
        return "Another Coin", "7"

    monkeypatch.setattr(Token, "domain", no_domain)
    before = await stage.nonce()
    done = await deposit(stage.hands("deposit 7"), 7 * DOLLAR)
    assert (done.way, done.escrow_micros) == ("approve", 18 * DOLLAR)
    assert await stage.nonce() == before + 2


async def test_what_keeps_a_deposit_out_is_said(stage: Stage) -> None:
    usdc = await stage.contracts.usdc()
    with pytest.raises(FlowRefused, match=r"has 1,000\.00 USDC, and 2,000\.00 USDC are wanted"):
        await deposit(stage.hands("deposit"), 2_000 * DOLLAR)
    await stage.chain.send(0, *_call(usdc, "blacklist", stage.owner.address))
    with pytest.raises(FlowRefused, match="USDC's issuer has blocked 0x"):
        await deposit(stage.hands("deposit"), DOLLAR)
    await stage.chain.send(0, *_call(usdc, "unBlacklist", stage.owner.address))
    await stage.chain.send(0, *_call(usdc, "set_paused", True))
    with pytest.raises(FlowRefused, match="stopped all transfers"):
        await deposit(stage.hands("deposit"), DOLLAR)
    await stage.chain.send(0, *_call(usdc, "set_paused", False))
    await stage.be(stage.contracts.escrow, "guardian")
    await stage.chain.send(0, *stage.contracts.escrow.invoke("set_paused", True))
    with pytest.raises(FlowRefused, match="guardian has paused deposits; withdrawals and claims"):
        await deposit(stage.hands("deposit"), DOLLAR)
    assert stage.journal.written == 0


async def test_limits_hold_are_shown_and_are_revoked(stage: Stage) -> None:
    escrow = stage.contracts.escrow
    await deposit(stage.hands("deposit"), 20 * DOLLAR)
    stage.journal.clear()
    assert "none set" in "\n".join(
        in_words(await look(stage.contracts, stage.owner.address, NO_LIST))
    )
    done = await limits.set_limits(
        stage.hands("limits"), 5 * DOLLAR, 8 * DOLLAR, 30 * DAY_S, now_ms=NOW_MS
    )
    stage.journal.clear()
    assert (done.limits.max_entry, done.limits.nonce) == (5 * DOLLAR, NOW_MS)
    await stage.close_epoch({ADDRESSES[5]: DOLLAR})  # has a settler
    assert await _opened(stage, "A", 5 * DOLLAR)
    assert not await _opened(stage, "B", 5 * DOLLAR), "the day's cap"
    assert not await _opened(stage, "C", 6 * DOLLAR), "the highest entry"
    words = "\n".join(in_words(await look(stage.contracts, stage.owner.address, NO_LIST)))
    assert "at most 5.00 USDC a session and 8.00 USDC a UTC day (5.00 USDC taken today)" in words
    gone = await limits.revoke(stage.hands("revoke"), now_ms=NOW_MS - 5)
    assert gone.limits == Limits(0, 0, 0, NOW_MS + 1), (
        "above what was set, though the clock is behind"
    )
    assert not await _opened(stage, "D", DOLLAR)
    assert "revoked" in limits.in_words(await escrow.limits(stage.owner.address), 0)


async def test_limits_are_signed_by_one_and_brought_by_another(stage: Stage) -> None:
    other = Account.from_key(b"\x55" * 32)
    await stage.give(other.address, wei=10**17)
    wanted = limits.wanted(DOLLAR, 2 * DOLLAR, DAY_S, now_s=NOW_MS // 1_000, now_ms=NOW_MS)
    escrow = stage.contracts.escrow
    signed = limits.sign(stage.owner, 31_337, escrow.address, wanted)
    read = limits.read(msgspec.json.encode(signed))
    assert read == signed
    done = await limits.bring(stage.hands("bring", key=other), read)
    assert done.owner == stage.owner.address
    assert await escrow.limits(stage.owner.address) == wanted
    stage.journal.clear()
    with pytest.raises(FlowRefused, match="newer limits are set already"):
        await limits.bring(stage.hands("bring again", key=other), read)


async def test_signed_limits_that_are_not_what_they_say_are_refused(stage: Stage) -> None:
    wanted = limits.wanted(DOLLAR, 2 * DOLLAR, DAY_S, now_s=NOW_MS // 1_000, now_ms=NOW_MS)
    address = stage.contracts.escrow.address
    signed = limits.sign(stage.owner, 31_337, address, wanted)
    more = msgspec.structs.replace(wanted, max_entry=2 * DOLLAR)
    for bent in (
        msgspec.structs.replace(signed, limits=more),
        msgspec.structs.replace(signed, owner=ADDRESSES[3]),
        msgspec.structs.replace(signed, signature="0x12"),
        msgspec.structs.replace(signed, limits=msgspec.structs.replace(wanted, nonce=2**70)),
    ):
        with pytest.raises(FlowRefused, match="not signed by"):
            limits.read(msgspec.json.encode(bent))
    with pytest.raises(FlowRefused, match="no signed limits"):
        limits.read(b"{}")
    elsewhere = limits.sign(stage.owner, 8_453, address, wanted)
    with pytest.raises(FlowRefused, match="on chain 8453, not for"):
        await limits.bring(stage.hands("bring"), limits.read(msgspec.json.encode(elsewhere)))


def test_limits_that_make_no_sense_are_refused() -> None:
    with pytest.raises(FlowRefused, match="no session could take so much"):
        limits.wanted(5, 4, DAY_S, now_s=1, now_ms=1_000)
    with pytest.raises(FlowRefused, match="ten years"):
        limits.wanted(1, 4, 2**40, now_s=1, now_ms=1_000)
    with pytest.raises(FlowRefused, match="never be changed"):
        limits.wanted(1, 4, DAY_S, now_s=1, now_ms=1_000, standing=limits.MAX_U64)
    assert limits.wanted(1, 4, DAY_S, now_s=1, now_ms=1_000, standing=2_000).nonce == 2_001


async def test_a_withdrawal_in_two_steps(stage: Stage) -> None:
    delay_s = await stage.contracts.escrow.withdrawal_delay_s()
    usdc = await stage.contracts.usdc()
    await deposit(stage.hands("deposit"), 20 * DOLLAR)
    stage.journal.clear()
    with pytest.raises(FlowRefused, match=r"holds 20\.00 USDC of yours that can be asked for"):
        await withdrawals.request(stage.hands("withdraw 21"), 21 * DOLLAR)
    with pytest.raises(FlowRefused, match="no withdrawal is on its way"):
        await withdrawals.finish(stage.hands("finish"), stage.owner.address)
    asked = await withdrawals.request(stage.hands("withdraw 12"), 12 * DOLLAR)
    assert (asked.pending_micros, asked.escrow_micros) == (12 * DOLLAR, 8 * DOLLAR)
    stage.journal.clear()
    with pytest.raises(FlowRefused, match=r"12\.00 USDC are ready .* not before"):
        await withdrawals.finish(stage.hands("finish"), stage.owner.address)
    with pytest.raises(FlowRefused, match="makes all of it wait 1 d from now"):
        await withdrawals.request(stage.hands("withdraw 1"), DOLLAR)
    await stage.pass_time(delay_s + 60)
    with pytest.raises(FlowRefused, match="take them first by"):
        await withdrawals.request(stage.hands("withdraw 1"), DOLLAR)
    words = "\n".join(in_words(await look(stage.contracts, stage.owner.address, NO_LIST)))
    assert "12.00 USDC, ready now  (agon wallet withdraw --finish)" in words
    receiver = ADDRESSES[7]
    paid = await withdrawals.finish(stage.hands("finish"), receiver)
    assert (paid.micros, paid.pending_micros) == (12 * DOLLAR, 0)
    assert await usdc.balance(receiver) == 12 * DOLLAR


async def test_a_blocked_wallet_is_paid_elsewhere(stage: Stage) -> None:
    usdc = await stage.contracts.usdc()
    await deposit(stage.hands("deposit"), 20 * DOLLAR)
    stage.journal.clear()
    await withdrawals.request(stage.hands("withdraw all"), None)
    stage.journal.clear()
    await stage.pass_time(60 + await stage.contracts.escrow.withdrawal_delay_s())
    await stage.chain.send(0, *_call(usdc, "blacklist", stage.owner.address))
    with pytest.raises(FlowRefused, match="`--to` names another wallet"):
        await withdrawals.finish(stage.hands("finish"), stage.owner.address)
    with pytest.raises(FlowRefused, match="name a wallet of yours by --to"):
        await withdrawals.finish(stage.hands("finish"), stage.contracts.escrow.address)
    await withdrawals.finish(stage.hands("finish --to"), ADDRESSES[7])
    assert await usdc.balance(ADDRESSES[7]) == 20 * DOLLAR


async def test_a_withdrawal_is_cancelled_or_restarted(stage: Stage) -> None:
    await deposit(stage.hands("deposit"), 20 * DOLLAR)
    stage.journal.clear()
    with pytest.raises(FlowRefused, match="no withdrawal is on its way"):
        await withdrawals.cancel(stage.hands("cancel"))
    await withdrawals.request(stage.hands("withdraw 12"), 12 * DOLLAR)
    stage.journal.clear()
    await stage.pass_time(WITHDRAWAL_DELAY_S)
    first = await stage.contracts.escrow.withdrawal(stage.owner.address)
    more = await withdrawals.request(stage.hands("withdraw 1"), DOLLAR, restart=True)
    assert more.pending_micros == 13 * DOLLAR
    assert more.ready_at > first.ready_at
    stage.journal.clear()
    back = await withdrawals.cancel(stage.hands("cancel"))
    assert (back.micros, back.pending_micros, back.escrow_micros) == (13 * DOLLAR, 0, 20 * DOLLAR)


async def _opened(stage: Stage, session: str, entry: int) -> bool:
    escrow = stage.contracts.escrow
    opening = Opening(session, entry, (stage.owner.address,))
    await stage.chain.send(SETTLER, *escrow.open_sessions([opening]))
    state, _ = await escrow.session(session)
    return state == 1


def _call(token: Token, function: str, *arguments: object) -> Invocation:
    return token.invoke(function, *arguments)
