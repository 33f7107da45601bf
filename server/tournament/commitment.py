"""What is published of a tournament's chance before its first game. Pure.

`seed_commit` is SHA-256("agon-tournament/1" || tournament || plan || seed), where `plan` is the hex
SHA-256 of the canonical JSON (`spaces.canonical`) of

    {"entrants": [[agent, version, rating_milli], ...], "setup": {...}}

with the entrants in the order of seeds and the setup as the API shows it. So neither the seed nor who
plays whom under which settings can be changed once it is out. What it does not show is that the seed was
drawn only once: the operator knows the entrants when it is drawn.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from server.tournament.setup import Entrant, Setup
from spaces import canonical

TAG = b"agon-tournament/1"


def plan_digest(setup: Setup, entrants: Sequence[Entrant]) -> str:
    """The hex digest of what is to be played, and by whom."""
    return canonical.sha256(
        {
            "setup": msgspec.to_builtins(setup),
            "entrants": [[each.agent, each.version, each.rating_milli] for each in entrants],
        }
    )


def committed(tournament: str, setup: Setup, entrants: Sequence[Entrant], seed: bytes) -> str:
    """The hex digest published before the first game."""
    plan = plan_digest(setup, entrants)
    return hashlib.sha256(TAG + tournament.encode() + plan.encode() + seed).hexdigest()
