"""The words of the journal, from what the arena says. Pure; every foreign text goes through `plain`."""

from __future__ import annotations

from bots.journal import plain
from bots.turn import Result, Turn
from server.protocol import Error, Rejected, SeatCard, SessionView, Ticket

ANSWER_CHARS = 100


def standing(ticket: Ticket) -> str:
    match ticket.state:
        case "waiting":
            reason = f" ({plain(ticket.reason)})" if ticket.reason else ""
            place = f", position {ticket.position} of {ticket.waiting}" if ticket.position else ""
            return f"queued for {ticket.space}{place}{reason}"
        case "offered":
            return f"a match in {ticket.space} is offered"
        case "seated" | "gone":
            return f"left the queue of {ticket.space}: {ticket.state}"


def opening(session: str) -> str:
    return f"a match is made ({session}); it begins as soon as the chain has taken the entries"


def unplayed(session: str, reason: str) -> str:
    return f"{session}  not played, the entry is given back: {plain(reason)}"


def seated(view: SessionView) -> str:
    rivals = ", ".join(_card(card) for card in view.seats if card.seat != view.you)
    return f"seated in {view.session}, seat {view.you}, against {rivals}; watch: agon watch {view.session}"


def _card(card: SeatCard) -> str:
    return f"{plain(card.name, 40)} ({plain(card.version, 48)})"


def acted(turn: Turn, text: str) -> str:
    retry = f" (attempt {turn.attempt})" if turn.attempt > 1 else ""
    return f"{turn.session}  {turn.kind}{retry}: {plain(text, ANSWER_CHARS)}"


def rejected(answer: Rejected) -> str:
    again = "; one more attempt" if answer.attempt == 2 else ""
    return f"{answer.session}  rejected: {plain(answer.reason)} ({answer.code}){again}"


def error(refusal: Error) -> str:
    about = f" about {plain(refusal.ref, 96)}" if refusal.ref else ""
    return f"the arena says{about}: {plain(refusal.reason)} ({refusal.code})"


def over(result: Result) -> str:
    if result.status == "void":
        return f"{result.session}  void: {plain(result.termination)}; nobody is scored"
    if result.returns is None:
        return f"{result.session}  {plain(result.termination)}; the judges decide"
    return f"{result.session}  {_standing(result)} ({plain(result.termination)})"


def verdict(result: Result) -> str:
    assert result.verdict is not None
    totals = " : ".join(f"{total / 1000:.1f}" for total in result.verdict.totals_milli)
    return f"{result.session}  {_standing(result)} by verdict, {totals}"


def _standing(result: Result) -> str:
    match result.won:
        case True:
            return "you won"
        case False:
            return "you lost"
        case None:
            return "a draw"
