"""How accounts and transfers are called, and what an account's name says about it. Pure.

A name says all that is needed to open the account, so accounts are opened by being used; and a transfer's name
says what it is for, so that doing it twice is impossible.
"""

from __future__ import annotations

from collections.abc import Mapping

from server.ledger.account import Account, Bound
from server.ledger.tiers import ASSETS, PLAY, USDC
from server.ledger.transfer import MAX_ID

CHAIN = f"{USDC}:chain"
"""The world outside: debited by deposits, credited by withdrawals."""
MINT = f"{PLAY}:mint"
"""Where play money comes from."""
POOLS = ("protocol", "judges", "operators")

CODES = frozenset(
    {"hold", "entry", "pot", "winnings", "fee", "refund", "deposit", "withdrawal", "fund", "grant"}
    | {"undone"}  # the chain has taken a deposit, or a withdrawal, back
)
"""Why money moves."""

_BOUNDS: Mapping[str, Bound] = {
    "owner": Bound.DEBITS,
    "agent": Bound.DEBITS,
    "queue": Bound.DEBITS,
    "pot": Bound.DEBITS,
    "fees": Bound.DEBITS,
}


def owner(asset: str, account: str) -> str:
    """An owner's money that no agent has."""
    return f"{asset}:owner:{account}"


def agent(asset: str, agent_id: str) -> str:
    """An agent's money."""
    return f"{asset}:agent:{agent_id}"


def queue(asset: str, space: str) -> str:
    """What is held for the tickets that wait in a Space."""
    return f"{asset}:queue:{space}"


def pot(asset: str, session: str) -> str:
    """A session's entries."""
    return f"{asset}:pot:{session}"


def fees(asset: str, pool: str) -> str:
    """Where a pool's fees go, of POOLS; play money goes back to its mint."""
    return MINT if asset == PLAY else f"{asset}:fees:{pool}"


def opening(id_: str) -> Account:
    """The account of that name, empty. Raises ValueError for a name that is none."""
    if id_ == CHAIN:
        return Account(id_, USDC, Bound.CREDITS)
    if id_ == MINT:
        return Account(id_, PLAY, Bound.NONE)
    asset, _, rest = id_.partition(":")
    kind, _, of = rest.partition(":")
    if asset not in ASSETS or kind not in _BOUNDS or not of or len(id_) > MAX_ID:
        raise ValueError(f"no account of the ledger: {id_!r}")
    return Account(id_, asset, _BOUNDS[kind])
