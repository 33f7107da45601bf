"""The writer of one key: sees to it that each business action becomes one transaction, however often anybody crashes.

Any process may `submit`; one `run`s. That there are two by mistake harms nothing: a nonce is given once, and what is signed
is stored before it is sent, both by the store's transactions.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol, assert_never

import msgspec

from chain.client.fees import Fees, offer
from chain.client.node import Head, Node, SendRefused, Trouble
from chain.client.nonces import (
    Attempt,
    Become,
    Call,
    Mined,
    Policy,
    Seen,
    Send,
    Sign,
    State,
    Tx,
    Wait,
    next_step,
)

MAX_ACTION = 128
OPEN_AT_ONCE = 256
"""Rows looked at in one round."""
STEPS = 8
"""Of one row in one round: signed, sent, seen, signed again, sent."""
ALARM_EVERY_MS = 60_000
ALARMS_KEPT = 1_000
CANCEL_GAS = 21_000
"""What a transaction that does nothing costs."""


class OtherCall(ValueError):
    """The action has a nonce already, and is to do something else."""


class Alarm(msgspec.Struct, frozen=True):
    """Something that a person should know. `kind` is one of a few words, for a metric's label."""

    kind: str
    action: str
    detail: str


class Signer(Protocol):
    """A key."""

    @property
    def address(self) -> str: ...

    def sign(self, nonce: int, call: Call, fees: Fees) -> tuple[str, bytes]:
        """Hash and raw transaction."""
        ...


class TxStore(Protocol):
    """Rows, one a nonce. Each method is one transaction."""

    async def reserve(
        self, chain_id: int, sender: str, action: str, call: Call, used: int, now_ms: int
    ) -> Tx:
        """The row of the action, made with the sender's next nonce (at least `used`) if there is none."""
        ...

    async def fill(
        self, chain_id: int, sender: str, nonce: int, action: str, call: Call, now_ms: int
    ) -> None:
        """A row with just that nonce, if it has none."""
        ...

    async def find(self, chain_id: int, action: str) -> Tx | None: ...

    async def open(self, chain_id: int, sender: str, limit: int) -> list[Tx]:
        """Rows in a state of OPEN, lowest nonce first."""
        ...

    async def signed(self, tx: Tx, attempt: Attempt) -> Tx | None:
        """Add the attempt: SIGNED. None where the row is no more as `tx` says."""
        ...

    async def become(self, tx: Tx, state: State, mined: Mined | None) -> Tx | None:
        """None where the row is no more as `tx` says."""
        ...

    async def cancel(self, chain_id: int, action: str) -> Tx | None:
        """Have the writer give it up, if it is open; None where there is no such action."""
        ...

    async def reopen(self, chain_id: int, sender: str, used: int) -> int:
        """Rows that are over, with a nonce of `used` or more, are SENT again; how many.

        Those that were REPLACED are given up: whoever wanted the action done may have found another way.
        """
        ...


