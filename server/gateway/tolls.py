"""Who pays for a message: the agent behind the key, or the address a spectator comes from.

Both outlive their connections, so that neither more connections nor new ones bring more credits.
"""

from __future__ import annotations

from typing import Final

from server.config import Config
from server.credits import Accounts
from server.gateway.connection import Peer

SHARES_OF_ADDRESS: Final = 20
"""An address has the credits of so many connections at least: many spectators may share one."""
CONNECTIONS_A_SHARE: Final = 50
"""One share more for so many connections that an address may hold, as behind a proxy."""
PIECES: Final = 100
PIECES_PER_S: Final = 25
"""`partial`s of one seat, over all connections; twice what our own bots send (`bots.drafts.PACE_MS`)."""


class Tolls:
    """The buckets of one gateway. `now` is loop time in seconds."""

    def __init__(self, config: Config) -> None:
        shares = max(SHARES_OF_ADDRESS, config.connections_per_address // CONNECTIONS_A_SHARE)
        self._addresses = Accounts(config.credits * shares, config.credits_per_s * shares)
        self._agents = Accounts(config.credits, config.credits_per_s)
        self._seats = Accounts(PIECES, PIECES_PER_S)

    def charge(self, peer: Peer, cost: int, now: float) -> int:
        """Take the credits and return 0, or take none and return the wait in milliseconds.

        A spectator, and whoever has not said hello yet, pays twice: from the connection's own bucket,
        which keeps one from spending what its neighbours share, and from the address's.
        """
        if peer.identity is not None:
            return self._agents.spend(peer.identity.agent, cost, now)
        wait_ms = max(peer.credits.wait(cost, now), self._addresses.wait(peer.host, cost, now))
        if wait_ms == 0:
            peer.credits.spend(cost, now)
            self._addresses.spend(peer.host, cost, now)
        return wait_ms

    def piece(self, session: str, seat: int, now: float) -> bool:
        """Whether a seat may show one more piece of its answer now."""
        return self._seats.spend(f"{session}:{seat}", 1, now) == 0
