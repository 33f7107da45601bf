"""When Python's cycle collector may stop a process that has a tick to keep.

A full collection looks at every live object: with 2,000 matches in memory it takes 50-80 ms, and the
default thresholds ask for one every half second. Our long-lived objects are not cyclic garbage, so
the young generations, which cost next to nothing, may grow larger and full collections come rarely.
"""

from __future__ import annotations

import gc

YOUNG, MIDDLE, FULL = 50_000, 20, 100


def tune() -> None:
    """To be called once everything is imported and constructed."""
    gc.collect()
    gc.freeze()  # what exists now stays: never look at it again
    gc.set_threshold(YOUNG, MIDDLE, FULL)
