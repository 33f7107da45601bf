"""An escrow with its token, roles and owners, in an EVM inside the test's process."""

from __future__ import annotations

import hashlib
from typing import Any

import boa

from chain.ethereum import LocalAccount
from chain.payout_tree import PayoutTree
from tests.chain.contracts import deploy
from tests.chain.roles import give_role
from tests.chain.wallets import now, sign, wallet

DAY_S = 86_400
WITHDRAWAL_DELAY_S = DAY_S
REFUND_AFTER_S = 3 * DAY_S
FOREVER = 2**40
DOLLAR = 1_000_000

Session = tuple[bytes, int, list[str]]
"""As the contract takes it: id, entry in micros, the owner of each seat."""


class World:
    """Admin, settler and guardian are three different keys; `owners` have no dollars yet."""

    def __init__(self, owners: int = 3) -> None:
        self.admin, self.settler, self.guardian = (wallet(n).address for n in (101, 102, 103))
        self.owners = [wallet(1 + number) for number in range(owners)]
        self.usdc = deploy("usdc_dev")
        self.escrow = self.new_escrow()
        self.cumulative: dict[str, int] = {}
        self._sessions = 0
        self._nonces = 0

    def new_escrow(self) -> Any:
        escrow = deploy(
            "escrow", self.usdc.address, WITHDRAWAL_DELAY_S, REFUND_AFTER_S, sender=self.admin
        )
        give_role(escrow, "settler", self.settler, self.admin)
        give_role(escrow, "guardian", self.guardian, self.admin)
        return escrow

    def fund(self, owner: LocalAccount, micros: int) -> None:
        """Dollars in the escrow, by approval."""
        self.usdc.mint(owner.address, micros)
        self.usdc.approve(self.escrow.address, micros, sender=owner.address)
        self.escrow.deposit(micros, sender=owner.address)

    def allow(
        self,
        owner: LocalAccount,
        max_entry: int = 25 * DOLLAR,
        daily_cap: int = 1_000 * DOLLAR,
        expires: int = FOREVER,
    ) -> None:
        self._nonces += 1
        self.escrow.set_limits(
            max_entry, daily_cap, expires, 1_000 + self._nonces, sender=owner.address
        )

    def session(self, *owners: LocalAccount, entry: int = 5 * DOLLAR) -> Session:
        self._sessions += 1
        session = hashlib.sha256(str(self._sessions).encode()).digest()
        return session, entry, [owner.address for owner in owners]

    def open(self, *sessions: Session) -> list[Any]:
        """What the escrow said of each."""
        self.escrow.open_sessions(list(sessions), sender=self.settler)
        return events(self.escrow, "Opened", "Refused")

    def close(self, *sessions: Session, allot: dict[LocalAccount, int] | None = None) -> PayoutTree:
        """An epoch that settles sessions and allots so much more than before."""
        for owner, micros in (allot or {}).items():
            self.cumulative[owner.address] = self.cumulative.get(owner.address, 0) + micros
        tree = PayoutTree(self.cumulative or {self.admin: 0})
        self.escrow.close_epoch(
            self.escrow.books().epoch + 1,
            b"\1" * 32,
            tree.root,
            tree.total,
            list(sessions),
            sender=self.settler,
        )
        return tree

    def claim(self, tree: PayoutTree, owner: LocalAccount, sender: str | None = None) -> int:
        added: int = self.escrow.claim(
            owner.address,
            tree.cumulative(owner.address),
            tree.proof(owner.address),
            sender=sender or owner.address,
        )
        return added

    def balance(self, owner: LocalAccount) -> int:
        micros: int = self.escrow.account_of(owner.address).balance
        return micros

    def state(self, session: Session) -> int:
        """0 unknown, 1 open, 2 settled, 3 refunded."""
        state: int = self.escrow.session_state(session[0])[0]
        return state

    def authorization(self, owner: LocalAccount, micros: int, nonce: int = 1, **domain: Any) -> Any:
        """The arguments of `deposit_with_authorization`, signed."""
        message = (0, now() + 600, nonce.to_bytes(32, "big"))
        signature = sign(
            owner,
            self.usdc,
            "ReceiveWithAuthorization",
            owner.address,
            str(self.escrow.address),
            micros,
            *message,
            **domain,
        )
        return (owner.address, micros, *message, *signature)

    def signed_limits(self, owner: LocalAccount, *limits: int, **domain: Any) -> Any:
        """The arguments of `set_limits_by_signature`: highest entry, day's cap, expiry, nonce; signed."""
        message = (owner.address, *limits)
        return (*message, *sign(owner, self.escrow, "Limits", *message, **domain))


def events(contract: Any, *names: str) -> list[Any]:
    """The events of the last call, of those names."""
    return [event for event in contract.get_logs() if type(event).__name__ in names]


def later(seconds: int) -> None:
    boa.env.time_travel(seconds=seconds)
