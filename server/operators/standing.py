"""What the contract of node operators says of one operator, folded from its events alone. Pure.

The same as `chain.operator.roll` finds (a test compares them), as a value for each change, so that it can be kept in rows, told
for any block that was read, and taken back.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Standing(msgspec.Struct, frozen=True):
    """An operator. FRAC in its smallest part."""

    endpoint: str = ""
    peer_id: str = ""
    bonded: int = 0
    unbonding: int = 0
    unbonding_at: int = 0
    """Unix seconds from which what unbonds may be taken."""
    first_batch: int = 0
    """The first of its batches that it is still bound to keep."""
    misses: int = 0
    """Those that cost stake and were not forgotten when the last one was recorded."""
    silent: bool = False
    """It has missed a challenge, and has neither attested nor answered since."""

    def stands(self, min_stake: int) -> bool:
        """Whether blocks are given to it: registered, staked and not silent."""
        return bool(self.peer_id) and self.bonded >= min_stake and not self.silent


CHANGES = frozenset(
    {"Registered", "Staked", "Unbonding", "Released", "Attested", "Answered", "Missed", "Exposed"}
)
"""Events by which a standing changes."""


def after(before: Standing, name: str, fields: dict[str, Any], batches: int) -> Standing:
    """The standing after one of CHANGES; `batches`: how many the operator had attested until then."""
    match name:
        case "Registered":
            change: dict[str, Any] = {
                "endpoint": printable(fields["endpoint"]),
                "peer_id": printable(fields["peer_id"]),
            }
        case "Staked":
            change = {"bonded": fields["bonded"]}
        case "Unbonding":
            change = {
                "bonded": before.bonded - fields["amount"],
                "unbonding": before.unbonding + fields["amount"],
                "unbonding_at": fields["at"],
            }
        case "Released":
            owes_nothing = before.bonded == 0
            change = {
                "unbonding": 0,
                "first_batch": batches if owes_nothing else before.first_batch,
            }
        case "Attested" | "Answered":
            change = {"silent": False}
        case "Missed":
            change = {
                "misses": fields["misses"],
                "silent": True,
                **_slashed(before, fields["lost"]),
            }
        case "Exposed":
            change = _slashed(before, fields["lost"])
        case _:
            raise ValueError(f"a standing does not change by {name!r}")
    return msgspec.structs.replace(before, **change)


def _slashed(before: Standing, lost: int) -> dict[str, Any]:
    """What is bonded goes first, as in the contract's `_slash`."""
    of_bonded = min(lost, before.bonded)
    return {
        "bonded": before.bonded - of_bonded,
        "unbonding": before.unbonding - (lost - of_bonded),
    }


def printable(text: str) -> str:
    """An operator's own words, without what breaks lines, terminals and databases."""
    return "".join(each for each in text if each.isprintable())
