"""Whether a deployment's court can be filed with, and what it has: for `agon doctor` and for alarms."""

from __future__ import annotations

import msgspec

from chain.client.court import CourtContract
from chain.client.judge_registry import JudgeRegistry


class Health(msgspec.Struct, frozen=True):
    clerk: str | None
    """Who has the role."""
    bond: int
    """FRAC that answers for the clerk, in its smallest part."""
    wanted_bond: int
    """Less, and nothing is filed."""
    free_micros: int
    """USDC that no root and no forced hearing has given to anybody."""
    judges: int
    """Who have a place in snapshots; whether all of them can be drawn, only a snapshot says."""

    def ills(self, key: str) -> dict[str, str]:
        """What holds the court up, by a word for each: for the arena whose clerk has this key."""
        found = {}
        if self.clerk != key:
            found["court-no-clerk"] = (
                f"{key} is not the court's clerk ({self.clerk or 'nobody'} is), so nothing is filed:"
                f" `agon chain roles --clerk {key}`, then `agon chain take`"
            )
        if self.bond < self.wanted_bond:
            frac = 10**18
            found["court-bond"] = (
                f"the clerk's bond is {self.bond / frac:g} FRAC and {self.wanted_bond / frac:g} are wanted, so nothing is filed:"
                " `agon chain fund-court --bond FRAC`"
            )
        if self.free_micros <= 0:
            found["court-unfunded"] = (
                "all USDC of the court is earned, and no more can be: `agon chain fund-court --pay USDC`"
            )
        return found


async def look(court: CourtContract, registry: JudgeRegistry) -> Health:
    """Raises OSError."""
    terms = await court.terms()
    count = await court.epoch_count()
    owed = (await court.epoch(count)).total if count else 0
    return Health(
        clerk=await court.holder("clerk"),
        bond=await court.clerk_bond(),
        wanted_bond=terms.clerk_bond,
        free_micros=await court.funded() - await court.forced_total() - owed,
        judges=await registry.place_count(),
    )
