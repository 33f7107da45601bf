"""Events and endings in words, for the line that says what just happened. Pure; returns safe text."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from server.protocol import Event, SeatCard, SessionView
from tui_client.text import clean

NAME_LIMIT = 32
DOT_MS = 250
"""How long one picture of the dots stands that say that somebody thinks."""

MARKS = ("X", "O")
"""X and O of Bid Tac Toe, by seat."""

MAX_MS = 253_402_300_799_000
"""The end of the year 9999."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

PUZZLE_SOLVED = 1_000
"""Points of an answer to a puzzle that is right."""

_TERMINATIONS = {
    "line": "three in a line",
    "board-full": "the board is full",
    "bankruptcy": "the other cannot bid any more",
    "forfeit": "by forfeit",
    "complete": "every round was played",
}

_FAULTS = {
    "unparsable": "could not be read",
    "illegal": "is against the rules",
    "late": "came too late",
}


class Note(msgspec.Struct, frozen=True):
    """One thing that happened, in words."""

    offset: int
    text: str
    seat: int | None = None
    """Whose doing it was: its accent."""
    alarm: bool = False
    type: str = ""
    """The event's type."""


def name_of(card: SeatCard) -> str:
    """A seat's name, safe to paint."""
    return clean(card.name, NAME_LIMIT) or f"seat {card.seat + 1}"


def names(view: SessionView | None) -> dict[int, str]:
    return {card.seat: name_of(card) for card in view.seats} if view else {}


def termination(reason: str) -> str:
    """Why a session ended, for people."""
    return _TERMINATIONS.get(reason, clean(reason.replace("-", " "), 60))


def void_reason(view: SessionView) -> str:
    """Why a void session is void, and what that means."""
    why = clean(str((view.outcome or {}).get("reason", "")), 80)
    return f"{why}; nobody is scored" if why else "nobody is scored"


def seat_mark(seat: int) -> str:
    """The letter of a seat where more than two play; it stands wherever the name has no room."""
    return chr(ord("A") + seat) if 0 <= seat < 26 else "?"


def cell_name(cell: int) -> str:
    """Columns a-c from the left, rows 1-3 from the top, as the board's edge is labelled."""
    return f"{'abc'[cell % 3]}{cell // 3 + 1}"


def seat_of(event: Event) -> int | None:
    """The seat an event is by, or about."""
    if event.by.startswith("seat:") and event.by[5:].isdecimal():
        return int(event.by[5:])
    seat = event.body.get("seat")
    return seat if isinstance(seat, int) else None


def note(event: Event, view: SessionView | None) -> Note | None:
    """What an event means to a spectator; None for the ones that only move the machinery."""
    seat = seat_of(event)
    who = names(view).get(seat, f"seat {seat + 1}") if seat is not None else "the arena"
    said = _said(event, who)
    if said is None:
        return None
    alarm = event.type in ("fault", "deadline", "forfeit", "void")
    return Note(event.offset, said, seat, alarm, event.type)


def _said(event: Event, who: str) -> str | None:
    body = event.body
    match event.type:
        case "open":
            return "the match is on; its seed is committed"
        case "sealed":
            return f"{who} has sealed an answer"
        case "action":
            return _acted(body, who)
        case "fault":
            verb = _FAULTS.get(str(body.get("code")), "did not count")
            reason = clean(str(body.get("reason", "")), 120)
            last = body.get("attempt") == 2
            return f"{who}'s answer {verb}: {reason}" + ("" if last else " (one more try)")
        case "deadline":
            return f"{who} ran out of time"
        case "forfeit":
            return f"{who} forfeits the decision"
        case "void":
            return f"void: {clean(str(body.get('reason', '')), 120)} (nobody is scored)"
        case "oracle":
            return _told(body)
        case "note":
            return _noted(body)
        case "annotation" if body.get("kind") == "regret":
            return "what each seat gave away is measured"
        case "end":
            return f"play is over: {termination(str(body.get('termination', '')))}"
        case "digest":
            return f"transcript sealed, digest {clean(str(body.get('digest', '')), 12)}"
        case "verdict":
            return "the judges have spoken"
        case "pinned":
            return f"transcript pinned as {clean(str(body.get('cid', '')), 64)}"
        case "rated":
            return "ratings are updated"
        case "anchored":
            return _anchored(body)
        case _:
            return None


def _anchored(body: dict[str, object]) -> str:
    """What the chain has made of it."""
    if body.get("refunded") is True:
        return "the entries are given back on the chain"
    return f"the result is on the chain, in epoch {clean(str(body.get('epoch', '')), 12)}"


def _acted(body: dict[str, object], who: str) -> str | None:
    action = body.get("action")
    cell = action.get("cell") if isinstance(action, dict) else None
    match body.get("kind"):
        case "mark" if isinstance(cell, int) and 0 <= cell < 9:
            return f"{who} takes {cell_name(cell)}"
        case "verse":
            return f"{who}'s verse is in"
        case _:
            return None


def _noted(body: dict[str, object]) -> str | None:
    """What the rules note: the scores of a puzzle that is over."""
    told = body.get("body")
    scores = told.get("scores") if isinstance(told, dict) else None
    if body.get("kind") != "scores" or not isinstance(scores, list):
        return None
    solved = sum(score == PUZZLE_SOLVED for score in scores)
    return f"the answers are turned over: {solved} of {len(scores)} solved it"


def _told(body: dict[str, object]) -> str | None:
    """What an oracle said."""
    value = body.get("value")
    told = value if isinstance(value, dict) else {}
    match body.get("kind"):
        case "candle":
            return f"the price is {clean(str(told.get('close', '')), 20)}"
        case "unmask":
            return f"it was {clean(str(told.get('series', '')), 60)}"
        case "question":
            return "a new question is asked"
        case "resolution":
            return f"the value is {clean(str(told.get('value', '')), 30)}"
        case _:
            return None


def clock(left_ms: int) -> str:
    """Time left as m:ss, never below zero; a started second counts."""
    seconds = max(0, -(-left_ms // 1000))
    return f"{seconds // 60}:{seconds % 60:02d}"


def waiting_dots(now_ms: int) -> str:
    """None to three dots in three cells, another number four times a second: somebody thinks."""
    at = now_ms // DOT_MS % 4
    return "".join("·" if cell < at else " " for cell in range(3))


def age(seconds: int) -> str:
    """A short age: 12s, 3m, 2h."""
    if seconds < 60:
        return f"{max(0, seconds)}s"
    return f"{seconds // 60}m" if seconds < 3600 else f"{seconds // 3600}h"


def points(milli: int) -> str:
    """Thousandths to one decimal, halves up: 7350 -> 7.4."""
    tenths = (milli + 50) // 100
    return f"{'-' if tenths < 0 else ''}{abs(tenths) // 10}.{abs(tenths) % 10}"


def fee(micros: int) -> str:
    return "free" if micros == 0 else f"{micros / 1_000_000:.2f} USDC"


def space_title(space: str) -> str:
    return clean(space.replace("-", " "), 24)


def moment(at_ms: int) -> str:
    """When something was, UTC: `27 Nov 05:12`."""
    at = datetime.fromtimestamp(min(max(0, at_ms), MAX_MS) / 1_000, UTC)
    return f"{at.day:>2} {_MONTHS[at.month - 1]} {at.hour:02}:{at.minute:02}"
