"""How many agents one address may register: so many a minute, counted for all API processes in Redis."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from redis.asyncio import Redis

from server.api.problems import Problem
from server.live import keys

IPV6_PREFIX = 64
"""One customer has at least this network, so single IPv6 addresses count for nothing."""


async def admit(redis: Redis, address: str, per_min: int) -> None:
    """Count one registration. Raises Problem 429 that says when to come back."""
    key = keys.registrations(network(address))
    async with redis.pipeline(transaction=True) as pipe:
        pipe.set(key, 0, ex=keys.REGISTRATIONS_TTL_S, nx=True)
        pipe.incr(key)
        pipe.ttl(key)
        _, count, ttl_s = await pipe.execute()
    if count > per_min:
        wait_s = max(1, ttl_s)
        raise Problem(
            429,
            "rate-limited",
            f"at most {per_min} registrations a minute from one address; try again in {wait_s} s",
            headers={"Retry-After": str(wait_s)},
        )


def network(address: str) -> str:
    """What is counted as one: an IPv4 address, an IPv6 /64, or whatever else the server saw."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    shift = 128 - IPV6_PREFIX
    return f"{IPv6Address(int(parsed) >> shift << shift)}/{IPV6_PREFIX}"
