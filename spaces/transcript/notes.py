"""Which notes a replay owes next: those of the state that no entry has told yet."""

from __future__ import annotations

from spaces.space import Note
from spaces.transcript.bodies import same
from spaces.transcript.document import Entry, TranscriptError


class Notes:
    """Notes are told right after the state that first has them, before anything else happens.

    Only a void may leave some out: it may strike before they were told, and it counts for nothing.
    """

    def __init__(self) -> None:
        self._told = 0
        self._due: tuple[Note, ...] = ()

    def reached(self, notes: tuple[Note, ...]) -> None:
        """The session has come to a state with `notes`, all since its beginning."""
        self._due = notes[self._told :]

    def tell(self, entry: Entry) -> None:
        """Raises TranscriptError when it is not the next note that the rules give."""
        if not self._due:
            raise TranscriptError("a note that the rules do not give", entry.i)
        due, *rest = self._due
        if not same(entry.body, {"kind": due.kind, "body": due.body}):
            raise TranscriptError(f"note differs from the rules' {due.kind!r}", entry.i)
        self._due = tuple(rest)
        self._told += 1

    def check_told(self, entry: Entry) -> None:
        """Raises TranscriptError when a note should stand before this entry."""
        if self._due:
            raise TranscriptError(
                f"{entry.type} before the note {self._due[0].kind!r} was told", entry.i
            )
