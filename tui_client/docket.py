"""The page of the court: its open cases, its last verdicts, and its judges. Pure.

Cases come by the channel `court`; judges are asked for over HTTP, as the owner's pages ask (`owner/calls.py`).
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from server.protocol import CaseView, CourtView, JudgeView, Snapshot, Update
from tui_client.owner import calls
from tui_client.owner.calls import Answered, Call, Read, Refused, Shelf
from tui_client.place import Place

CHANNEL = "court"
JUDGES = "/v1/judges"
EVERY_MS = 5_000
"""How often judges are asked for while they are in sight."""
MAX_ROWS = 256
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


class Judges(msgspec.Struct, frozen=True):
    """`GET /v1/judges`."""

    judges: list[JudgeView]


class Docket(msgspec.Struct, frozen=True):
    place: Place = Place()
    view: CourtView | None = None
    cursor: str | None = None
    """The chosen row: a session, or a judge's address."""
    judge: str | None = None
    """The judge whose page lies over it."""
    scroll: int = 0
    """Rows that that page is scrolled down."""
    shelf: Shelf = {}

    def cases(self) -> list[CaseView]:
        """Open ones, then the last verdicts."""
        return [*self.view.cases, *self.view.decided] if self.view is not None else []

    def judges(self) -> list[JudgeView]:
        kept = self.shelf.get(JUDGES)
        found = kept.value.judges if kept is not None and isinstance(kept.value, Judges) else []
        return [judge for judge in found if _ADDRESS.fullmatch(judge.judge)][:MAX_ROWS]

    def page(self) -> JudgeView | None:
        """The open judge, with its history once that has come."""
        if self.judge is None:
            return None
        kept = self.shelf.get(_path(self.judge))
        if kept is not None and isinstance(kept.value, JudgeView):
            return kept.value
        return next((judge for judge in self.judges() if judge.judge == self.judge), None)

    def rows(self) -> list[str]:
        """What can be chosen, in the order in which it stands."""
        sessions = [case.session for case in self.cases()]
        return [*dict.fromkeys(sessions), *(judge.judge for judge in self.judges())]


def with_message(docket: Docket, message: Snapshot | Update) -> Docket:
    """After a message of its channel; its view says all."""
    if isinstance(message, Snapshot):
        return _seen(replace(docket, place=docket.place.at_snapshot(message)), message.view)
    if docket.place.fresh(message) is None:
        return replace(docket, place=docket.place.after_gap(message))
    position = docket.place.position
    stale = position is not None and message.offset < position.offset
    return _seen(
        replace(docket, place=docket.place.after(message)), None if stale else message.view
    )


def _seen(docket: Docket, view: object) -> Docket:
    return _with_cursor(replace(docket, view=view) if isinstance(view, CourtView) else docket)


def wanted(docket: Docket | None, now_ms: int) -> list[Call]:
    """What is to be asked now."""
    if docket is None:
        return []
    reads = [Read(JUDGES, Judges, EVERY_MS)]
    if docket.judge is not None:
        reads.append(Read(_path(docket.judge), JudgeView, EVERY_MS))
    return calls.due(docket.shelf, reads, now_ms)


def asked(call: str) -> bool:
    """Whether an answer is to one of its calls."""
    return call.startswith(f"GET {JUDGES}")


def after(docket: Docket, came: Answered | Refused, now_ms: int) -> Docket:
    path = calls.of_read(docket.shelf, came.call)
    if path is None:
        return docket
    if isinstance(came, Refused):
        return replace(docket, shelf=calls.refused(docket.shelf, path, came.problem, now_ms))
    return _with_cursor(
        replace(docket, shelf=calls.answered(docket.shelf, path, came.value, now_ms))
    )


def trouble(docket: Docket) -> str:
    """Why judges cannot be shown; from the server, so not safe to paint as it is."""
    path = JUDGES if docket.judge is None else _path(docket.judge)
    kept = docket.shelf.get(path)
    return kept.problem.detail if kept is not None and kept.problem is not None else ""


def moved(docket: Docket, by: int) -> Docket:
    if docket.judge is not None:
        return replace(docket, scroll=max(0, docket.scroll + by))
    rows = docket.rows()
    if not rows:
        return docket
    at = rows.index(docket.cursor) if docket.cursor in rows else 0
    return replace(docket, cursor=rows[min(len(rows) - 1, max(0, at + by))])


def opened(docket: Docket, judge: str) -> Docket:
    return replace(docket, judge=judge, scroll=0)


def chosen_judge(docket: Docket) -> str | None:
    """The judge that the cursor is on."""
    return docket.cursor if docket.cursor and _ADDRESS.fullmatch(docket.cursor) else None


def chosen_session(docket: Docket) -> str | None:
    """The session that the cursor is on; none on a judge's page."""
    if docket.judge is not None or docket.cursor is None or chosen_judge(docket):
        return None
    return docket.cursor


def _with_cursor(docket: Docket) -> Docket:
    rows = docket.rows()
    if docket.cursor in rows:
        return docket
    return replace(docket, cursor=rows[0] if rows else None)


def _path(judge: str) -> str:
    return f"{JUDGES}/{judge}"


def replace(docket: Docket, **changes: Any) -> Docket:
    return msgspec.structs.replace(docket, **changes)
