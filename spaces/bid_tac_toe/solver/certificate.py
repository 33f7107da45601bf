"""How much a rival who knows the table's strategy can win against it: best responses, computed anew.

No value and no payoff of the solver is used here, only the strategies, as the table's player plays
them: both seats' mixed bids in every position, rounding included, and the cells that it marks. Against
a fixed strategy the rest is a decision process for one seat, solved backwards over all chips with the
payments and ties of `rules.py` written out once more. The rival bids any amount and marks any cell.

It does share with the solver how boards are reduced by symmetry (`boards`: classes and children), what
a variant is, and which boards the table says are bid alike. A mistake there would deceive both; so the
tests compare what is found here, for few chips, with best responses to `Table.play` and
`Table.best_cell` over unreduced boards, expanded by `rules.py` itself.

exploitability = max over seats of what the best response wins beyond the value of the session. The
value is not the table's word either: it is what the strategies achieve against each other.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Hashable
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt

from spaces.bid_tac_toe.solver.boards import Child, children, classes
from spaces.bid_tac_toe.solver.stage import Variant
from spaces.bid_tac_toe.variants import MAX_REBIDS

Grid = npt.NDArray[np.float64]
"""X's expected result by (chips of X, chips of O); in Richman by (chips of X, 0)."""
Responder = Literal["X", "O", "nobody"]
"""Who leaves the strategy for its best response to it."""
_RESPONDERS: tuple[Responder, ...] = ("X", "O", "nobody")
_OTHER: dict[Responder, Responder] = {"X": "O", "O": "X", "nobody": "nobody"}


class Player(Protocol):
    """A strategy for both seats of every position. `mode` is the holder of the advantage chip, or how
    often the bid was tied, or 0."""

    @property
    def variant(self) -> Variant: ...
    def alike(self, board: str, mode: int) -> Hashable:
        """Boards and modes that are alike are bid alike."""

    def bids(self, board: str, mode: int) -> tuple[Grid, Grid]:
        """Of X and of O: probabilities (bid, *grid)."""

    def cells(self, board: str, seat: int, mode: int) -> npt.NDArray[np.int64]:
        """Which cell the seat marks, by the chips after paying."""


def certify(
    player: Player, progress: Callable[[int, int], object] = lambda done, total: None
) -> dict[str, Any]:
    """What is printed: see the keys. Values are in stakes, those of best responses the responder's."""
    begin = time.perf_counter()
    search = _Search(player)
    todo = search.todo()
    for done, (board, mode) in enumerate(todo):
        search.solve(board, mode)
        progress(done + 1, len(todo))
    return {**search.report(), "seconds": round(time.perf_counter() - begin, 1)}


