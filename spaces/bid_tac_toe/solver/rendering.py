"""An answer of the solver as text for people."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from spaces.bid_tac_toe.state import EMPTY

_SHOWN_BIDS = 12
"""Lines of a mixed bid; the rest is added up."""
_BAR = 30


def render(answer: dict[str, Any]) -> str:
    parts = [
        _head(answer),
        _board(answer["position"]),
        _real(answer),
        _discrete(answer),
        _equilibrium(answer),
    ]
    return "\n\n".join(part for part in parts if part)


def _head(answer: dict[str, Any]) -> str:
    return (
        f"Bid Tac Toe, {answer['payment']}, ties by {answer['ties']}, full board decided by"
        f" {answer['decided_by']}\n{answer['chips']} chips a side, {answer['total']} in all;"
        f" asked for {answer['player']}"
    )


def _board(board: str) -> str:
    """A free cell shows its number."""
    cells = [str(cell) if mark == EMPTY else mark for cell, mark in enumerate(board)]
    rows = [f"  {' | '.join(cells[start : start + 3])}" for start in (0, 3, 6)]
    return "\n  --+---+--\n".join(rows)


def _real(answer: dict[str, Any]) -> str:
    found = answer["real"]
    if found is None:
        return f"Real-valued: none, {answer['reasons']['real']}."
    return "\n".join(
        [
            "Real-valued (shares of all money):",
            f"  to win       {_share(found['win_share'])}",
            f"  not to lose  {_share(found['not_lose_share'])}",
            f"  critical bid {_fraction(found['critical_bid'])}, to {_goal(found)}",
            f"  best squares {_cells(found['best_squares'])}",
        ]
    )


def _share(text: str) -> str:
    share = Fraction(text)
    if share == 1:
        return "never"
    if share == 0:
        return "always"
    ratio = float(100 * share / (1 - share))
    return f"more than {_fraction(text)}, {ratio:.2f} : 100"


def _fraction(text: str) -> str:
    return f"{text} ({float(Fraction(text)):.4f})" if "/" in text else text


def _goal(found: dict[str, Any]) -> str:
    return "win" if found["goal"] == "win" else "not lose"


def _discrete(answer: dict[str, Any]) -> str:
    found = answer["discrete"]
    if found is None:
        return f"Whole chips: none, {answer['reasons']['discrete']}."
    against = f"{answer['rival']} of the rival" if answer["rival"] is not None else "the rest"
    held = answer["holding"]
    return "\n".join(
        [
            f"Whole chips (forced against {against}; * is with the advantage):",
            f"  to win       {_least(found['min_to_win'])}",
            f"  not to lose  {_least(found['min_to_not_lose'])}",
            f"  winning bids with {held or found['min_to_win'] or '-'}: {_bids(found['winning_bids'])}",
            f"  not losing bids with {held or found['min_to_not_lose'] or '-'}:"
            f" {_bids(found['not_losing_bids'])}",
            f"  best squares {_cells(found['best_squares'])}, to {_goal(found)}",
        ]
    )


def _least(text: str | None) -> str:
    return "never" if text is None else f"{text} or more"


def _bids(bids: list[str]) -> str:
    if not bids:
        return "none"
    if len(bids) == 1 or int(bids[-1].rstrip("*")) - int(bids[0].rstrip("*")) != len(bids) - 1:
        return ", ".join(bids)
    return f"{bids[0]} to {bids[-1]}"


def _cells(cells: list[int]) -> str:
    return ", ".join(map(str, cells)) or "none helps"


def _equilibrium(answer: dict[str, Any]) -> str:
    found = answer["equilibrium"]
    if found is None:
        return f"Equilibrium: none, {answer['reasons']['equilibrium']}."
    likely = sorted(found["bids"].items(), key=lambda each: (-each[1], int(each[0])))
    shown = sorted(likely[:_SHOWN_BIDS], key=lambda each: int(each[0]))
    widest = likely[0][1]
    lines = [
        f"Equilibrium ({found['holding']} chips against {found['rival']}):"
        f" worth {found['value']:+.4f} of the stake to {answer['player']},"
        f" exploitable by at most {found['exploitability']:.2g}"
        f" ({'measured' if found['measured'] else 'a bound, not measured'})",
        *(
            f"  bid {bid:>5}  {probability:7.2%}  {'#' * round(_BAR * probability / widest)}"
            for bid, probability in shown
        ),
    ]
    rest = sum(probability for _, probability in likely[_SHOWN_BIDS:])
    if rest:
        lines.append(f"  {len(likely) - _SHOWN_BIDS} other bids  {rest:7.2%}")
    return "\n".join(lines)
