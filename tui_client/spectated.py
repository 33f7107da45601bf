"""One open session as its spectator has it: the last view, what just happened, what is being written.

Pure: each function takes a `Spectated` and a message and returns the next one.
"""

from __future__ import annotations

import msgspec

from server.protocol import Event, SessionView, Snapshot, Update, Writing
from tui_client.observed import open_decision
from tui_client.place import Place
from tui_client.words import Note, note

MAX_NOTES = 100
MAX_DRAFT_CHARS = 16_384
HOLE = " … "
"""Stands where a piece of a draft was lost: drafts are ephemeral, their holes are not hidden."""
FROM_THE_MIDDLE = "(from the middle) … "
"""Stands before a draft whose beginning we did not see, because we joined while it was written."""


class Draft(msgspec.Struct, frozen=True):
    """What a seat has written so far of an answer that is not in yet."""

    seat: int
    turn: int
    text: str
    next_at: int
    """Character offset in the answer at which the next piece is expected."""
    number: int = 1
    """Which draft of this answer it is, counting those that we saw begin or stand here."""


class Spectated(msgspec.Struct, frozen=True):
    session: str
    since_ms: int = 0
    """When we asked to watch it, on our clock."""
    place: Place = Place()
    view: SessionView | None = None
    notes: tuple[Note, ...] = ()
    drafts: tuple[Draft, ...] = ()
    watching: int = 0
    trouble: str = ""
    """Why the session cannot be watched, e.g. the arena does not know it."""
    stirred_ms: int = 0
    """When anything last came of it, a piece of a draft included, on our clock."""
    noted_ms: int = 0
    """When the last note came, on our clock."""
    revealed_ms: int = 0
    """When the last bids or answers were turned over, on our clock."""
    resolved_ms: int | None = None
    """When the oracle last told how a question came out, on our clock."""
    ended_ms: int | None = None
    """When we learnt that play is over, on our clock."""
    decided_ms: int | None = None
    """When we learnt the verdict, on our clock."""

    def draft_of(self, seat: int) -> Draft | None:
        """The draft of a seat that still owes its answer."""
        decision = open_decision(self.view, seat)
        if decision is None or decision.done:
            return None
        return next((draft for draft in self.drafts if draft.seat == seat), None)


def with_snapshot(spectated: Spectated, message: Snapshot, now_ms: int) -> Spectated:
    """Start from a snapshot. One that bridges lost events says so in the notes."""
    if not isinstance(message.view, SessionView):
        return spectated
    place = spectated.place.at_snapshot(message)
    known = spectated.place.position
    skipped = known is not None and (message.epoch, message.offset) != (known.epoch, known.offset)
    notes = spectated.notes
    if spectated.view is not None and (message.resync or skipped):
        missed = Note(message.offset, "some events were missed; this is the board as it stands now")
        notes = (*notes, missed)[-MAX_NOTES:]
    placed = msgspec.structs.replace(spectated, place=place, notes=notes, trouble="")
    return _with_view(placed, message.view, now_ms)


def with_update(spectated: Spectated, message: Update, now_ms: int) -> Spectated:
    """Fold an update that continues our place; ask for the channel again when it does not."""
    events = spectated.place.fresh(message)
    if events is None:
        return msgspec.structs.replace(spectated, place=spectated.place.after_gap(message))
    position = spectated.place.position
    assert position is not None
    view = message.view if isinstance(message.view, SessionView) else None
    names_from = view or spectated.view
    told = [said for event in events if (said := note(event, names_from))]
    folded = msgspec.structs.replace(
        spectated,
        place=spectated.place.after(message),
        notes=(*spectated.notes, *told)[-MAX_NOTES:],
        stirred_ms=now_ms,
        noted_ms=now_ms if told else spectated.noted_ms,
        resolved_ms=now_ms if any(map(_resolves, events)) else spectated.resolved_ms,
    )
    if view is None or message.offset < position.offset:
        return folded
    return _with_view(folded, view, now_ms)


def _with_view(spectated: Spectated, view: SessionView, now_ms: int) -> Spectated:
    before = spectated.view
    drafts = tuple(draft for draft in spectated.drafts if draft.turn >= view.turn)
    return msgspec.structs.replace(
        spectated,
        view=view,
        drafts=drafts if view.status == "live" else (),
        revealed_ms=now_ms if _revealed(before, view) else spectated.revealed_ms,
        ended_ms=spectated.ended_ms or (now_ms if view.status != "live" else None),
        decided_ms=spectated.decided_ms or (now_ms if view.verdict else None),
    )


def _revealed(before: SessionView | None, view: SessionView) -> bool:
    return before is not None and _rounds(view) > _rounds(before)


def _rounds(view: SessionView) -> int:
    """How many rounds or auctions are over, in the Spaces that keep a log of them."""
    log = view.state.get("log")
    return len(log) if isinstance(log, list | tuple) else 0


def _resolves(event: Event) -> bool:
    return event.type == "oracle" and event.body.get("kind") == "resolution"


def with_writing(spectated: Spectated, piece: Writing, now_ms: int) -> Spectated:
    """Add a piece of a draft.

    Pieces of an earlier turn and pieces behind what is already there are dropped; a piece at 0
    starts anew (a retry); a piece ahead of what is there leaves a visible hole.
    """
    view = spectated.view
    if view is not None and (piece.turn < view.turn or view.status != "live"):
        return spectated
    draft = next((d for d in spectated.drafts if d.seat == piece.seat), None)
    if draft is not None and piece.turn < draft.turn:
        return spectated
    if draft is None or piece.turn > draft.turn:
        draft = Draft(piece.seat, piece.turn, "", 0)
    elif piece.at == 0:
        anew = draft.number + 1 if draft.text else draft.number
        draft = Draft(piece.seat, piece.turn, "", 0, anew)
    if piece.at < draft.next_at:
        return spectated
    grown = _grown(draft, piece)
    others = tuple(d for d in spectated.drafts if d.seat != piece.seat)
    drafts = tuple(sorted((*others, grown), key=lambda d: d.seat))
    return msgspec.structs.replace(spectated, drafts=drafts, stirred_ms=now_ms)


def _grown(draft: Draft, piece: Writing) -> Draft:
    lost = piece.at > draft.next_at
    gap = (HOLE if draft.text else FROM_THE_MIDDLE) if lost else ""
    return msgspec.structs.replace(
        draft,
        text=(draft.text + gap + piece.text)[:MAX_DRAFT_CHARS],
        next_at=piece.at + len(piece.text),
    )
