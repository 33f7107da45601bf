"""When Python's cycle collector may stop a process that has a tick to keep.

A full collection looks at every live object: with 2,000 matches in memory it takes 50-80 ms, and the
default thresholds ask for one every half second. Our long-lived objects are not cyclic garbage, so
young collections stay small, which keeps each of them short, and full ones come rarely.
"""

from __future__ import annotations

import gc

YOUNG, MIDDLE, FULL = 10_000, 5, 1_000


def tune() -> None:
    """To be called once everything is imported and constructed."""
    gc.collect()
    gc.freeze()  # what exists now stays: never look at it again
    gc.set_threshold(YOUNG, MIDDLE, FULL)
