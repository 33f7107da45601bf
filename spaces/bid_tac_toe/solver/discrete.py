"""Whole chips: the fewest that force a result, and the bids that do it.

Holdings are written as in Develin & Payne, "Discrete bidding games" (2010): `3` is three chips, `3*`
three chips and the advantage, in the order 0 < 0* < 1 < 1* < … A bid of the holder of the advantage is
written with a star too, since it wins ties. There the holder may decline to use it; here, as in
`rules.py`, it is always used, which the paper shows to be no loss.

"Forced" is meant against every rival, whatever it bids and marks, even one that knows the bid, and
whatever a coin does. Chips that force nothing may still win by luck or by mixed bids.
"""

from __future__ import annotations

import functools

import msgspec

from spaces.bid_tac_toe.solver.forcing import Forcing, Purse, RichmanForcing
from spaces.bid_tac_toe.solver.position import (
    OWN,
    Player,
    free_cells,
    least_form,
    marked,
    seen_by,
)
from spaces.bid_tac_toe.solver.real import Goal
from spaces.bid_tac_toe.variants import FullBoard, Payment, Ties

MOST_POORMAN = 4_000
"""The greatest total that the poorman game is solved for; its rows then take some 30 MB."""


class Holding(msgspec.Struct, frozen=True, order=True):
    """Chips and whether the advantage is with them; ordered 0 < 0* < 1 < 1* < …"""

    chips: int
    chip: bool = False

    def __str__(self) -> str:
        return f"{self.chips}*" if self.chip else str(self.chips)

    @staticmethod
    def read(text: str) -> Holding:
        """`12` or `12*`. Raises ValueError."""
        number = text.removesuffix("*")
        if not (number.isascii() and number.isdigit() and len(number) <= 9):
            raise ValueError(f"a holding is a number of chips like 12, or 12*, got {text[:20]!r}")
        return Holding(int(number), text.endswith("*"))


class Question(msgspec.Struct, frozen=True):
    """What is asked about an open board."""

    board: str
    player: Player
    payment: Payment
    ties: Ties
    decided_by: FullBoard
    total: int
    """All chips of both players."""
    rival: int | None = None
    """The rival's chips when they are not the rest of the total (poorman only)."""
    holding: Holding | None = None
    """What the bids are for; else the least that forces the goal."""


class Forced(msgspec.Struct, frozen=True):
    """The answer for one goal."""

    least: Holding | None
    """None: no holding forces it."""
    holding: Holding | None
    """What the bids are for."""
    bids: tuple[int, ...]
    """Every bid that forces the goal with the holding, ascending; those of a holder are starred."""
    squares: tuple[int, ...]
    """The cells to mark after the least of these bids has won: those that leave the fewest chips to be
    needed, ascending. Without a bid, the best that can be done."""


def forced(question: Question, goal: Goal) -> Forced:
    """Raises ValueError for what has no deterministic theory or does not fit together."""
    _check(question)
    forcing = _forcing(question, goal)
    board = least_form(seen_by(question.board, question.player))
    options = [
        Holding(chips, chip)
        for chip in ((False, True) if question.ties == "advantage-chip" else (False,))
        if (chips := _least(forcing, board, chip, question)) is not None
    ]
    least = min(options, default=None)
    holding = question.holding or least
    if holding is None:
        return Forced(None, None, (), ())
    rival = _rival(question, holding.chips)
    purse = Purse(holding.chips, rival, holding.chip)
    bids = _bids(forcing, board, purse)
    squares = _squares(forcing, question, purse, outbid=bool(bids) and bids[0] > rival)
    return Forced(least, holding, bids, squares)


def _check(question: Question) -> None:
    if question.payment == "all-pay":
        raise ValueError("all-pay has no forced results to count: see equilibrium")
    if question.total < 0:
        raise ValueError(f"a total is 0 or more, got {question.total}")
    if question.payment == "poorman" and question.total > MOST_POORMAN:
        raise ValueError(f"poorman is solved up to {MOST_POORMAN} chips, got {question.total}")
    holding, rival = question.holding, question.rival
    if holding and holding.chip and question.ties != "advantage-chip":
        raise ValueError(f"holding {holding}: there is no advantage with ties by {question.ties}")
    if rival is not None and question.payment == "richman":
        raise ValueError("in richman the rival holds the rest of the total; name the total alone")
    if rival is not None and not 0 <= rival <= question.total:
        raise ValueError(f"a rival holds 0 to {question.total} chips, got {rival}")
    if holding and holding.chips > _most(question):
        raise ValueError(f"holding {holding} is more than the {_most(question)} chips there are")


def _most(question: Question) -> int:
    """The most a player may have. Against a named rival: enough to outbid it for all nine cells."""
    return question.total if question.rival is None else 9 * (question.rival + 1)


def _rival(question: Question, own: int) -> int:
    return question.total - own if question.rival is None else question.rival


def _forcing(question: Question, goal: Goal) -> Forcing:
    rival = question.rival
    rivals = question.total if rival is None else rival
    return _table(
        question.payment, _most(question), rivals, goal, question.ties, question.decided_by
    )


@functools.lru_cache(maxsize=8)  # a played game asks the same tables at every turn
def _table(
    payment: Payment, most: int, rivals: int, goal: Goal, ties: Ties, decided_by: FullBoard
) -> Forcing:
    if payment == "richman":
        return RichmanForcing(most, goal, ties, decided_by)
    from spaces.bid_tac_toe.solver.poorman_forcing import PoormanForcing  # NumPy loads slowly

    return PoormanForcing(most, rivals, goal, ties, decided_by)


def _least(forcing: Forcing, board: str, chip: bool, question: Question) -> int | None:
    """The first number of chips that is enough against what it leaves to the rival."""
    most = _most(question)
    if question.payment == "richman" or question.rival is not None:
        least = forcing.least(board, question.rival or 0, chip)
        return least if least <= most else None
    return next(
        (own for own in range(most + 1) if own >= forcing.least(board, most - own, chip)), None
    )


def _bids(forcing: Forcing, board: str, purse: Purse) -> tuple[int, ...]:
    if purse.own < forcing.least(board, purse.rival, purse.chip):
        return ()
    return tuple(
        bid
        for bid in range(purse.own + 1)
        if forcing.auction.is_safe(purse, bid, lambda won, left: forcing.need(board, won, left))
    )


def _squares(
    forcing: Forcing, question: Question, purse: Purse, *, outbid: bool
) -> tuple[int, ...]:
    """By what is needed with the advantage gone, as after a tie, and then with it; the other way round
    when the rival cannot tie."""
    board = seen_by(question.board, question.player)
    chips = (False, True) if question.ties == "advantage-chip" else (False,)
    if outbid and purse.chip:
        chips = (True, False)
    needs = {
        cell: tuple(
            forcing.least(least_form(marked(board, cell, OWN)), purse.rival, chip) for chip in chips
        )
        for cell in free_cells(board)
    }
    best = min(needs.values())
    return tuple(cell for cell, need in needs.items() if need == best)
