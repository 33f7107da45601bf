"""The life of one nonce of one key: what a row of it says, and what is to be done next. Pure.

    reserved -> signed -> sent -> mined -> final          done, or reverted on chain
                            |  <-  |                      a reorganisation took its block away
                            +-> replaced                  somebody else used the nonce: our key is used elsewhere
                            +-> mined -> dropped          given up: an empty transaction took its place

A nonce belongs to one business action for ever, and an action to one nonce. What is signed is stored before it is sent, so
whatever ends up in a block is known; all that has been signed for a nonce competes for it, and at most one of it can win.
Nothing here can harm by being done twice.
"""

from __future__ import annotations

import enum
from typing import assert_never

import msgspec

from chain.client.fees import FeePolicy, Fees, outbid


class State(enum.StrEnum):
    RESERVED = "reserved"
    """The nonce is the action's; nothing is signed."""
    SIGNED = "signed"
    """The newest attempt is stored, and no node is known to have it."""
    SENT = "sent"
    """A node has taken the newest attempt."""
    MINED = "mined"
    """One of the attempts is in a block."""
    FINAL = "final"
    """That block is buried. Whether the contract did what was asked is `mined.succeeded`."""
    REPLACED = "replaced"
    """The nonce was used by a transaction that is not ours, and that is buried: this action will never happen by it."""
    DROPPED = "dropped"
    """The action was given up, and an empty transaction has used the nonce: it will never happen by it."""


OPEN = (State.RESERVED, State.SIGNED, State.SENT, State.MINED)


class Call(msgspec.Struct, frozen=True):
    """What the transaction does."""

    to: str | None
    """EIP-55; None makes a contract."""
    data: bytes
    gas: int
    value: int = 0
    """Wei."""


class Attempt(msgspec.Struct, frozen=True):
    """One signed transaction."""

    hash: str
    raw: bytes
    fees: Fees
    signed_ms: int
    cancels: bool = False
    """It does nothing, so that the nonce is used."""


class Mined(msgspec.Struct, frozen=True):
    """Where an attempt is."""

    hash: str
    """The attempt's."""
    number: int
    block_hash: str
    succeeded: bool
    gas_used: int
    price: int
    """Wei paid a unit of gas."""


class Tx(msgspec.Struct, frozen=True, kw_only=True):
    """A row."""

    chain_id: int
    sender: str
    """EIP-55."""
    nonce: int
    action: str
    """The name of the business action, unique on the chain: `epoch:42`."""
    call: Call
    state: State
    attempts: tuple[Attempt, ...] = ()
    """Oldest first; each outbids the one before."""
    mined: Mined | None = None
    cancelling: bool = False
    made_ms: int
    version: int = 0
    """Counts changes, so that of two writers one finds out."""

    @property
    def done(self) -> bool:
        """It has happened, for good."""
        return self.state is State.FINAL and self.mined is not None and self.mined.succeeded


class Policy(msgspec.Struct, frozen=True):
    confirmations: int = 12
    """Blocks above a block that is buried."""
    resubmit_ms: int = 48_000
    """So long an attempt may stay out of blocks, before it is outbid."""
    in_flight: int = 16
    """Transactions that are signed and not yet in a block."""
    gas_factor: float = 1.25
    """Over what a node estimates."""
    least_balance: int = 0
    """Wei below which the key's owner is alarmed."""
    fees: FeePolicy = FeePolicy()


class Seen(msgspec.Struct, frozen=True):
    """What a node says of one row at one head."""

    head: int
    used: int
    """Nonces used at the head."""
    buried: int
    """Nonces used `confirmations` blocks below it."""
    mined: Mined | None
    """The attempt that is in a block."""
    known: bool
    """It has the newest attempt."""
    offer: Fees
    """What a first try would offer now."""


class Sign(msgspec.Struct, frozen=True):
    """Sign and store another attempt."""

    fees: Fees
    cancels: bool


class Send(msgspec.Struct, frozen=True):
    """Hand the newest attempt to the node."""


class Become(msgspec.Struct, frozen=True):
    """Write down another state."""

    state: State
    mined: Mined | None = None


class Wait(msgspec.Struct, frozen=True):
    """Nothing to do now."""

    capped: bool = False
    """It should be outbid, and the cap forbids."""


Step = Sign | Send | Become | Wait


def next_step(tx: Tx, seen: Seen, now_ms: int, policy: Policy) -> Step:
    """What to do about a row. Doing it, and asking again with what has become of it, ends in Wait."""
    match tx.state:
        case State.RESERVED:
            return Sign(seen.offer, cancels=tx.cancelling)
        case State.SIGNED | State.SENT:
            return _pending(tx, seen, now_ms, policy)
        case State.MINED:
            return _mined(tx, seen, policy)
        case State.FINAL | State.REPLACED | State.DROPPED:
            return Wait()
        case never:
            assert_never(never)


def _pending(tx: Tx, seen: Seen, now_ms: int, policy: Policy) -> Step:
    if seen.mined is not None:
        return Become(State.MINED, seen.mined)
    if seen.buried > tx.nonce:
        return Become(State.REPLACED)
    if seen.used > tx.nonce:
        return Wait()  # somebody else's transaction, not buried: a reorganisation may take it away
    newest = tx.attempts[-1]
    if tx.cancelling and not any(attempt.cancels for attempt in tx.attempts):
        return _outbid(newest, seen, policy, cancels=True)  # also of one that no node takes
    if tx.state is State.SIGNED or not seen.known:
        return Send()
    if seen.used == tx.nonce and now_ms - newest.signed_ms >= policy.resubmit_ms:
        return _outbid(newest, seen, policy, cancels=newest.cancels)
    return Wait()


def _outbid(newest: Attempt, seen: Seen, policy: Policy, *, cancels: bool) -> Step:
    fees = outbid(newest.fees, seen.offer, policy.fees)
    return Wait(capped=True) if fees is None else Sign(fees, cancels)


def _mined(tx: Tx, seen: Seen, policy: Policy) -> Step:
    if seen.mined is None:
        return Become(State.SENT)
    if seen.mined != tx.mined:
        return Become(State.MINED, seen.mined)
    if seen.head - seen.mined.number < policy.confirmations:
        return Wait()
    cancelled = any(each.cancels and each.hash == seen.mined.hash for each in tx.attempts)
    return Become(State.DROPPED if cancelled else State.FINAL, seen.mined)
