"""Everything the solver knows about one position, as one JSON object.

`real` and `discrete` are exact and deterministic, `equilibrium` is a pair of mixed bids. A part that the
variant does not have is null, and `reasons` says why.
"""

from __future__ import annotations

from typing import Any

import msgspec

from spaces.bid_tac_toe.solver import discrete, position, real
from spaces.bid_tac_toe.solver.discrete import Holding, Question
from spaces.bid_tac_toe.solver.position import Player
from spaces.bid_tac_toe.state import MARKS
from spaces.bid_tac_toe.variants import FullBoard, Params, Payment, Ties

MOST_CHIPS = 10_000
"""What a session's parameter may be."""
DEFAULT_TIES: dict[Payment, Ties] = {
    "all-pay": "coin",
    "richman": "advantage-chip",
    "poorman": "advantage-chip",
}
"""The Space's own for all-pay; for the others the tie rule of the discrete theory."""
DEFAULT_DECIDED_BY: dict[Payment, FullBoard] = {
    "all-pay": "money",
    "richman": "draw",
    "poorman": "draw",
}
"""The Space's own for all-pay; for the others tic-tac-toe's, in which the thresholds are published."""


class Asked(msgspec.Struct, frozen=True):
    """A question in full."""

    params: Params
    board: str = "." * 9
    player: Player = "X"
    holding: Holding | None = None
    """None: as much as the session starts with, and the advantage with the rival; for `discrete`, the
    least that is enough."""
    rival: int | None = None
    """None: the rest of the total; in all-pay, where chips are not passed on, what it started with."""

    @property
    def total(self) -> int:
        return 2 * self.params.chips

    @property
    def purses(self) -> tuple[int, int]:
        """The player's chips and its rival's."""
        own = self.params.chips if self.holding is None else self.holding.chips
        if self.rival is not None:
            return own, self.rival
        return own, self.params.chips if self.params.payment == "all-pay" else self.total - own


def variant(
    payment: Payment, chips: int, ties: Ties | None = None, decided_by: FullBoard | None = None
) -> Params:
    """Raises ValueError."""
    if not 1 <= chips <= MOST_CHIPS:
        raise ValueError(f"chips is 1 to {MOST_CHIPS} for each side, got {chips}")
    return Params(
        payment=payment,
        ties=ties or DEFAULT_TIES[payment],
        decided_by=decided_by or DEFAULT_DECIDED_BY[payment],
        chips=chips,
    )


def ask(
    params: Params,
    board: str = "." * 9,
    player: Player = "X",
    holding: str | None = None,
    rival: int | None = None,
) -> Asked:
    """Read and check a question. Raises ValueError with what is wrong."""
    held = None if holding is None else Holding.read(holding)
    asked = Asked(params, position.read(board), player, held, rival)
    _check_purses(asked)
    return asked


def _check_purses(asked: Asked) -> None:
    own, rival = asked.purses
    held, params = asked.holding, asked.params
    if held is not None and held.chip and params.ties != "advantage-chip":
        raise ValueError(f"holding {held}: there is no advantage with ties by {params.ties}")
    if own > asked.total:
        raise ValueError(f"holding {held} is more than the total of {asked.total} chips")
    if asked.rival is not None and not 0 <= rival <= asked.total:
        raise ValueError(f"a rival holds 0 to {asked.total} chips, got {rival}")
    if params.payment == "richman" and own + rival != asked.total:
        raise ValueError(
            f"in richman no chip leaves the game: {own} and {rival} are not the total of {asked.total}"
        )
    if own + rival > asked.total:
        raise ValueError(f"{own} and {rival} are more than the total of {asked.total} chips")
    if params.bankrupts and 0 in (own, rival):
        raise ValueError(f"the game is over, without chips one is bankrupt: {own} against {rival}")


