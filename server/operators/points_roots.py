"""Posts the root of each season's points to `fractals`: now and then while it runs, and once more when it is over.

The contract takes seasons in their order and closes one when the next begins, so the last root of a season is posted some time
after its end, when nothing that belongs to it is on its way any more. Points are of wallets: an account's count from the first root
after a wallet has signed in with it, and never again for a season that is closed by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from chain.client.claims import Fractals
from chain.client.contract import Invocation
from chain.documents import form
from chain.documents.earnings import build_points, read_points
from chain.points_tree import leaf_hash
from server.clock import Clock
from server.operators.acting import Acts
from server.operators.reward_epochs import Adding
from server.store.operators import Operators, Posted, RootDocument
from server.store.seasons import SeasonRow

NOBODY = "0x" + "00" * 20
"""The only leaf, with no points, of a season in which nobody has any: the contract wants a root of each."""
GRACE_MS = 3_600_000
"""From a season's end to its last root."""


class Seasons(Protocol):
    """What is needed of `server.store.points.Points`."""

    async def seasons(self) -> list[SeasonRow]: ...
    async def by_wallet(self, season: int) -> dict[str, int]: ...


class Due(msgspec.Struct, frozen=True):
    """A root that may be posted next."""

    season: int
    number: int
    closing: bool
    """The season is over: where this root says nothing new, the next season's is due instead."""
    empty: bool
    """It is posted even if nobody has any points."""


def due(
    seasons: Sequence[SeasonRow],
    newest: Posted | None,
    newest_ms: int,
    now_ms: int,
    every_ms: int,
) -> list[Due]:
    """What may be posted now, the first that says anything new is to be; pure. `newest` is the last root on the chain, whose
    document was made at `newest_ms`."""
    of = {each.number: each for each in seasons}
    season = 1 if newest is None else newest.season
    number = 1 if newest is None else newest.ordinal + 1
    found = []
    while season in of:
        ended_ms = of[season].ended_ms
        over = ended_ms is not None and now_ms >= ended_ms + GRACE_MS
        waited = number == 1 or now_ms >= newest_ms + every_ms
        if over or (ended_ms is None and waited):
            found.append(Due(season, number, closing=over, empty=over and number == 1))
        if not over:
            break
        season, number = season + 1, 1
        if found[-1].number == 1:
            break  # the season after that one waits until it has begun on the chain
    return found


class PointsRoots:
    """By the key that has the role `publisher`."""

    def __init__(
        self,
        *,
        operators: Operators,
        seasons: Seasons,
        fractals: Fractals,
        chain_id: int,
        acts: Acts,
        content: Adding,
        every_ms: int,
        clock: Clock,
    ) -> None:
        self._operators = operators
        self._seasons = seasons
        self._fractals = fractals
        self._chain_id = chain_id
        self._acts = acts
        self._content = content
        self._every_ms = every_ms
        self._clock = clock

    async def round(self) -> None:
        """Raises OSError, and what store and content store raise."""
        posted = await self._operators.posted("points")
        newest = posted[-1] if posted else None
        made = None
        if newest is not None:
            made = await self._operators.root_document("points", newest.season, newest.ordinal)
        held = {} if made is None or made.total == "0" else _accounts(made)
        now_ms = self._clock()
        made_ms = 0 if made is None else made.made_ms
        for each in due(await self._seasons.seasons(), newest, made_ms, now_ms, self._every_ms):
            document = await self._document(each, newest, held)
            if document is not None:
                await self._post(document)
                return

    async def _document(
        self, wanted: Due, newest: Posted | None, held: Mapping[str, int]
    ) -> RootDocument | None:
        """None where it would say nothing new."""
        standing = await self._operators.root_document("points", wanted.season, wanted.number)
        if standing is not None:
            return standing  # points only grow: what was made before is true still
        points = await self._seasons.by_wallet(wanted.season)
        same = newest is not None and newest.season == wanted.season
        if same and {account.lower(): count for account, count in points.items()} == held:
            return None
        if not points and not wanted.empty:
            return None
        return await self._operators.put_root(await self._made(wanted, points))

    async def _made(self, wanted: Due, points: Mapping[str, int]) -> RootDocument:
        place, now_ms = (wanted.season, wanted.number), self._clock()
        if not points:
            root = leaf_hash(wanted.season, NOBODY, 0)
            return RootDocument("points", *place, root.hex(), "0", b"", "", now_ms)
        document, tree = build_points(*place, self._chain_id, self._fractals.address, points)
        encoded = form.encode(document)
        cid = await self._content.add(encoded)
        total = str(tree.total)
        return RootDocument("points", *place, document.root, total, encoded, str(cid), now_ms)

    async def _post(self, made: RootDocument) -> None:
        async def call() -> Invocation:
            root = bytes.fromhex(made.root)
            return self._fractals.post(made.season, made.ordinal, root, int(made.total))

        name = f"points:{self._fractals.address[2:10]}:{made.season}:{made.ordinal}"
        await self._acts.act(name, call)


def _accounts(made: RootDocument) -> dict[str, int]:
    """Points by address in lower case."""
    return dict(read_points(made.document)[0].accounts)
