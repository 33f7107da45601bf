"""What the escrow is to do, in plain Python: the same answers and the same refusals. Pure; time is an argument."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.chain.escrow_world import DAY_S, REFUND_AFTER_S, WITHDRAWAL_DELAY_S, Session

OPEN, SETTLED, REFUNDED = 1, 2, 3
KNOWN, ENTRY, EXPIRED, DAY, BALANCE = 1, 2, 3, 4, 5
OPENED = 0
HOLDS = 2**60 - 1
"""The most micros that each number of an account can be: a million million dollars."""


TOO_MUCH = "escrow: more than an account can hold"


class Refused(Exception):
    """The contract reverts with these words."""


@dataclass
class Owner:
    balance: int = 0
    claimed: int = 0
    spent: dict[int, int] = field(default_factory=dict)
    """Micros by UTC day."""
    max_entry: int = 0
    daily_cap: int = 0
    expires: int = 0
    nonce: int = 0
    requested: int = 0
    ready_at: int = 0


@dataclass(eq=False)
class Played:
    entry: int
    owners: tuple[str, ...]
    opened_at: int
    state: int = OPEN

    @property
    def pot(self) -> int:
        return self.entry * len(self.owners)


@dataclass
class Escrow:
    owners: dict[str, Owner]
    sessions: dict[bytes, Played] = field(default_factory=dict)
    held: int = 0
    paused: bool = False
    settled: int = 0
    allotted: int = 0
    claimed: int = 0
    epoch: int = 0
    leaves: Mapping[str, int] = field(default_factory=dict)
    """Of the last epoch's tree."""

    def deposit(self, owner: str, micros: int) -> None:
        _unless(self.paused, "escrow: paused")
        _unless(self.owners[owner].balance + micros > HOLDS, TOO_MUCH)
        self.owners[owner].balance += micros
        self.held += micros

    def set_limits(self, owner: str, entry: int, cap: int, expires: int, nonce: int) -> None:
        one = self.owners[owner]
        _unless(nonce <= one.nonce, "escrow: limits of this nonce or a higher one are set")
        one.max_entry, one.daily_cap, one.expires, one.nonce = entry, cap, expires, nonce

    def open(self, sessions: Sequence[Session], now: int) -> list[int]:
        """Of each session whether it was OPENED, or why it was refused."""
        _unless(self.paused, "escrow: paused")
        return [self._open(session, now) for session in sessions]

    def _open(self, session: Session, now: int) -> int:
        name, entry, owners = session
        if name in self.sessions:
            return KNOWN
        today = now // DAY_S
        taken: list[Owner] = []
        for owner in (self.owners[address] for address in owners):
            why = _why_not(owner, entry, today, now)
            if why:
                for earlier in taken:
                    earlier.balance += entry
                    earlier.spent[today] -= entry
                return why
            owner.balance -= entry
            owner.spent[today] = owner.spent.get(today, 0) + entry
            taken.append(owner)
        self.sessions[name] = Played(entry, tuple(owners), now)
        return OPENED

    def close(
        self,
        epoch: int,
        leaves: Mapping[str, int],
        allotted: int,
        sessions: list[Session],
        now: int,
    ) -> None:
        _unless(self.paused, "escrow: paused")
        _unless(epoch != self.epoch + 1, "escrow: not the next epoch")
        pots, seen = 0, set()
        for name, entry, owners in sessions:
            played = self.sessions.get(name)
            opened = played is not None and played.state == OPEN and name not in seen
            _unless(not opened, "escrow: the session is not open")
            assert played is not None
            as_opened = (played.entry, played.owners) == (entry, tuple(owners))
            _unless(not as_opened, "escrow: not as it was opened")
            _unless(now >= played.opened_at + REFUND_AFTER_S, "escrow: the session's time is over")
            pots += played.pot
            seen.add(name)
        _unless(self.settled + pots >= 2**64, "")  # the contract's sum runs over
        _unless(allotted < self.allotted, "escrow: an allotment cannot be taken back")
        _unless(allotted > self.settled + pots, "escrow: more allotted than settled")
        for name in seen:
            self.sessions[name].state = SETTLED
        self.settled += pots
        self.allotted, self.epoch, self.leaves = allotted, epoch, dict(leaves)

    def claim(self, owner: str, cumulative: int) -> int:
        _unless(self.leaves.get(owner) != cumulative, "escrow: not in the last epoch's root")
        one = self.owners[owner]
        added = cumulative - one.claimed
        _unless(added <= 0, "escrow: nothing to claim")
        _unless(cumulative > HOLDS or one.balance + added > HOLDS, TOO_MUCH)
        _unless(self.claimed + added > self.allotted, "escrow: more claimed than allotted")
        self.claimed += added
        one.claimed = cumulative
        one.balance += added
        return added

    def claim_many(self, owners: Sequence[str]) -> int:
        due = {owner: max(0, self.leaves[owner] - self.owners[owner].claimed) for owner in owners}
        for owner, micros in due.items():
            one = self.owners[owner]
            _unless(micros and max(one.claimed, one.balance) + micros > HOLDS, TOO_MUCH)
        together = sum(due.values())
        _unless(self.claimed + together > self.allotted, "escrow: more claimed than allotted")
        for owner, micros in due.items():
            self.owners[owner].claimed += micros
            self.owners[owner].balance += micros
        self.claimed += together
        return together

    def refund(self, sessions: list[Session], by_settler: bool, now: int) -> None:
        due = []
        for name, entry, owners in sessions:
            played = self.sessions.get(name)
            if played is None or played.state != OPEN or played in due:
                continue
            as_opened = (played.entry, played.owners) == (entry, tuple(owners))
            _unless(not as_opened, "escrow: not as it was opened")
            early = not by_settler and now < played.opened_at + REFUND_AFTER_S
            _unless(early, "escrow: too early for a refund")
            due.append(played)
        for played in due:
            played.state = REFUNDED
            for owner in played.owners:
                self.owners[owner].balance += played.entry

    def request(self, owner: str, micros: int, now: int) -> None:
        one = self.owners[owner]
        _unless(micros == 0, "escrow: nothing to withdraw")
        _unless(micros > one.balance, "escrow: the balance is too low")
        one.balance -= micros
        one.requested += micros
        one.ready_at = now + WITHDRAWAL_DELAY_S

    def cancel(self, owner: str) -> None:
        one = self.owners[owner]
        _unless(one.requested == 0, "escrow: nothing to withdraw")
        one.balance += one.requested
        one.requested = one.ready_at = 0

    def withdraw(self, owner: str, now: int, blocked: bool) -> int:
        one = self.owners[owner]
        _unless(one.requested == 0, "escrow: nothing to withdraw")
        _unless(now < one.ready_at, "escrow: the delay is not over")
        _unless(blocked, "usdc_dev: account is blacklisted")
        paid, one.requested, one.ready_at = one.requested, 0, 0
        self.held -= paid
        return paid

    @property
    def owed(self) -> int:
        """Everything that somebody has a right to."""
        of_owners = sum(owner.balance + owner.requested for owner in self.owners.values())
        in_play = sum(each.pot for each in self.sessions.values() if each.state == OPEN)
        return of_owners + in_play + self.settled - self.claimed


def _why_not(owner: Owner, entry: int, today: int, now: int) -> int:
    if entry > owner.max_entry:
        return ENTRY
    if now > owner.expires:
        return EXPIRED
    if owner.spent.get(today, 0) + entry > min(owner.daily_cap, HOLDS):
        return DAY
    return BALANCE if entry > owner.balance else OPENED


def _unless(wrong: object, reason: str) -> None:
    if wrong:
        raise Refused(reason)
