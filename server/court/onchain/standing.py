"""What the registry says of one judge, folded from its events alone, as a value for each change. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from chain.court.snapshot import family_name
from server.operators.standing import printable

EVER = 2**63 - 1
"""Unix seconds: what is jailed for ever is jailed until then."""


class Standing(msgspec.Struct, frozen=True):
    """A judge. FRAC in its smallest part, times in unix seconds."""

    operator: str = ""
    accepted: bool = False
    """By the operator."""
    family: str = ""
    endpoint: str = ""
    bonded: int = 0
    unbonding: int = 0
    unbonding_at: int = 0
    """From when what unbonds may be taken."""
    jailed_until: int = 0
    place: int = 0
    """In snapshots, from 1; 0: it has none."""

    def can_be_drawn(self, min_stake: int, now_s: int) -> bool:
        """Whether a snapshot of that moment has it."""
        stands = self.accepted and self.place > 0 and self.bonded >= min_stake
        return stands and self.jailed_until <= now_s


CHANGES = frozenset(
    {
        "Registered",
        "Accepted",
        "Disowned",
        "Staked",
        "Unbonding",
        "Released",
        "Placed",
        "Slashed",
        "Jailed",
    }
)
"""Events of the registry by which a judge comes to stand otherwise."""


def after(before: Standing, name: str, fields: dict[str, Any]) -> Standing:
    """The standing of `fields["judge"]` after one of CHANGES. Raises ValueError for another event."""
    match name:
        case "Registered":
            kept = before.operator == fields["operator"] and before.accepted
            change: dict[str, Any] = {
                "operator": fields["operator"],
                "accepted": kept or fields["operator"] == fields["judge"],
                "family": family_name(fields["family"]),
                "endpoint": printable(fields["endpoint"]),
            }
        case "Accepted" | "Disowned":
            change = {"accepted": name == "Accepted"}
        case "Staked":
            change = {"bonded": fields["bonded"]}
        case "Unbonding":
            change = {
                "bonded": before.bonded - fields["amount"],
                "unbonding": before.unbonding + fields["amount"],
                "unbonding_at": fields["at"],
            }
        case "Released":
            change = {"unbonding": 0}
        case "Placed":
            change = {"place": fields["place"]}
        case "Slashed":
            of_bonded = min(fields["lost"], before.bonded)
            change = {
                "bonded": before.bonded - of_bonded,
                "unbonding": before.unbonding - (fields["lost"] - of_bonded),
            }
        case "Jailed":
            change = {"jailed_until": min(fields["until"], EVER)}
        case _:
            raise ValueError(f"a judge does not change by {name!r}")
    return msgspec.structs.replace(before, **change)


def displaced(before: Standing) -> Standing:
    """The standing of a judge whose place another has taken."""
    return msgspec.structs.replace(before, place=0)
