"""What Bittensor's clipping would make of a panel: a comparison, not the rule.

A score above the consensus (the most that judges with at least `kappa` of the weight give or exceed) is cut to it; one below stays.
What a judge keeps of what it gave is its trust (`vtrust`). Seats weigh alike, as in the court. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

PPM = 1_000_000
KAPPA_PPM = 500_000


class Clipped(msgspec.Struct, frozen=True):
    consensus: tuple[int, ...]
    """A sheet: at kappa 0.5 and an odd panel, the court's medians."""
    sheets: tuple[tuple[int, ...], ...]
    means: tuple[int, ...]
    """Of the clipped sheets, rounded down: what Yuma ranks by."""
    trust_ppm: tuple[int, ...]
    """By judge: the share of its points that was not cut; all of them where it gave none."""


def clip(sheets: Sequence[Sequence[int]], kappa_ppm: int = KAPPA_PPM) -> Clipped:
    """At least one sheet; all of one length."""
    consensus = tuple(
        _consensus([sheet[at] for sheet in sheets], kappa_ppm) for at in range(len(sheets[0]))
    )
    cut = tuple(
        tuple(min(score, most) for score, most in zip(sheet, consensus, strict=True))
        for sheet in sheets
    )
    means = tuple(sum(column) // len(cut) for column in zip(*cut, strict=True))
    trust = tuple(
        sum(kept) * PPM // sum(sheet) if sum(sheet) else PPM
        for kept, sheet in zip(cut, sheets, strict=True)
    )
    return Clipped(consensus, cut, means, trust)


def _consensus(scores: Sequence[int], kappa_ppm: int) -> int:
    """The highest score that at least `kappa` of the judges give or exceed."""
    ordered = sorted(scores, reverse=True)
    needed = max(1, -(-len(ordered) * kappa_ppm // PPM))
    return ordered[needed - 1]
