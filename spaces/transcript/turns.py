"""One turn of a replay: which decisions are open, who faulted, acted, forfeited, and what follows.

A turn is a set of simultaneous decisions. What the seats did is gathered first and applied when the
turn closes, actions in seat order and then forfeits: a sealed action stands in the transcript after
forfeits that came later than it, and the order of simultaneous decisions changes nothing.
"""

from __future__ import annotations

from typing import Any

from spaces.seed import Streams
from spaces.space import ActionError, Decision, Space
from spaces.transcript.document import TranscriptError

FAULT_CODES = frozenset({"unparsable", "illegal", "late"})
MAX_FAULTS = 2
"""One retry, then the forfeit rule."""


class Turn:
    """The bookkeeping of one turn; every method raises TranscriptError naming the entry."""

    def __init__(self, number: int, decisions: tuple[Decision, ...], since: int) -> None:
        self.number = number
        self.since = since
        """Time of the entry that it follows: no decision of it was open sooner."""
        self.open = {decision.seat: decision for decision in decisions}
        self.revealed = False
        self.closed = False
        self._faults: dict[int, list[str]] = {seat: [] for seat in self.open}  # reasons
        self._actions: dict[int, tuple[int, Any]] = {}  # seat -> (entry, action)
        self._forfeits: dict[int, int] = {}  # seat -> entry

    @property
    def complete(self) -> bool:
        return len(self._actions) + len(self._forfeits) == len(self.open)

    @property
    def sealed(self) -> list[tuple[int, Any]]:
        """The sealed actions of the turn, (seat, action) in seat order."""
        return [
            (seat, self._actions[seat][1])
            for seat in sorted(self._actions)
            if self.open[seat].sealed
        ]

    @property
    def owes_reveal(self) -> bool:
        return bool(self.sealed) and not self.revealed

    @property
    def has_forfeits(self) -> bool:
        return bool(self._forfeits)

    def decision(self, entry: int, seat: int) -> Decision:
        """The open decision of a seat."""
        decision = self.open.get(seat)
        if decision is None or seat in self._actions or seat in self._forfeits:
            raise TranscriptError(f"seat {seat} owes no decision in turn {self.number}", entry)
        return decision

    def attempt(self, seat: int) -> tuple[int, str | None]:
        """The number of the seat's next attempt, and why the one before it did not count."""
        reasons = self._faults[seat]
        return len(reasons) + 1, reasons[-1] if reasons else None

    def fault(self, entry: int, seat: int, code: str, attempt: int, reason: str) -> None:
        self.decision(entry, seat)
        if code not in FAULT_CODES:
            raise TranscriptError(f"unknown fault {code!r}", entry)
        before = len(self._faults[seat])
        if attempt != before + 1 or attempt > MAX_FAULTS:
            raise TranscriptError(
                f"fault of attempt {attempt} after {before} faults of seat {seat}", entry
            )
        self._faults[seat].append(reason)

    def act(self, entry: int, seat: int, action: Any) -> None:
        self.decision(entry, seat)
        if len(self._faults[seat]) == MAX_FAULTS:
            raise TranscriptError(f"seat {seat} acts after {MAX_FAULTS} faults", entry)
        self._actions[seat] = (entry, action)

    def forfeit(self, entry: int, seat: int) -> None:
        self.decision(entry, seat)
        faults = len(self._faults[seat])
        if faults < MAX_FAULTS:
            raise TranscriptError(
                f"seat {seat} forfeits after {faults} faults, not {MAX_FAULTS}", entry
            )
        self._forfeits[seat] = entry

    def close(self, space: Space[Any, Any, Any], state: Any, streams: Streams) -> Any:
        """The state after everything that the seats did in this turn."""
        self.closed = True
        for seat, (entry, action) in sorted(self._actions.items()):
            try:
                state = space.apply(state, seat, action, streams)
            except ActionError as error:
                raise TranscriptError(f"the rules refuse the action: {error}", entry) from None
        for seat, entry in self._forfeits.items():
            try:
                state = space.forfeit(state, seat, streams)
            except ValueError as error:
                raise TranscriptError(f"the rules refuse the forfeit: {error}", entry) from None
        return state
