"""The fewest chips that force a goal in the poorman game, against every number of rival chips at once.

Chips leave the game, so what is enough depends on the rival's chips: a board has a row of numbers where
Richman has one. Rows are NumPy arrays over the rival's chips 0 .. `rivals`, searched by bisection in
all columns together; the rule is that of `forcing`.

Our poorman knows bankruptcy (`Params.bankrupts`), the literature's does not: a player left with no chip
after a mark without a line has lost unless the rival has none either, and wins when only the rival has
none. Rows of open boards contain it: against a rival with chips a player needs at least one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from spaces.bid_tac_toe.solver.forcing import Auction, Purse
from spaces.bid_tac_toe.solver.position import OWN, RIVAL, after, line_owner
from spaces.bid_tac_toe.solver.real import Goal
from spaces.bid_tac_toe.state import EMPTY
from spaces.bid_tac_toe.variants import FullBoard, Ties

Row = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


class PoormanForcing:
    def __init__(
        self, most: int, rivals: int, goal: Goal, ties: Ties, decided_by: FullBoard
    ) -> None:
        """`most`: the most chips the player may have; `rivals`: the most of its rival."""
        self.auction = Auction("poorman", ties)
        self.never = most + 1
        self.goal = goal
        self.decided_by = decided_by
        self._rivals: Row = np.arange(rivals + 1, dtype=np.int32)
        self._row = functools.cache(self._find)
        self._won = functools.cache(self._find_won)
        self._lost = functools.cache(self._find_lost)
        self._known: dict[tuple[bool, bytes], Row] = {}

    def least(self, board: str, rival: int, chip: bool) -> int:
        return int(self._row(board, chip)[rival])

    def need(self, board: str, won: bool, left: Purse) -> int:
        return int((self._won if won else self._lost)(board, left.chip)[left.rival])

    def _find_won(self, board: str, chip: bool) -> Row:
        return _row(np.minimum.reduce([self._row(next_, chip) for next_ in after(board, OWN)]))

    def _find_lost(self, board: str, chip: bool) -> Row:
        return _row(np.maximum.reduce([self._row(next_, chip) for next_ in after(board, RIVAL)]))

    def _find(self, board: str, chip: bool) -> Row:
        owner = line_owner(board)
        if owner is not None:
            return np.full_like(self._rivals, 0 if owner == OWN else self.never)
        if EMPTY not in board:
            return self._full_board()
        mine = self.auction.ties == "advantage-chip"
        won = [self._won(board, its) for its in (False, mine)]
        lost = [self._lost(board, its) for its in (False, mine)]
        needs = _row([*won, *lost])
        key = chip, needs.tobytes()  # boards with the same needs are many
        if key not in self._known:
            self._known[key] = self._with_bankruptcy(self._search(needs, chip))
        return self._known[key]

    def _search(self, needs: Row, chip: bool) -> Row:
        """The least that has a safe bid; bisection in all columns, since more never hurts."""
        enough = self._enough(needs, chip)
        low, high = np.zeros_like(self._rivals), np.full_like(self._rivals, self.never)
        for _ in range(self.never.bit_length()):
            own = (low + high) // 2
            found = enough(own)
            low, high = np.where(found, low, own + 1), np.where(found, own, high)
            low = np.minimum(low, high)
        return _row(high)

    def _enough(self, needs: Row, chip: bool) -> Callable[[Row], Mask]:
        """The test of a row of own chips: is there a bid that is safe against every reply? `needs` has
        the four rows of `forcing.Needs`."""
        rivals = self._rivals
        won_theirs, won_mine, lost_theirs, lost_mine = needs

        def after_paying(row: Row, bid: Row) -> Row:
            """What the player needs when the rival has paid `bid`; 0 when it cannot."""
            return _row(np.where(bid <= rivals, row[np.clip(rivals - bid, 0, rivals)], 0))

        def with_chip(own: Row) -> Mask:
            bid = np.minimum(own - won_theirs, rivals)
            tied_at_worst = (bid >= 0) & (own >= after_paying(lost_mine, bid + 1))
            return _mask(tied_at_worst | ((own > rivals) & (own - rivals - 1 >= won_mine)))

        def against_chip(own: Row) -> Mask:
            bid = np.maximum(own - won_theirs, 0)
            tied, outbid = after_paying(lost_mine, bid), after_paying(lost_theirs, bid + 1)
            return _mask((own >= tied) & (own >= outbid))

        def with_coin(own: Row) -> Mask:
            bid = np.minimum(own - won_theirs, rivals)
            tied_at_worst = (bid >= 0) & (own >= after_paying(lost_theirs, bid))
            return _mask(tied_at_worst | ((own > rivals) & (own - rivals - 1 >= won_theirs)))

        if self.auction.ties != "advantage-chip":
            return with_coin
        return with_chip if chip else against_chip

    def _full_board(self) -> Row:
        if self.decided_by == "money":
            return _row(np.minimum(self._rivals + (self.goal == "win"), self.never))
        return np.full_like(self._rivals, self.never if self.goal == "win" else 0)

    def _with_bankruptcy(self, row: Row) -> Row:
        row = np.maximum(row, 1)
        row[0] = 1 if self.goal == "win" else 0
        return row


def _row(values: Any) -> Row:
    return np.asarray(values, dtype=np.int32)


def _mask(values: Any) -> Mask:
    return np.asarray(values, dtype=np.bool_)
