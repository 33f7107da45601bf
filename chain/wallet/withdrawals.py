"""USDC out of the escrow, in its two steps with a delay between them."""

from __future__ import annotations

import msgspec

from chain.client.escrow import Withdrawal
from chain.wallet.amounts import shown_usdc
from chain.wallet.hands import Hands
from chain.wallet.refusals import REASONS, FlowRefused
from chain.wallet.sent import Done
from chain.wallet.words import due, span


class Withdrawing(msgspec.Struct, frozen=True):
    """After a step."""

    micros: int
    """What the step was about."""
    to: str
    """Who was paid; empty but for the last step."""
    pending_micros: int
    """What is on its way now."""
    ready_at: int
    """The unix second from which it can be taken; 0 where nothing is on its way."""
    escrow_micros: int
    tx: Done


async def request(hands: Hands, micros: int | None, *, restart: bool = False) -> Withdrawing:
    """Ask for an amount, None for all that is in the balance. `restart`: even where something is on its way, which then waits
    anew with it. Raises FlowRefused, NoContract, OSError."""
    escrow = hands.contracts.escrow
    asked = micros
    done = await hands.sender.earlier()
    if done is None:
        balance = (await escrow.account(hands.address)).balance
        asked = balance if micros is None else micros
        if asked == 0 or asked > balance:
            raise FlowRefused(
                f"the escrow holds {shown_usdc(balance)} of yours that can be asked for; winnings that are not claimed come "
                "in by `agon wallet claim`"
            )
        if not restart:
            await _check_none(hands)
        step = f"asking for {shown_usdc(asked)}"
        done = await hands.sender.send(step, escrow.request_withdrawal(asked))
    pending = await escrow.withdrawal(hands.address)
    return await _after(hands, pending.amount if asked is None else asked, "", pending, done)


async def finish(hands: Hands, to: str) -> Withdrawing:
    """Have it paid, once the delay is over. Raises FlowRefused, NoContract, OSError."""
    escrow = hands.contracts.escrow
    amount, done = 0, await hands.sender.earlier()
    if done is None:
        pending, now_s = await escrow.withdrawal(hands.address), await hands.now_s()
        if pending.amount == 0:
            raise FlowRefused(REASONS["escrow: nothing to withdraw"])
        payment = escrow.withdraw(to)
        # The newest block may be older than now: whether it is time is for the next one to say.
        if pending.ready_at > now_s and not await hands.sender.would(payment):
            raise FlowRefused(
                f"{shown_usdc(pending.amount)} are ready {due(pending.ready_at, now_s)}, not before"
            )
        amount = pending.amount
        step = f"withdrawal of {shown_usdc(amount)} to {to}"
        done = await hands.sender.send(step, payment)
    return await _after(hands, amount, to, await escrow.withdrawal(hands.address), done)


async def cancel(hands: Hands) -> Withdrawing:
    """Put what is on its way back into the balance. Raises FlowRefused, NoContract, OSError."""
    escrow = hands.contracts.escrow
    amount, done = 0, await hands.sender.earlier()
    if done is None:
        amount = (await escrow.withdrawal(hands.address)).amount
        if amount == 0:
            raise FlowRefused("no withdrawal is on its way")
        step = f"cancelling the withdrawal of {shown_usdc(amount)}"
        done = await hands.sender.send(step, escrow.cancel_withdrawal())
    return await _after(hands, amount, "", await escrow.withdrawal(hands.address), done)


async def _check_none(hands: Hands) -> None:
    pending, now_s = await hands.contracts.escrow.withdrawal(hands.address), await hands.now_s()
    if pending.amount == 0:
        return
    delay = span(await hands.contracts.escrow.withdrawal_delay_s())
    if pending.ready_at <= now_s:
        raise FlowRefused(
            f"{shown_usdc(pending.amount)} are ready: take them first by `agon wallet withdraw --finish`, or they would wait "
            f"{delay} again (--restart-delay does that)"
        )
    raise FlowRefused(
        f"{shown_usdc(pending.amount)} are on their way, ready {due(pending.ready_at, now_s)}: asking for more makes all of it "
        f"wait {delay} from now (--restart-delay does that)"
    )


async def _after(
    hands: Hands, micros: int, to: str, pending: Withdrawal, done: Done
) -> Withdrawing:
    account = await hands.contracts.escrow.account(hands.address)
    return Withdrawing(micros, to, pending.amount, pending.ready_at, account.balance, done)
