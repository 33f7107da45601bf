"""What HTTP requests cost: credits of the account that makes them, or of the address where nobody is named.

Limits instead of captchas: whoever is out of credits is told when to come back (429, `Retry-After`). Buckets are kept by
each API process for itself, so that no request waits for a counter elsewhere: n processes give n times as much.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Final

from server.api.problems import Problem
from server.api.registrations import network
from server.config import Config
from server.credits import Accounts

SHARES_OF_ADDRESS: Final = 4
"""An address has the credits of so many accounts: people share one, too."""
LOOK_UP: Final = 1
"""What an address pays for a request with a credential, whose account pays the rest."""
READING: Final = 1
CHANGING: Final = 5


class Tolls:
    """The buckets of one API process."""

    def __init__(self, config: Config, now: Callable[[], float] = time.monotonic) -> None:
        """`now` is a steady clock in seconds."""
        self._now = now
        shares, credits, per_s = SHARES_OF_ADDRESS, config.http_credits, config.http_credits_per_s
        self._addresses = Accounts(credits * shares, per_s * shares)
        self._accounts = Accounts(credits, per_s)

    def charge_address(self, address: str, cost: int) -> None:
        """Raises Problem 429. An IPv6 address pays from its /64's."""
        _refuse_until(self._addresses.spend(network(address), cost, self._now()), "address")

    def charge_account(self, account: str, cost: int) -> None:
        """Raises Problem 429."""
        _refuse_until(self._accounts.spend(account, cost, self._now()), "account")


def _refuse_until(wait_ms: int, whose: str) -> None:
    if wait_ms == 0:
        return
    wait_s = math.ceil(wait_ms / 1_000)
    raise Problem(
        429,
        "rate-limited",
        f"this {whose} is out of credits; try again in {wait_s} s",
        headers={"Retry-After": str(wait_s)},
    )
