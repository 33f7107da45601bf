"""What each viewer may see of a session: the filter of sealed bids, and text for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from spaces.bid_tac_toe import rules
from spaces.bid_tac_toe.state import EMPTY, MARKS, Round, State, line_of
from spaces.seat_names import seat_name


def phase(state: State) -> str:
    """`bid`, `mark` or `over`."""
    if rules.outcome(state) is not None:
        return "over"
    return "bid" if state.bid_winner is None else "mark"


def observe(state: State, viewer: int | None) -> dict[str, Any]:
    """The public position; a seat besides sees its own sealed bid as `your_bid`."""
    outcome = rules.outcome(state)
    returns = (outcome.returns if outcome else None) or (0, 0)
    line = line_of(state.board)
    seen: dict[str, Any] = {
        "board": state.board,
        "chips": list(state.chips),
        "ply": state.ply,
        "phase": phase(state),
        "bids_in": [bid is not None for bid in state.bids],
        "bid_winner": state.bid_winner,
        "payment": state.params.payment,
        "ties": state.params.ties,
        "decided_by": state.params.decided_by,
        "start_chips": state.params.chips,
        "advantage": state.advantage,
        "log": [_row(past) for past in state.log],
        "line": list(line) if line else None,
        "winner": returns.index(1) if 1 in returns else None,
        "termination": outcome.termination if outcome else None,
    }
    if viewer is not None:
        seen["your_bid"] = state.bids[viewer]
    return seen


def free_cells(view: Mapping[str, Any]) -> list[int]:
    """Of an observation."""
    return [cell for cell, mark in enumerate(view["board"]) if mark == EMPTY]


def _row(past: Round) -> dict[str, Any]:
    return {
        "ply": past.ply,
        "bids": list(past.bids),
        "winner": past.winner,
        "tie": past.tie,
        "cell": past.cell,
    }


def headline(state: State) -> str:
    """At most 80 characters."""
    x, o = state.chips
    money = f"X {x} : {o} O"
    outcome = rules.outcome(state)
    if outcome is not None:
        return f"{_result(state)} ({outcome.termination}), {money}"
    if state.bid_winner is not None:
        return f"mark {state.ply + 1}/9, {MARKS[state.bid_winner]} to mark, {money}"
    return f"mark {state.ply + 1}/9, bidding, {money}"


def _result(state: State) -> str:
    winner = observe(state, None)["winner"]
    return "draw" if winner is None else f"{MARKS[winner]} wins"


def board_rows(state: State) -> list[str]:
    """Three rows; a free cell shows its number."""
    shown = [mark if mark in MARKS else str(cell) for cell, mark in enumerate(state.board)]
    return [" ".join(shown[start : start + 3]) for start in (0, 3, 6)]


def render(state: State, names: Sequence[str] = ()) -> str:
    lines = [*board_rows(state), headline(state)]
    if names:
        called = [f"{mark} is {seat_name(names, seat)}" for seat, mark in enumerate(MARKS)]
        lines.append(", ".join(called))
    if state.advantage is not None:
        lines.append(f"advantage chip: {MARKS[state.advantage]}")
    lines += [_told(past) for past in state.log]
    return "\n".join(lines)


def _told(past: Round) -> str:
    told = f"  {past.ply + 1}. bids {past.bids[0]} : {past.bids[1]}"
    if past.winner is None:
        return f"{told}, a tie: bid again"
    by = f" by {past.tie}" if past.tie else ""
    cell = "" if past.cell is None else f", marks {past.cell}"
    return f"{told}, {MARKS[past.winner]} wins{by}{cell}"
