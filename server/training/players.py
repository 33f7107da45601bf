"""Who sits for whom in a gate's matches. Pure.

The candidate sits as its agent, in the version that it would be. Nobody can sit twice in one session, so whoever it meets is
played by a *sparring partner*: a hosted agent of the arena's own account `gate`, whose one version has the spec that is to be
met. It plays by that spec and is shown by its name; nothing that it plays is rated or counted.
"""

from __future__ import annotations

import msgspec

from server.identity import Kind

GATE_OWNER = "gate"
"""The account of all sparring partners; no registration can have it."""


class Rival(msgspec.Struct, frozen=True):
    """One of the pool, which is frozen: by what it plays."""

    name: str
    """What spectators see, e.g. `bidder`."""
    spec: str
    """Canonical JSON (`server.agents.spec`)."""


class Player(msgspec.Struct, frozen=True):
    """Who sits for a player of the plan."""

    agent: str
    name: str
    version: str
    owner: str
    of: str
    """The version that is met: the candidate's own, the current one's, or the sparring partner's."""
    kind: Kind = "hosted"


def shown(name: str, number: int) -> str:
    """A version's name at the board, e.g. `Ember v3`."""
    return f"{name} v{number}"
