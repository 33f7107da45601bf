"""When a snapshot is to be taken, and when a seed is to be asked for: within the contracts' rules. Pure.

Numbers of blocks and times (unix seconds) are as the chain tells them.
"""

from __future__ import annotations

HASHES = 256
"""So many blocks back every chain still knows a block's hash; some for longer (EIP-2935)."""
MOST_HASHES = 8_192
"""And none for longer."""


def snapshot_due(
    newest_s: int | None, now_s: int, gap_s: int, max_s: int, *, changed: bool, wanted: bool
) -> bool:
    """Whether a snapshot is to be taken. `newest_s`: the time of the last one; `gap_s`: between two of them; `max_s`: how old one may
    be that is filed with. `changed`: judges stand otherwise since; `wanted`: somebody wants to file."""
    if newest_s is None:
        return changed
    age_s = now_s - newest_s
    return age_s >= gap_s and (changed or (wanted and age_s > max_s // 2))


def too_old(taken_s: int, now_s: int, max_s: int) -> bool:
    """Whether a transaction of now that files with a snapshot may come too late: it may wait for as long as an eighth of
    `max_s`."""
    return now_s > taken_s + max_s - max_s // 8


def seedable(seed_block: int, head: int) -> bool:
    """Whether the block after `head` can keep the seed."""
    return head >= seed_block


def is_over(seed_block: int, read: int) -> bool:
    """Whether a seed that the chain refuses is lost: a block's hash is known for 256 blocks at least, `read` is the newest whose
    logs are known, so nobody has asked in time."""
    return read > seed_block + HASHES
