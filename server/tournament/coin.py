"""The tournament's own chance: committed before the first game, revealed after the last. Pure.

The seed's commitment is `tournament.commitment.committed`, and every draw is of a labelled
stream (`spaces.seed`), so anyone who has the revealed seed can check each of them. Labels:

- `seats:<match>`: who sits first in a match's first game (a draw below the number of seats)
- `coin:<match>`: who goes on after a full tie of two: 0 is the higher seed
- `coin:<match>:<place>`: which of several tied ones takes a place of a heat, by order of seeds
- `rank:<rank>:<remaining>`: which of several tied ones takes a rank of the final standings, by order of seeds
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from spaces.seed import Streams


def drawn(streams: Streams, tied: Sequence[int], label: Callable[[int], str]) -> list[int]:
    """The tied ones in an order by chance.

    One is drawn for each place, from those that remain in order of seeds; `label(k)` names the draw for
    the k-th of them, from 0 on; the last is not drawn.
    """
    remaining = sorted(tied)
    order = [
        remaining.pop(streams.below(label(place), len(remaining)))
        for place in range(len(remaining) - 1)
    ]
    return order + remaining
