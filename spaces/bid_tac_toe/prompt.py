"""The position as text for a language model that must bid or mark now.

Short and concrete, since the smallest models play: the situation first, the rules that apply in a
few sentences, the answer format last.
"""

from __future__ import annotations

from spaces.bid_tac_toe.state import MARKS, State
from spaces.bid_tac_toe.variants import Payment
from spaces.bid_tac_toe.views import board_rows

_PAYMENT: dict[Payment, str] = {
    "all-pay": "Both players lose what they bid, whoever wins the bid.",
    "richman": "The winner of a bid pays it to the other player.",
    "poorman": "Only the winner of a bid pays it; the loser keeps its chips.",
}


def prompt(state: State, seat: int) -> str:
    task = _bid_task(state, seat) if state.bid_winner is None else _mark_task(state)
    return "\n".join([*_situation(state, seat), *_rules(state, seat), *task])


def _situation(state: State, seat: int) -> list[str]:
    lines = [
        f"You play Bid Tac Toe as {MARKS[seat]}. Get three {MARKS[seat]} in a row.",
        "Board (a number is a free cell):",
        *board_rows(state),
        f"Your chips: {state.chips[seat]}. Rival's chips: {state.chips[1 - seat]}.",
    ]
    past = [f"{one.bids[seat]}-{one.bids[1 - seat]}" for one in state.log]
    if past:
        lines.append(f"Bids so far (you-rival): {', '.join(past)}.")
    return lines


def _rules(state: State, seat: int) -> list[str]:
    lines = ["Before each mark both bid in secret; the higher bid marks one cell."]
    lines.append(_PAYMENT[state.params.payment])
    match state.params.ties:
        case "coin":
            lines.append("A coin decides tied bids.")
        case "rebid":
            lines.append(
                "Tied bids cost nothing and are bid again; after three ties a coin decides."
            )
        case "advantage-chip":
            holder = "You hold" if state.advantage == seat else "Your rival holds"
            lines.append(f"{holder} the chip that wins a tie and then changes hands.")
    if state.params.bankrupts:
        lines.append("Out of chips without a line: you lose.")
    if state.params.decided_by == "money":
        lines.append("Full board without a line: more chips left wins.")
    else:
        lines.append("Full board without a line: a draw.")
    return lines


def _bid_task(state: State, seat: int) -> list[str]:
    chips = state.chips[seat]
    return [
        f"Place your bid now: a whole number from 0 to {chips}.",
        "Answer with one line and nothing else:",
        "bid: NUMBER",
    ]


def _mark_task(state: State) -> list[str]:
    free = ", ".join(map(str, state.free_cells))
    return [
        f"You won the bid. Mark one free cell now: {free}.",
        "Answer with one line and nothing else:",
        "cell: NUMBER",
    ]