class TxWriter:
    """One key's. `alarm` is called with what a person should know, at most once a minute for each thing."""

    def __init__(
        self,
        *,
        node: Node,
        store: TxStore,
        signer: Signer,
        chain_id: int,
        clock: Callable[[], int],
        policy: Policy | None = None,
        alarm: Callable[[Alarm], None] = lambda _: None,
    ) -> None:
        self._node = node
        self._store = store
        self._signer = signer
        self._chain_id = chain_id
        self._clock = clock
        self._policy = policy or Policy()
        self._alarm = alarm
        self._alarmed: dict[tuple[str, str], int] = {}
        self._gap: tuple[int, int] | None = None

    @property
    def address(self) -> str:
        return self._signer.address

    async def submit(
        self, action: str, to: str | None, data: bytes, *, value: int = 0, gas: int | None = None
    ) -> Tx:
        """Have an action done. Idempotent by its name: the row is returned as it stands.

        Raises Reverted where it would fail now (nothing is then reserved), OSError where no node answers, and OtherCall
        where the action of that name was to do something else. A name whose row is REPLACED or DROPPED is spent: choose
        another one if it is to be done after all.
        """
        if not 0 < len(action) <= MAX_ACTION:
            raise ValueError(f"an action's name has 1 to {MAX_ACTION} characters")
        standing = await self._store.find(self._chain_id, action)
        if standing is None:
            head = await self._node.head()
            if gas is None:
                estimate = await self._node.estimate(self.address, Call(to, data, 0, value))
                gas = min(int(estimate * self._policy.gas_factor), head.gas_limit)
            used = await self._node.nonce(self.address, head.number)
            call = Call(to, data, gas, value)
            standing = await self._store.reserve(
                self._chain_id, self.address, action, call, used, self._clock()
            )
        if (standing.call.to, standing.call.data, standing.call.value) != (to, data, value):
            raise OtherCall(f"action {action!r} has nonce {standing.nonce} for another call")
        return standing

    async def cancel(self, action: str) -> Tx | None:
        """Give an action up, if that is still possible: its row ends as DROPPED, or as FINAL after all."""
        return await self._store.cancel(self._chain_id, action)

    async def find(self, action: str) -> Tx | None:
        return await self._store.find(self._chain_id, action)

    async def run(self, every_s: float = 1.0, calm_s: float = 5.0) -> None:
        """Until cancelled. An outage of node or store delays, nothing else."""
        while True:
            try:
                await self.round()
                await asyncio.sleep(every_s)
            except Exception as error:  # whatever node and store raise: there is a next round
                self._raise("unreachable", "", str(error) or type(error).__name__)
                await asyncio.sleep(calm_s)

    async def round(self) -> int:
        """Do what is to be done now; returns how many rows are open. Raises OSError, and what the store raises."""
        head = await self._node.head()
        used = await self._node.nonce(self.address, head.number)
        lost = await self._store.reopen(self._chain_id, self.address, used)
        if lost:
            self._raise("deep-reorganisation", "", f"{lost} buried transactions are gone")
        rows = await self._store.open(self._chain_id, self.address, OPEN_AT_ONCE)
        if not rows:
            return 0
        if rows[0].nonce > used:
            await self._fill_gap(used)
        deep = max(0, head.number - self._policy.confirmations)
        buried = await self._node.nonce(self.address, deep)
        now = _Now(
            head, used, buried, offer(head.base_fee, await self._node.tip(), self._policy.fees)
        )
        await self._check_balance(head)
        for row in rows:
            if row.nonce >= used + self._policy.in_flight:
                break
            if not await self._work(row, now):
                break  # what follows waits for it anyway
        return len(rows)

    async def _fill_gap(self, nonce: int) -> None:
        """Nobody has this nonce, and all of ours wait for it: somebody else had used it, and a reorganisation gave it back.

        He may send it again, so he has the time that an attempt has.
        """
        now_ms = self._clock()
        if self._gap is None or self._gap[0] != nonce:
            self._gap = nonce, now_ms
        if now_ms - self._gap[1] >= self._policy.resubmit_ms:
            self._raise("gap", "", f"nonce {nonce} was used elsewhere and is free again")
            action = f"gap:{self.address}:{nonce}"
            nothing = Call(self.address, b"", CANCEL_GAS)
            await self._store.fill(self._chain_id, self.address, nonce, action, nothing, now_ms)

    async def _work(self, row: Tx, now: _Now) -> bool:
        """Bring a row as far as it comes; False when it was refused, so that later ones need not be tried."""
        tx: Tx | None = row
        for _ in range(STEPS):
            if tx is None:
                self._raise("contended", row.action, "another writer has changed the row")
                return True
            step = next_step(tx, await self._see(tx, now), self._clock(), self._policy)
            match step:
                case Sign(fees=fees, cancels=cancels):
                    tx = await self._sign(tx, fees, cancels=cancels)
                case Send():
                    taken = await self._send(tx)
                    if taken and tx.state is State.SIGNED:
                        await self._store.become(tx, State.SENT, None)
                    return taken
                case Become(state=State.REPLACED) if await self._mined(tx) is not None:
                    return True  # it came just now; the next round says where
                case Become(state=state, mined=mined):
                    self._tell(tx, state, mined)
                    tx = await self._store.become(tx, state, mined)
                case Wait(capped=capped):
                    if capped:
                        cap = self._policy.fees.cap
                        self._raise("fee-capped", tx.action, f"would need more than {cap} wei")
                    return True
                case never:
                    assert_never(never)
        return True

    async def _see(self, tx: Tx, now: _Now) -> Seen:
        unused = tx.nonce >= now.used
        return Seen(
            head=now.head.number,
            used=now.used,
            buried=now.buried,
            mined=None if unused else await self._mined(tx),
            known=tx.state is State.SENT
            and unused
            and await self._node.known(tx.attempts[-1].hash),
            offer=now.offer,
        )

    async def _mined(self, tx: Tx) -> Mined | None:
        """Any of the attempts may have won, though the newest is the likeliest."""
        for attempt in reversed(tx.attempts):
            mined = await self._node.mined(attempt.hash)
            if mined is not None:
                return mined
        return None

    async def _sign(self, tx: Tx, fees: Fees, *, cancels: bool) -> Tx | None:
        """Stored before anybody can have seen it."""
        call = Call(self.address, b"", CANCEL_GAS) if cancels else tx.call
        hash_, raw = self._signer.sign(tx.nonce, call, fees)
        return await self._store.signed(tx, Attempt(hash_, raw, fees, self._clock(), cancels))

    async def _send(self, tx: Tx) -> bool:
        """Whether the node has it, or has it no more because it, or another of its nonce, is in a block."""
        try:
            await self._node.send(tx.attempts[-1].raw)
        except SendRefused as refused:
            match refused.trouble:
                case Trouble.KNOWN | Trouble.NONCE_USED:
                    return True
                case Trouble.UNDERPRICED:
                    # Too little for a replacement, or for this node at all: it is outbid when its time is over.
                    self._raise("underpriced", tx.action, str(refused))
                    return True
                case Trouble.FUNDS | Trouble.OTHER:
                    self._raise(refused.trouble.value, tx.action, str(refused))
                    return False
                case never:
                    assert_never(never)
        return True

    async def _check_balance(self, head: Head) -> None:
        if self._policy.least_balance:
            wei = await self._node.balance(self.address, head.number)
            if wei < self._policy.least_balance:
                self._raise("funds", "", f"{self.address} has {wei} wei left")

    def _tell(self, tx: Tx, state: State, mined: Mined | None) -> None:
        if state is State.SENT:
            self._raise("reorganised", tx.action, f"nonce {tx.nonce} is in no block any more")
        elif state is State.REPLACED:
            self._raise("nonce-taken", tx.action, f"nonce {tx.nonce} was used by somebody else")
        elif state is State.FINAL and mined is not None and not mined.succeeded:
            self._raise("reverted", tx.action, f"transaction {mined.hash} failed on chain")

    def _raise(self, kind: str, action: str, detail: str) -> None:
        now_ms = self._clock()
        if now_ms - self._alarmed.get((kind, action), now_ms - ALARM_EVERY_MS) < ALARM_EVERY_MS:
            return
        if len(self._alarmed) >= ALARMS_KEPT:
            self._alarmed.clear()
        self._alarmed[kind, action] = now_ms
        self._alarm(Alarm(kind, action, detail))


class _Now(msgspec.Struct, frozen=True):
    """What a node says at the beginning of a round."""

    head: Head
    used: int
    buried: int
    offer: Fees
