"""Who is connected, and who may still come in: caps on all connections, per address, per agent."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter

from server.gateway.connection import Peer

CONNECTIONS_PER_AGENT = 64
"""A bot may hold one connection per session it plays; more is a leak."""
OVERFLOW = 256
"""Connections above the cap that are accepted just to be told so (3504); any more are aborted."""
OVERFLOW_OF_ADDRESS = 16
"""The same above the cap of one address."""
NETWORK_BITS = 64
"""IPv6 is counted by networks of so many bits: a customer has at least one, with 2**64 addresses."""


class Door:
    """Counts connections from the moment TCP is up, so that unfinished handshakes count too."""

    def __init__(self, *, total: int, per_address: int) -> None:
        self._total = total
        self._per_address = per_address
        self._peers: dict[Peer, str] = {}
        self._addresses: Counter[str] = Counter()
        self._agents: Counter[str] = Counter()
        self._empty = asyncio.Event()
        self._empty.set()

    def __len__(self) -> int:
        return len(self._peers)

    def peers(self) -> list[Peer]:
        return list(self._peers)

    async def emptied(self) -> None:
        """Return when nobody is connected."""
        await self._empty.wait()

    def arrive(self, peer: Peer) -> None:
        """Called when TCP is up, before the opening handshake."""
        peer.host = host = host_of(peer.remote_address)
        self._peers[peer] = host
        self._empty.clear()
        self._addresses[host] += 1
        # Whoever does not finish the handshake is never refused politely, and must not keep others out.
        of_address = self._addresses[host] > self._per_address + OVERFLOW_OF_ADDRESS
        if of_address or len(self._peers) > self._total + OVERFLOW:
            peer.transport.abort()

    def depart(self, peer: Peer) -> None:
        """Called when the connection is lost. Safe to call twice."""
        host = self._peers.pop(peer, None)
        if host is None:
            return
        if not self._peers:
            self._empty.set()
        _uncount(self._addresses, host)
        if peer.identity is not None:
            _uncount(self._agents, peer.identity.agent)

    def refusal(self, peer: Peer) -> str | None:
        """Why this connection may not stay, or None."""
        if len(self._peers) > self._total:
            return "the gateway is full"
        if self._addresses[self._peers.get(peer, "")] > self._per_address:
            return f"more than {self._per_address} connections from your address"
        return None

    def identify(self, peer: Peer) -> str | None:
        """Count the connection for its agent; why it may not stay, or None."""
        if peer.identity is None or peer not in self._peers:
            return None
        agent = peer.identity.agent
        self._agents[agent] += 1
        if self._agents[agent] > CONNECTIONS_PER_AGENT:
            return f"more than {CONNECTIONS_PER_AGENT} connections of your agent"
        return None


def host_of(address: object) -> str:
    """What an address is counted as: itself, or its network where each customer has a whole one."""
    if not isinstance(address, tuple):
        return "local"
    host = str(address[0])
    if ":" not in host:
        return host
    network = ipaddress.ip_network((host.partition("%")[0], NETWORK_BITS), strict=False)
    return str(network)


def _uncount(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