class _Search:
    def __init__(self, player: Player) -> None:
        self.player = player
        self.variant = player.variant
        chips = self.variant.chips
        self.one_axis = self.variant.payment == "richman"
        shape = (2 * chips + 1, 1) if self.one_axis else (chips + 1, chips + 1)
        x, o = np.indices(shape)
        self.richer = np.sign(2 * x - 2 * chips if self.one_axis else x - o).astype(np.float64)
        self.results: dict[tuple[Responder, str, int], Grid] = {}
        self.known: dict[bytes, Grid] = {}
        self.bids: tuple[Hashable, tuple[Grid, Grid]] | None = None

    def todo(self) -> list[tuple[str, int]]:
        """In an order in which everything is known before it is needed."""
        modes = {"coin": [0], "advantage-chip": [0, 1], "rebid": [*reversed(range(MAX_REBIDS + 1))]}
        return [(board, mode) for board in classes() for mode in modes[self.variant.ties]]

    def solve(self, board: str, mode: int) -> None:
        for responder in _RESPONDERS:
            wins = self.after_wins(responder, board, mode)
            again = None
            if self.variant.ties == "rebid" and mode < MAX_REBIDS:
                again = self.results[responder, board, mode + 1]
            key = self.key(responder, board, mode, [*wins, again])
            if key not in self.known:
                self.known[key] = self.response(responder, board, mode, wins, again)
            self.results[responder, board, mode] = self.known[key]

    def key(self, responder: str, board: str, mode: int, grids: list[Grid | None]) -> bytes:
        """Equal keys have equal results, so most of the work is done once."""
        alike = (responder, mode, self.player.alike(board, mode))
        digest = hashlib.blake2b(repr(alike).encode(), digest_size=32)
        for grid in grids:
            digest.update(b"-" if grid is None else np.ascontiguousarray(grid).tobytes())
        return digest.digest()

    def after_wins(self, responder: Responder, board: str, mode: int) -> tuple[Grid, ...]:
        """What X and O make of a mark bought by the higher bid, and of one won by a tie."""
        by_chip = self.variant.ties == "advantage-chip"
        passed = 1 - mode if by_chip else 0
        kept = mode if by_chip else 0
        return tuple(
            self.marked(responder, board, seat, held) for held in (kept, passed) for seat in (0, 1)
        )

    def marked(self, responder: Responder, board: str, seat: int, mode: int) -> Grid:
        after = children(board, seat)
        grids = np.stack([self.child(responder, each, mode) for each in after])
        if responder == "XO"[seat]:
            return np.asarray(grids.max(axis=0) if seat == 0 else grids.min(axis=0))
        cells = self.player.cells(board, seat, mode)
        at = np.searchsorted([each.cell for each in after], cells)
        return np.asarray(np.take_along_axis(grids, at[None], axis=0)[0])

    def child(self, responder: Responder, child: Child, mode: int) -> Grid:
        if child.line:
            return np.full_like(self.richer, child.line)
        if child.place is None:
            return self.richer if self.variant.decided_by == "money" else np.zeros_like(self.richer)
        if not child.place.exchanged:
            return self.results[responder, child.place.board, mode]
        # Seen from the other side: O's chips are X's, the responder and the chip change seats.
        if self.variant.ties == "advantage-chip":
            mode = 1 - mode
        grid = self.results[_OTHER[responder], child.place.board, mode]
        return -grid[::-1] if self.one_axis else -grid.T

    def response(
        self,
        responder: Responder,
        board: str,
        mode: int,
        wins: tuple[Grid, ...],
        again: Grid | None,
    ) -> Grid:
        """X's result when the responder makes its best bid, or its own mixed bid for `nobody`."""
        seat = 1 if responder == "O" else 0
        mixes = self.mixes(board, mode)
        best = np.full_like(self.richer, np.inf if seat else -np.inf)
        mean = np.zeros_like(self.richer)
        for bid in range(self.most_bid + 1):
            region = self.region(*((0, bid) if seat else (bid, 0)))
            result = np.zeros_like(self.richer)
            for rival in range(self.most_bid + 1):
                i, j = (rival, bid) if seat else (bid, rival)
                both = self.region(i, j)
                chance = mixes[1 - seat][rival][both]
                if chance.size and chance.any():
                    result[both] += chance * self.result(i, j, mode, wins, again)
            pick = np.minimum if seat else np.maximum
            best[region] = pick(best[region], result[region])
            mean[region] += mixes[seat][bid][region] * result[region]
        found = mean if responder == "nobody" else best
        if self.one_axis:
            return found
        broke = np.zeros(self.richer.shape, dtype=bool)
        broke[0, :] = broke[:, 0] = True
        return np.where(broke, self.richer, found)

    def mixes(self, board: str, mode: int) -> tuple[Grid, Grid]:
        alike = self.player.alike(board, mode)
        if self.bids is None or self.bids[0] != alike:
            self.bids = alike, self.player.bids(board, mode)
        return self.bids[1]

    @property
    def most_bid(self) -> int:
        return int(self.richer.shape[0]) - 1

    def region(self, i: int, j: int) -> tuple[slice, slice]:
        """The positions in which X can bid i and O can bid j."""
        if self.one_axis:
            return slice(i, max(i, self.most_bid - j + 1)), slice(None)
        return slice(i, None), slice(j, None)

    def result(self, i: int, j: int, mode: int, wins: tuple[Grid, ...], again: Grid | None) -> Grid:
        """X's results of the bids, over `region(i, j)`."""
        x_wins, o_wins, x_ties, o_ties = wins
        if i != j:
            return self.paid(x_wins, i, j, 0) if i > j else self.paid(o_wins, i, j, 1)
        if again is not None:
            return again[self.region(i, j)]
        x, o = self.paid(x_ties, i, j, 0), self.paid(o_ties, i, j, 1)
        if self.variant.ties == "advantage-chip":
            return x if mode == 0 else o
        return (x + o) / 2

    def paid(self, grid: Grid, i: int, j: int, winner: int) -> Grid:
        """The grid where the chips of `region(i, j)` have gone."""
        top = self.most_bid + 1
        match self.variant.payment, winner:
            case "all-pay", _:
                return grid[: top - i, : top - j]
            case "poorman", 0:
                return grid[: top - i, j:]
            case "poorman", _:
                return grid[i:, : top - j]
            case _, 0:
                return grid[: max(0, top - i - j)]
            case _:
                return grid[i + j :]

    def report(self) -> dict[str, Any]:
        chips = self.variant.chips
        modes = (0, 1) if self.variant.ties == "advantage-chip" else (0,)

        def start(responder: Responder, held: int) -> float:
            """The mean over who gets the advantage chip."""
            at = (held, 0) if self.one_axis else (held, held)
            grids = [self.results[responder, "." * 9, mode] for mode in modes]
            return float(np.mean([grid[at] for grid in grids])) + 0.0  # never -0.0

        def gain(held: int) -> float:
            value = start("nobody", held)
            return max(start("X", held) - value, value - start("O", held))

        any_chips = [chips] if self.one_axis else range(1, chips + 1)
        return {
            "variant": self.variant.name,
            "chips": chips,
            "value": start("nobody", chips),
            "best_response": {"X": start("X", chips), "O": 0.0 - start("O", chips)},
            "exploitability": gain(chips),
            "nash_conv": start("X", chips) - start("O", chips),
            "exploitability_up_to_these_chips": max(map(gain, any_chips)),
        }
