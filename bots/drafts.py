"""Answers that are being written, cut into pieces that the arena takes at its pace. Pure."""

from __future__ import annotations

from server.protocol import Partial

PIECE_CHARS = 2_048
"""The longest piece the protocol takes (`server.protocol.Piece`)."""
DRAFT_CHARS = 16_384
"""No answer is longer (`server.protocol.Text`); what goes beyond is not shown."""
PACE_MS = 80
"""Between two pieces of one answer: below 13 messages a second, and smooth to the eye."""


class _Draft:
    def __init__(self, turn: int) -> None:
        self.turn = turn
        self.text = ""
        self.sent = 0
        self.next_ms = 0


class Drafts:
    """What has been written in each session, and how much of it has been sent."""

    def __init__(self) -> None:
        self._drafts: dict[str, _Draft] = {}

    def write(self, session: str, turn: int, piece: str) -> None:
        draft = self._drafts.get(session)
        if draft is None or draft.turn != turn:
            draft = self._drafts[session] = _Draft(turn)
        draft.text = (draft.text + piece)[:DRAFT_CHARS]

    def restart(self, session: str, turn: int) -> None:
        """Begin anew; the next piece starts at 0, which tells spectators to clear the old one."""
        old = self._drafts.get(session)
        draft = self._drafts[session] = _Draft(turn)
        draft.next_ms = old.next_ms if old else 0

    def drop(self, session: str) -> None:
        """The final answer is on its way: what was not shown yet comes with it."""
        self._drafts.pop(session, None)

    def rewind(self) -> None:
        """After a lost connection: send each draft again from its start, since pieces may be lost."""
        for draft in self._drafts.values():
            draft.sent = 0

    def due(self, now: int) -> list[Partial]:
        """The pieces to send now, at most one of each draft."""
        pieces = []
        for session, draft in self._drafts.items():
            if draft.sent < len(draft.text) and draft.next_ms <= now:
                piece = draft.text[draft.sent : draft.sent + PIECE_CHARS]
                pieces.append(Partial(session=session, turn=draft.turn, at=draft.sent, text=piece))
                draft.sent += len(piece)
                draft.next_ms = now + PACE_MS
        return pieces

    def next_due(self) -> int | None:
        """When the next piece may go, or None when all is sent."""
        waiting = [d.next_ms for d in self._drafts.values() if d.sent < len(d.text)]
        return min(waiting, default=None)
