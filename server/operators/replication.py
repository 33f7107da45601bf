"""How many operators keep what is asked for, and whether that is enough.

Who is to keep a block follows from the chain alone (`chain.operator.assign` among those who stand), so nobody has to be told: when
an operator stands no more, the one that comes next finds it out by the same logs, and takes what is its own now. What is left to
the arena is to see that it happens, and to call a person where it does not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping

import msgspec
import structlog

from chain.client.operators import Terms
from chain.content.cid import parse
from chain.operator import assign
from server.metrics import Metrics
from server.operators.standing import Standing
from server.store.operators import Operators

FRESH_MS = 3_600_000
"""A block that is asked for no longer than this may have fewer keepers: they fetch it, and attest it with others."""

_logger = structlog.get_logger()


class Health(msgspec.Struct, frozen=True):
    """How what is asked for is kept."""

    replicas: int
    """How many are to keep each block."""
    standing: list[str]
    """The operators among whom blocks are shared out."""
    tasks: int
    keepers: dict[int, int]
    """How many blocks have so many keepers that stand; the last number counts those with more, too."""
    short: int
    """Blocks that were asked for an hour ago or longer and have fewer keepers than `replicas`."""


class Short(msgspec.Struct, frozen=True):
    """A block with too few keepers."""

    number: int
    cid: str
    kept_by: list[str]
    missing: list[str]
    """Who is to keep it and has not attested it."""


def health(
    counts: Mapping[int, int], fresh: int, tasks: int, replicas: int, standing: Collection[str]
) -> Health:
    """Pure. `counts`: how many blocks have so many keepers, `fresh`: how many of those with too few are new."""
    keepers = dict.fromkeys(range(replicas + 1), 0)
    for count, blocks in counts.items():
        keepers[min(count, replicas)] += blocks
    keepers[0] += tasks - sum(counts.values())
    short = tasks - keepers[replicas] - fresh
    return Health(replicas, sorted(standing), tasks, keepers, max(0, short))


def among(standings: Mapping[str, Standing], min_stake: int) -> list[str]:
    """Those who stand, by address."""
    return sorted(who for who, it in standings.items() if it.stands(min_stake))


async def look(
    operators: Operators, min_stake: int, retention_s: int, replicas: int, now_ms: int
) -> Health:
    """What is kept now."""
    standing = among(await operators.standings(), min_stake)
    since_s = now_ms // 1_000 - retention_s
    counts: Counter[int] = Counter(await operators.keepers(standing, since_s))
    tasks = await operators.task_count()
    fresh = await operators.fresh_short(standing, since_s, replicas, now_ms - FRESH_MS)
    return health(counts, fresh, tasks, replicas, standing)


async def short(
    operators: Operators, min_stake: int, retention_s: int, replicas: int, now_ms: int, limit: int
) -> list[Short]:
    """Blocks with too few keepers, oldest first, and who is to keep them."""
    standing = among(await operators.standings(), min_stake)
    rows = await operators.short(standing, now_ms // 1_000 - retention_s, replicas, limit)
    found = []
    for row in rows:
        wanted = assign.keepers(standing, parse(row.cid).digest, replicas) if standing else []
        missing = [each for each in wanted if each not in row.kept_by]
        found.append(Short(row.number, row.cid, row.kept_by, missing))
    return found


class Watch:
    """Keeps the metrics true, and says it once when blocks begin to have too few keepers, and when they have enough again."""

    def __init__(
        self,
        *,
        operators: Operators,
        terms: Terms,
        replicas: int,
        metrics: Metrics,
        clock: Callable[[], int],
    ) -> None:
        self._operators = operators
        self._terms = terms
        self._replicas = replicas
        self._metrics = metrics
        self._clock = clock
        self._short = False

    async def round(self, now_s: int) -> Health:
        """`now_s`: as the chain tells the time. Raises what the store raises."""
        found = await look(
            self._operators,
            self._terms.min_stake,
            self._terms.retention_s,
            self._replicas,
            max(now_s * 1_000, self._clock()),
        )
        for keepers, blocks in found.keepers.items():
            self._metrics.replication.labels(str(keepers)).set(blocks)
        self._metrics.replication_short.set(found.short)
        self._metrics.operators_standing.set(len(found.standing))
        if (found.short > 0) is not self._short:
            self._short = found.short > 0
            say = _logger.error if self._short else _logger.info
            say(
                "replication",
                short=found.short,
                tasks=found.tasks,
                standing=len(found.standing),
                replicas=self._replicas,
            )
        return found
