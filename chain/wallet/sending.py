"""Sends what one command wants done, by one key, once: however often the command is repeated, or killed.

What will be sent is in a journal before it is sent, signed, with the command that it is of. It stays there until the command
has told its owner what came of it. So the same command, run again, goes on with what it finds (sends the same bytes, waits,
tells) instead of doing it twice; any other command first waits for what is under way to be over.

For the arena's own keys there is `chain.client.txs`; this is for a person at a terminal, who has one thing done at a time.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from chain.client.contract import Invocation
from chain.client.fees import FeePolicy, Fees, offer, outbid
from chain.client.node import Head, Reverted
from chain.client.nonces import Call, Mined
from chain.client.txs import Signer
from chain.wallet.refusals import NO_GAS, FlowRefused, in_words
from chain.wallet.sent import Attempt, Done, Journal, Sent, WalletNode, eth, gwei
from chain.wallet.waiting import GONE_AFTER_S, PATIENCE_S, POLL_S, NotTaken, Waiting
from chain.wallet.words import span

GAS_NUMERATOR, GAS_DENOMINATOR = 5, 4
"""Over what a node estimates."""
NOTHING_GAS = 21_000


class Sender:
    """Of one command. `told` is called with what is going on, a line each time."""

    def __init__(
        self,
        node: WalletNode,
        signer: Signer,
        journal: Journal,
        *,
        command: str,
        genesis: str,
        clock: Callable[[], float],
        policy: FeePolicy | None = None,
        told: Callable[[str], None] = lambda _: None,
        patience_s: float = PATIENCE_S,
        poll_s: float = POLL_S,
        gone_after_s: float = GONE_AFTER_S,
    ) -> None:
        """`clock` is unix seconds."""
        self._node = node
        self._signer = signer
        self._journal = journal
        self._command = command
        self._genesis = genesis
        self._clock = clock
        self._policy = policy or FeePolicy()
        self._told = told
        self._waiting = Waiting(
            node,
            signer.address,
            told=told,
            patience_s=patience_s,
            poll_s=poll_s,
            gone_after_s=gone_after_s,
        )

    @property
    def address(self) -> str:
        return self._signer.address

    async def earlier(self) -> Done | None:
        """What an earlier run of this command has done without telling; None where this run has all to do.

        Call it before anything else. Waits for what that run had under way. Raises FlowRefused while something else of this
        wallet is under way, and OSError.
        """
        sent = self._standing()
        if sent is None:
            await self._check_free()
            return None
        mined = await self._waiting.outcome(sent)
        if mined is None and await self._waiting.unused(sent):
            if sent.command != self._command:
                raise FlowRefused(self._busy(sent))
            self._told(f"an earlier run has sent it already: {sent.attempts[-1].hash}")
        mined = mined or await self._until_mined(sent)
        if mined is None:
            self._told(f"`{sent.command}`: another transaction of this wallet took its place")
        elif sent.gives_up(mined):
            self._told(f"`{sent.command}` was given up")
        elif sent.command == self._command and sent.last:
            return await self._done(sent, mined, earlier=True)
        else:
            self._told(f"{sent.step}: {await self._why(sent, mined) or 'done'} ({mined.hash})")
        self._journal.clear()
        return None

    async def send(
        self, step: str, invocation: Invocation, *, value: int = 0, last: bool = True
    ) -> Done:
        """Have one thing done, and wait until it is in a block. It is looked first whether it would be.

        `last`: with it the command is done. Raises FlowRefused, and OSError where the node does not answer; what was sent is
        then in the journal.
        """
        call, head = await self._priced(invocation, value)
        nonce = await self._node.nonce(self.address, head.number)
        fees = await self._fees(head, call)
        sent = Sent(
            command=self._command,
            step=step,
            last=last,
            genesis=self._genesis,
            sender=self.address,
            nonce=nonce,
            to=invocation.to,
            data=invocation.data.hex(),
            value=value,
            gas=call.gas,
            at_s=int(self._clock()),
            attempts=(self._sign(nonce, call, fees),),
        )
        self._journal.write(sent)
        return await self._followed(sent, step, head)

    async def would(self, invocation: Invocation) -> bool:
        """Whether it would succeed now. Raises OSError."""
        try:
            await self._node.estimate(self.address, Call(invocation.to, invocation.data, 0))
        except Reverted:
            return False
        return True

    async def under_way(self) -> Sent | None:
        """What the journal holds and is in no block yet, nor ever will be another's."""
        sent = self._standing()
        if sent is None or await self._waiting.outcome(sent) is not None:
            return None
        return sent if await self._waiting.unused(sent) else None

    async def again(self, sent: Sent, *, cancel: bool) -> Done:
        """Outbid what is under way: by itself, or by a transaction that does nothing. Whichever comes is what is told.

        Raises FlowRefused, OSError.
        """
        head = await self._node.head()
        now = offer(head.base_fee, await self._node.tip(), self._policy)
        fees = outbid(sent.attempts[-1].fees, now, self._policy)
        if fees is None:
            cap = gwei(self._policy.cap)
            raise FlowRefused(f"it would have to offer more than the cap of {cap}: raise --max-fee")
        call = Call(self.address, b"", NOTHING_GAS) if cancel else sent.call
        await self._check_pays(call, fees, head)
        attempt = self._sign(sent.nonce, call, fees, cancels=cancel)
        sent = msgspec.structs.replace(sent, attempts=(*sent.attempts, attempt))
        self._journal.write(sent)
        return await self._followed(sent, f"`{sent.command}`", head)

    async def wait(self, sent: Sent) -> Done:
        """For what is under way. Raises FlowRefused, OSError."""
        return await self._followed(sent, f"`{sent.command}`", await self._node.head())

    def finish(self) -> None:
        """The owner has been told: the next run of the same command is another wish. Idempotent."""
        self._journal.clear()

    def _standing(self) -> Sent | None:
        sent = self._journal.read()
        if sent is None or (sent.genesis, sent.sender) == (self._genesis, self.address):
            return sent
        self._journal.clear()  # of a chain, or a wallet, that is no more
        return None

    def _busy(self, sent: Sent) -> str:
        age = span(int(self._clock()) - sent.at_s)
        return (
            f"`{sent.command}` of {age} ago still waits to get into a block ({sent.attempts[-1].hash}): "
            "`agon wallet pending` waits for it, speeds it up, or gives it up"
        )

    async def _check_free(self) -> None:
        head = await self._node.head()
        used = await self._node.nonce(self.address, head.number)
        waiting = await self._node.waiting(self.address) - used
        if waiting > 0:
            what = "transactions" if waiting > 1 else "transaction"
            raise FlowRefused(
                f"{waiting} {what} of this wallet that another program has sent, from nonce {used} on, still wait to get "
                "into a block: try again when that is over"
            )

    async def _priced(self, invocation: Invocation, value: int) -> tuple[Call, Head]:
        """With its gas: what would fail is found out here, and costs nothing."""
        head = await self._node.head()
        if await self._node.balance(self.address, head.number) == 0:
            raise FlowRefused(NO_GAS.format(address=self.address))
        call = Call(invocation.to, invocation.data, 0, value)
        try:
            estimate = await self._node.estimate(self.address, call)
        except Reverted as reverted:
            raise FlowRefused(in_words(reverted)) from None
        gas = min(estimate * GAS_NUMERATOR // GAS_DENOMINATOR, head.gas_limit)
        return msgspec.structs.replace(call, gas=gas), head

    async def _fees(self, head: Head, call: Call) -> Fees:
        if head.base_fee > self._policy.cap:
            raise FlowRefused(
                f"gas costs {gwei(head.base_fee)} now, more than the cap of {gwei(self._policy.cap)}: "
                "wait, or raise --max-fee"
            )
        fees = offer(head.base_fee, await self._node.tip(), self._policy)
        await self._check_pays(call, fees, head)
        return fees

    async def _check_pays(self, call: Call, fees: Fees, head: Head) -> None:
        has = await self._node.balance(self.address, head.number)
        needs = call.gas * fees.most + call.value
        if has < needs:
            raise FlowRefused(
                f"the wallet has {eth(has)}, and this may cost up to {eth(needs)}: send {self.address} a little more on "
                "this chain"
            )

    def _sign(self, nonce: int, call: Call, fees: Fees, *, cancels: bool = False) -> Attempt:
        hash_, raw = self._signer.sign(nonce, call, fees)
        return Attempt(hash_, "0x" + raw.hex(), fees, cancels)

    async def _followed(self, sent: Sent, what: str, head: Head) -> Done:
        """To its end."""
        expected = await self._waiting.expected(head)
        self._told(f"{what}: {sent.attempts[-1].hash}, {expected}")
        mined = await self._until_mined(sent)
        if mined is None:
            self._journal.clear()
            raise FlowRefused(f"{what}: another transaction of this wallet took its place")
        if sent.gives_up(mined):
            return Done.of(mined, gave_up=True)
        return await self._done(sent, mined, earlier=False)

    async def _until_mined(self, sent: Sent) -> Mined | None:
        try:
            return await self._waiting.until_mined(sent)
        except NotTaken:
            self._journal.clear()
            raise

    async def _done(self, sent: Sent, mined: Mined, *, earlier: bool) -> Done:
        why = await self._why(sent, mined)
        if why is not None:
            self._journal.clear()
            raise FlowRefused(f"{sent.step}: {why} (transaction {mined.hash}; the gas is spent)")
        return Done.of(mined, earlier=earlier)

    async def _why(self, sent: Sent, mined: Mined) -> str | None:
        """Why it failed, by asking for the same again; None where it did not."""
        if mined.succeeded:
            return None
        try:
            await self._node.estimate(self.address, sent.call)
        except Reverted as reverted:
            return f"it failed on the chain: {in_words(reverted)}"
        return "it failed on the chain, and would not now: try again"