def answer(asked: Asked) -> dict[str, Any]:
    """Raises ValueError for what cannot be answered."""
    params = asked.params
    reasons: dict[str, str] = {}
    return {
        "payment": params.payment,
        "ties": params.ties,
        "decided_by": params.decided_by,
        "chips": params.chips,
        "total": asked.total,
        "position": asked.board,
        "player": asked.player,
        "holding": None if asked.holding is None else str(asked.holding),
        "rival": asked.rival,
        "real": _real(asked, reasons),
        "discrete": _discrete(asked, reasons),
        "equilibrium": _equilibrium(asked, reasons),
        "reasons": reasons,
    }


def _real(asked: Asked, reasons: dict[str, str]) -> dict[str, Any] | None:
    params = asked.params
    if params.payment == "all-pay":
        reasons["real"] = "only richman and poorman have real thresholds; all-pay bids are mixed"
        return None
    win, not_lose = (
        real.threshold(asked.board, asked.player, goal, params.payment, params.decided_by)
        for goal in ("win", "not-lose")
    )
    goal = win if win.share < 1 else not_lose
    return {
        "win_share": str(win.share),
        "not_lose_share": str(not_lose.share),
        "goal": "win" if goal is win else "not-lose",
        "best_squares": list(goal.squares),
        "critical_bid": str(goal.bid),
    }


def _discrete(asked: Asked, reasons: dict[str, str]) -> dict[str, Any] | None:
    params = asked.params
    if params.payment == "all-pay":
        reasons["discrete"] = (
            "nothing can be counted out in all-pay: a bid that the rival knows is outbid or wasted"
        )
        return None
    if params.payment == "poorman" and asked.total > discrete.MOST_POORMAN:
        reasons["discrete"] = (
            f"poorman is counted out up to a total of {discrete.MOST_POORMAN} chips"
        )
        return None
    question = Question(
        board=asked.board,
        player=asked.player,
        payment=params.payment,
        ties=params.ties,
        decided_by=params.decided_by,
        total=asked.total,
        rival=asked.rival if params.payment == "poorman" else None,
        holding=asked.holding,
    )
    win, not_lose = (discrete.forced(question, goal) for goal in ("win", "not-lose"))
    goal = win if win.least is not None else not_lose
    if asked.holding is not None and not win.bids:
        goal = not_lose
    return {
        "min_to_win": None if win.least is None else str(win.least),
        "min_to_not_lose": None if not_lose.least is None else str(not_lose.least),
        "goal": "win" if goal is win else "not-lose",
        "best_squares": list(goal.squares),
        "winning_bids": _bids(win),
        "not_losing_bids": _bids(not_lose),
    }


def _bids(found: discrete.Forced) -> list[str]:
    starred = found.holding is not None and found.holding.chip
    return [f"{bid}*" if starred else str(bid) for bid in found.bids]


def _equilibrium(asked: Asked, reasons: dict[str, str]) -> dict[str, Any] | None:
    from spaces.bid_tac_toe.solver.equilibrium import solve  # NumPy loads slowly
    from spaces.bid_tac_toe.solver.table import Position

    own, rival = asked.purses
    seat = MARKS.index(asked.player)
    holder = None
    if asked.params.ties == "advantage-chip":
        holder = seat if asked.holding is not None and asked.holding.chip else 1 - seat
    at = Position(asked.board, (own, rival) if seat == 0 else (rival, own), holder)
    try:
        found = solve(at, asked.params, seat)
    except (LookupError, OSError) as error:  # no table, or one that cannot be read
        reasons["equilibrium"] = str(error)
        return None
    return {
        "value": found.value,
        "bids": {str(bid): chance for bid, chance in found.bids.items()},
        "rival_bids": {str(bid): chance for bid, chance in found.rival_bids.items()},
        "exploitability": found.exploitability,
        "measured": found.measured,
        "holding": str(Holding(own, holder == seat)),
        "rival": str(Holding(rival, holder == 1 - seat)),
        "table": found.table,
    }
