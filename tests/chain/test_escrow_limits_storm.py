"""The escrow's machine at the borders of limits: caps, entries and balances of any size, and time that stops at the seconds that count.

The model reckons with full numbers and knows no short form. Whatever order things come in, the contract answers as it does.
"""

from __future__ import annotations

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from tests.chain.escrow_model import HOLDS, Owner
from tests.chain.escrow_world import DAY_S, DOLLAR, later
from tests.chain.test_escrow_stateful import AMOUNTS, WHO, EscrowMachine, run
from tests.chain.wallets import now

CENT = 10_000
HIGHEST = ((2**20 - 1) * CENT, (2**23 - 1) * CENT)
"""Where the short form of an entry, and of a day's cap, ends."""
NEAR = st.sampled_from([-CENT, -1, 0, 0, 1, CENT])
SIZES = st.sampled_from([0, 1, CENT, 5 * DOLLAR, 3 * DOLLAR + 7, *HIGHEST, 2**59, HOLDS, 2**64 - 1])
WHEN = st.sampled_from(["now", "today", "tomorrow", "in a week", "2149", "never", "once"])
AIMS = st.sampled_from(["entry", "day", "balance", "short entry", "short day", "a dollar"])
LAST_DAY = 2**16 - 1
"""Where the short form of an expiry ends."""


def _uint64(number: int, least: int = 0) -> int:
    return min(max(number, least), 2**64 - 1)


class LimitsMachine(EscrowMachine):
    """All that the escrow's machine does, with numbers that lie at borders. There are no more dollars than an account can hold."""

    minted = 0

    @initialize(rich=st.sets(WHO, min_size=4))
    def begin(self, rich: set[int]) -> None:
        for who in rich:
            self.deposit(who, 2**55 + who)
            self.limit(who, 2**64 - 1, 2**64 - 1, 0, 0, "never", False)

    @rule(who=WHO, micros=st.one_of(AMOUNTS, st.sampled_from([2**50, 2**58, 2**59])))
    def deposit(self, who: int, micros: int) -> None:
        if self.minted + micros <= HOLDS:
            self.minted += micros
            super().deposit(who, micros)

    @rule(who=WHO, entry=SIZES, cap=SIZES, less=NEAR, more=NEAR, when=WHEN, signed=st.booleans())
    def limit(
        self, who: int, entry: int, cap: int, less: int, more: int, when: str, signed: bool
    ) -> None:
        """Any that can be signed; a cap may be what the day has already spent, and a little."""
        spent = self.model.owners[self.owners[who].address].spent.get(now() // DAY_S, 0)
        cap = _uint64((spent if when == "today" else cap) + more)
        for_s = self._expiry(when) - now()
        super().limit(who, _uint64(entry + less), cap, for_s, False, signed)

    @staticmethod
    def _expiry(when: str) -> int:
        today = now() - now() % DAY_S
        return {
            "now": now(),
            "today": today + DAY_S - 1,
            "tomorrow": today + DAY_S,
            "in a week": now() + 7 * DAY_S,
            "2149": LAST_DAY * DAY_S,
            "never": 2**64 - 1,
            "once": 0,
        }[when]

    @rule(
        batch=st.lists(
            st.tuples(st.lists(WHO, min_size=1, max_size=3), AIMS, NEAR), min_size=1, max_size=4
        ),
        again=st.booleans(),
    )
    def open(self, batch: list[tuple[list[int], str, int]], again: bool) -> None:
        """Entries that are just within something, or just beyond it."""
        aimed = [
            (seats, _uint64(self._aim(seats, aim) + near, least=1)) for seats, aim, near in batch
        ]
        super().open(aimed, again)

    def _aim(self, seats: list[int], aim: str) -> int:
        owner: Owner = self.model.owners[self.owners[seats[-1]].address]
        spent = owner.spent.get(now() // DAY_S, 0)
        times = seats.count(seats[-1])
        return {
            "entry": owner.max_entry,
            "day": (owner.daily_cap - spent) // times,
            "balance": owner.balance // times,
            "short entry": HIGHEST[0],
            "short day": (HIGHEST[1] - spent) // times,
            "a dollar": DOLLAR,
        }[aim]

    @rule(who=WHO, after=st.sampled_from([0, 1]), which=st.sampled_from(["midnight", "expiry"]))
    def wait_until(self, who: int, after: int, which: str) -> None:
        """The first second of a day or the last one before it; the last second of limits or the one after it."""
        expires = self.model.owners[self.owners[who].address].expires
        midnight = now() - now() % DAY_S + DAY_S - 1
        until = (midnight if which == "midnight" else expires) + after
        if now() < until < (LAST_DAY + 10_000) * DAY_S:
            later(until - now())

    @rule()
    def limits_are_told_as_they_were_set(self) -> None:
        for address, owner in self.model.owners.items():
            told = tuple(self.escrow.limits_of(address))
            assert told == (owner.max_entry, owner.daily_cap, owner.expires, owner.nonce)


def test_limits_mean_what_they_say() -> None:
    run(LimitsMachine, examples=6, steps=20)


@pytest.mark.slow
def test_limits_mean_what_they_say_in_five_thousand_calls() -> None:
    before = LimitsMachine.calls
    while LimitsMachine.calls - before < 5_000:
        run(LimitsMachine, examples=60, steps=60)
