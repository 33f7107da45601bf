"""What judges have earned in all, epoch by epoch: the sums that they claim by. Pure, integers alone.

The pay of one hearing may be negative, and what was claimed cannot be taken back. So what a judge may claim is the highest that the
sum of its pays has been at the end of any epoch: a loss is worked off before anything is earned again, and never paid back. Of an
epoch only sums count: in which order its hearings are told changes nothing, and whoever tells them gains nothing by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec


class Account(msgspec.Struct, frozen=True):
    """One judge's, in micro-USDC."""

    balance: int = 0
    """The sum of all its pays; below `earned` by what it has to work off."""
    earned: int = 0
    """What it may claim in all; never falls."""


def after(before: Mapping[str, Account], pays: Iterable[tuple[str, int]]) -> dict[str, Account]:
    """The accounts at the end of an epoch with these (judge, pay), several of one judge or none; in the order of the judges."""
    balances = {judge: account.balance for judge, account in before.items()}
    for judge, pay in pays:
        balances[judge] = balances.get(judge, 0) + pay
    return {
        judge: Account(balance, max(balance, before.get(judge, Account()).earned))
        for judge, balance in sorted(balances.items())
    }


def claimable(accounts: Mapping[str, Account]) -> dict[str, int]:
    """The leaves of the epoch's tree: what each may claim in all, without those who have earned nothing yet."""
    return {judge: account.earned for judge, account in accounts.items() if account.earned}


def total(accounts: Mapping[str, Account]) -> int:
    """What all may claim together: no more than that is ever paid."""
    return sum(account.earned for account in accounts.values())
