"""The escrow's calls, typed. What each does and refuses is said in `chain/contracts/escrow.vy`. Amounts are micro-USDC."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from chain.client.contract import Caller, Invocation
from chain.client.roles import Roles
from chain.client.token import Permit
from chain.payout_tree import ManyClaims

MAX_SESSIONS = 256
MAX_SEATS = 8
MAX_CLAIMS = 128


class Account(msgspec.Struct, frozen=True):
    balance: int
    """What may be spent on entries, or withdrawn."""
    claimed: int
    """Since the beginning."""
    spent: int
    """By entries, on `day`."""
    day: int
    """The last UTC day on which an entry was taken: unix seconds / 86400."""


class Limits(msgspec.Struct, frozen=True):
    max_entry: int
    daily_cap: int
    expires: int
    """The last unix second at which an entry may be taken."""
    nonce: int
    """They replace only limits of a lower one."""


class Withdrawal(msgspec.Struct, frozen=True):
    amount: int
    ready_at: int
    """The unix second from which it can be taken."""


class Books(msgspec.Struct, frozen=True):
    settled: int
    """Pots of all sessions that were settled."""
    allotted: int
    """To owners, by all epochs."""
    claimed: int
    """By owners."""
    epoch: int
    """The last one; 0 before the first."""


class Opening(msgspec.Struct, frozen=True):
    """A session as the escrow knows it."""

    session: str
    """Its ULID."""
    entry: int
    """What each seat pays."""
    owners: tuple[str, ...]
    """The wallet behind each seat, in the order of seats."""


class Escrow(Roles):
    """The contract at `address`."""

    def __init__(self, node: Caller, address: str) -> None:
        super().__init__(node, "escrow", address)

    async def account(self, owner: str, block: int | None = None) -> Account:
        return Account(*await self.read("account_of", owner, block=block))

    async def limits(self, owner: str, block: int | None = None) -> Limits:
        return Limits(*await self.read("limits_of", owner, block=block))

    async def withdrawal(self, owner: str, block: int | None = None) -> Withdrawal:
        return Withdrawal(*await self.read("withdrawal_of", owner, block=block))

    async def books(self, block: int | None = None) -> Books:
        return Books(*await self.read("books", block=block))

    async def held(self, block: int | None = None) -> int:
        """USDC that came by deposits and has not left by withdrawals."""
        return int(await self.read("held", block=block))

    async def paused(self) -> bool:
        """Whether deposits, openings and epochs are stopped; withdrawals and claims never are."""
        return bool(await self.read("paused"))

    async def usdc(self) -> str:
        return str(await self.read("USDC"))

    async def withdrawal_delay_s(self) -> int:
        return int(await self.read("WITHDRAWAL_DELAY"))

    async def payout_root(self, block: int | None = None) -> bytes:
        """Of the last epoch; zeros before the first."""
        return bytes(await self.read("payout_root", block=block))

    async def session(self, session: str, block: int | None = None) -> tuple[int, int]:
        """Its state (0 unknown, 1 open, 2 settled, 3 refunded), and the unix second at which it was opened."""
        state, opened_at = await self.read("session_state", session_id(session), block=block)
        return int(state), int(opened_at)

    def open_sessions(self, openings: Sequence[Opening]) -> Invocation:
        """By the settler."""
        return self.invoke("open_sessions", _sessions(openings))

    def close_epoch(
        self,
        epoch: int,
        result_root: bytes,
        payout_root: bytes,
        allotted: int,
        settled: Sequence[Opening],
    ) -> Invocation:
        """By the settler. `allotted` is the sum over all owners since the beginning."""
        sessions = _sessions(settled)
        return self.invoke("close_epoch", epoch, result_root, payout_root, allotted, sessions)

    def refund(self, openings: Sequence[Opening]) -> Invocation:
        """By anybody, of sessions that were opened and not settled in time."""
        return self.invoke("refund", _sessions(openings))

    def claim(self, owner: str, cumulative: int, proof: Sequence[bytes]) -> Invocation:
        """By anybody, into the owner's balance."""
        return self.invoke("claim", owner, cumulative, list(proof))

    def claim_many(self, claims: ManyClaims) -> Invocation:
        """By anybody, into the balances of up to 128 owners (`PayoutTree.claims`)."""
        return self.invoke("claim_many", claims.allotments, claims.proof, claims.flags)

    def claimants(self, data: bytes) -> list[str]:
        """For whom a call of `claim_many` claims, EIP-55. Raises ValueError where it is another call."""
        allotments, _, _ = self.abi.arguments("claim_many", 3, data)
        return [owner for owner, _ in allotments]

    def deposit(self, amount: int) -> Invocation:
        """By the owner, who has approved it."""
        return self.invoke("deposit", amount)

    def deposit_with_permit(self, amount: int, permit: Permit) -> Invocation:
        """By the owner, whose permit for the escrow it is (`chain.client.signing.permit`)."""
        return self.invoke("deposit_with_permit", amount, *permit)

    def deposit_with_authorization(self, signed: dict[str, Any]) -> Invocation:
        """By anybody, of what the owner has signed (`chain.client.signing.authorization`)."""
        names = ("owner", "amount", "valid_after", "valid_before", "nonce", "v", "r", "s")
        return self.invoke("deposit_with_authorization", *(signed[name] for name in names))

    def set_limits(self, limits: Limits) -> Invocation:
        """By the owner."""
        return self.invoke(
            "set_limits", limits.max_entry, limits.daily_cap, limits.expires, limits.nonce
        )

    def set_limits_by_signature(self, owner: str, limits: Limits, signature: bytes) -> Invocation:
        """By anybody, of what the owner has signed (`chain.client.signing.limits`): 65 bytes r, s, v."""
        return self.invoke(
            "set_limits_by_signature",
            owner,
            limits.max_entry,
            limits.daily_cap,
            limits.expires,
            limits.nonce,
            signature[64],
            signature[:32],
            signature[32:64],
        )

    def request_withdrawal(self, amount: int) -> Invocation:
        """By the owner; it leaves the balance at once, and can be taken after the delay."""
        return self.invoke("request_withdrawal", amount)

    def cancel_withdrawal(self) -> Invocation:
        """By the owner; it is balance again."""
        return self.invoke("cancel_withdrawal")

    def withdraw(self, to: str) -> Invocation:
        """By the owner, after the delay."""
        return self.invoke("withdraw", to)


def session_id(session: str) -> bytes:
    """What the escrow calls a session: SHA-256 of the text of its ULID."""
    return hashlib.sha256(session.encode()).digest()


def _sessions(openings: Sequence[Opening]) -> list[tuple[bytes, int, list[str]]]:
    if not 0 < len(openings) <= MAX_SESSIONS:
        raise ValueError(f"one call takes 1 to {MAX_SESSIONS} sessions, got {len(openings)}")
    return [(session_id(each.session), each.entry, list(each.owners)) for each in openings]
