"""Random byte strings that are the same everywhere: what the fixed vectors are of. Standard library alone, so that the
scripts that ask other implementations can import it from anywhere."""

from __future__ import annotations

import random
from collections.abc import Iterator

SEED = "agon content vectors 1"
COUNT = 10_000
MIB = 1024 * 1024
BORDERS = (0, 1, *(n * MIB // 4 + d for n in (1, 2, 3, 4, 8, 12) for d in (-1, 0, 1)))
"""Where chunks of either profile end."""
LARGE_EVERY = 40
"""One of so many is of any size up to 3 MiB; the others are spread evenly over the powers of two up to 64 KiB."""


def strings(count: int = COUNT) -> Iterator[bytes]:
    """The first `count` of them."""
    rng = random.Random(SEED)
    for number in range(count):
        if number < len(BORDERS):
            size = BORDERS[number]
        elif number % LARGE_EVERY == 0:
            size = rng.randrange(3 * MIB + 1)
        else:
            size = int(2 ** rng.uniform(0, 16)) - 1
        yield rng.randbytes(size)
