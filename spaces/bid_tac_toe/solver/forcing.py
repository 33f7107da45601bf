"""One pair of bids under the rules, and the fewest chips that force a goal in the Richman game.

Forced means: by bids that the rival may even know beforehand, whatever it bids and marks and however
a coin falls. The rules are those of `rules.py`, ties included:

- `advantage-chip`: of equal bids the holder's wins, and the chip goes over.
- `coin`: of equal bids either may win, so a goal is forced only if it is reached both ways. `rebid` is
  the same: a rival that knows the bid can tie until the coin decides.

Two facts keep the search small. More chips never hurt: a player may bid as if it had fewer. And a
rival that outbids by more than one only gives money away. So the replies to a bid b that count are:
less than b, b, and b + 1. The greater b, the better for the player when the bid is lost and the worse
when it wins: hence the greatest bid that is still safe to win is enough to try. The tests compare all
of this with a search that assumes none of it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, Protocol

from spaces.bid_tac_toe.solver.position import OWN, RIVAL, after, line_owner
from spaces.bid_tac_toe.solver.real import Goal
from spaces.bid_tac_toe.state import EMPTY
from spaces.bid_tac_toe.variants import FullBoard, Ties


class Purse(NamedTuple):
    """What both players have to bid with, seen by one of them."""

    own: int
    rival: int
    chip: bool
    """Whether the advantage chip is the player's own; False when there is none."""


class Auction(NamedTuple):
    """How a bid is paid and a tie broken."""

    payment: Literal["richman", "poorman"]
    ties: Ties

    def replies(self, purse: Purse, bid: int) -> Iterator[tuple[bool, Purse]]:
        """Whether the bid is won, and what is left, for each reply of the rival that counts."""
        chipped = self.ties == "advantage-chip"
        if bid > 0:
            yield True, self._paid(purse, bid, won=True)
        if bid <= purse.rival and (purse.chip or not chipped):
            yield True, self._paid(purse, bid, won=True)._replace(chip=False)
        if bid <= purse.rival and not purse.chip:
            yield False, self._paid(purse, bid, won=False)._replace(chip=chipped)
        if bid + 1 <= purse.rival:
            yield False, self._paid(purse, bid + 1, won=False)

    def _paid(self, purse: Purse, bid: int, *, won: bool) -> Purse:
        own, rival, chip = purse
        back = bid if self.payment == "richman" else 0
        return Purse(own - bid, rival + back, chip) if won else Purse(own + back, rival - bid, chip)

    def greatest_bids(self, purse: Purse, spare: int) -> Iterator[int]:
        """The bids worth trying, when a bid won by a tie may cost at most `spare`."""
        if self.ties == "advantage-chip" and not purse.chip:
            # With a bid of 0 nothing can be won, the holder takes even the tie: no need to spare.
            yield max(0, min(spare, purse.own))
            return
        if spare >= 0:
            yield min(spare, purse.rival, purse.own)
        if purse.own > purse.rival:
            yield purse.rival + 1

    def is_safe(self, purse: Purse, bid: int, need: Callable[[bool, Purse], int]) -> bool:
        """Whether every reply leaves enough; `need(won, left)` is the least that must be left."""
        return all(left.own >= need(won, left) for won, left in self.replies(purse, bid))


class Forcing(Protocol):
    """The fewest chips that force one goal of one variant."""

    auction: Auction

    def least(self, board: str, rival: int, chip: bool) -> int:
        """Enough for the player against `rival` chips; a number above what there is means never."""

    def need(self, board: str, won: bool, left: Purse) -> int:
        """Enough after the better mark of the player when it `won`, else after the rival's."""


class Needs(NamedTuple):
    """What a player must be left with when its bid has won and has lost, by whose the chip is then
    (without one it is `theirs`)."""

    won_theirs: int
    won_mine: int
    lost_theirs: int
    lost_mine: int

    def of(self, won: bool, left: Purse) -> int:
        if won:
            return self.won_mine if left.chip else self.won_theirs
        return self.lost_mine if left.chip else self.lost_theirs


class RichmanForcing:
    """Chips only change hands, so that the total stands for the rival's chips everywhere."""

    def __init__(self, total: int, goal: Goal, ties: Ties, decided_by: FullBoard) -> None:
        self.auction = Auction("richman", ties)
        self.total = total
        self._full_board = _full_board(total, goal, decided_by)
        self._least = functools.cache(self._find)
        self._won = functools.cache(self._find_won)
        self._lost = functools.cache(self._find_lost)
        self._enough = functools.cache(self._search)  # boards with the same needs are many

    def least(self, board: str, rival: int, chip: bool) -> int:
        return self._least(board, chip)

    def need(self, board: str, won: bool, left: Purse) -> int:
        return (self._won if won else self._lost)(board, left.chip)

    def _find_won(self, board: str, chip: bool) -> int:
        return min(self._least(next_, chip) for next_ in after(board, OWN))

    def _find_lost(self, board: str, chip: bool) -> int:
        return max(self._least(next_, chip) for next_ in after(board, RIVAL))

    def _find(self, board: str, chip: bool) -> int:
        owner = line_owner(board)
        if owner is not None:
            return 0 if owner == OWN else self.total + 1
        if EMPTY not in board:
            return self._full_board
        mine = self.auction.ties == "advantage-chip"
        needs = Needs(
            *(self._won(board, its) for its in (False, mine)),
            *(self._lost(board, its) for its in (False, mine)),
        )
        return self._enough(needs, chip)

    def _search(self, needs: Needs, chip: bool) -> int:
        """The least that has a safe bid; bisection, since more never hurts."""
        low, high = 0, self.total + 1
        while low < high:
            own = (low + high) // 2
            purse = Purse(own, self.total - own, chip)
            bids = self.auction.greatest_bids(purse, own - needs.won_theirs)
            if any(self.auction.is_safe(purse, bid, needs.of) for bid in bids):
                high = own
            else:
                low = own + 1
        return low


def _full_board(total: int, goal: Goal, decided_by: FullBoard) -> int:
    """The least of all chips that makes a full board without a line a goal reached."""
    if decided_by == "money":
        return total // 2 + 1 if goal == "win" else (total + 1) // 2
    return total + 1 if goal == "win" else 0
