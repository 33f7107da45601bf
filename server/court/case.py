"""A case as the clerk keeps it: all that is known of it, from which everything else follows. Pure data.

One value for a case with its hearings, judges and messages. `docket` makes the next value of the last one, and `server.store.court`
keeps it, as rows, in one transaction; so whoever dies has either done a thing or not begun it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

from chain.court.filing import case_id
from chain.documents.case import Filed, FilingFields, Message, Shown, flat
from judges.court.hearing import Hearing, Phase, Seat, SeatState
from judges.verdict import Evidence

State = Literal["wanted", "filed", "committing", "revealing", "decided", "failed", "forced"]
End = Literal["decided", "escalated", "appealed", "failed"]
OPEN: tuple[State, ...] = ("wanted", "filed", "committing", "revealing", "forced")


class Terms(msgspec.Struct, frozen=True):
    """What holds for all hearings of a case; fixed when it is made."""

    weights: tuple[int, ...]
    prior: tuple[int, ...]
    """Thousandths of a point, by line."""
    scale: int
    fee_micros: int
    lock: str
    """FRAC in its smallest unit, for each seat of the first panel; decimal."""
    margin: int
    commit_s: int
    reveal_s: int
    appeal_s: int
    most: int
    """Bigger panels than the first, at most."""
    tie_milli: int


class Chair(msgspec.Struct, frozen=True):
    """A judge of a hearing, in the order of the draw, reserves last."""

    judge: str
    operator: str
    family: str
    reserve: bool
    state: SeatState = SeatState.DRAWN
    bound: bool = False
    ordinal: int | None = None
    """Of its commitment."""
    skill: int | None = None
    """None: nothing is decided, or it was not to sit."""
    pay: int = 0
    slash: str = "0"

    @property
    def seat(self) -> Seat:
        return Seat(self.judge, self.reserve, self.state, self.bound)


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One hearing."""

    hearing: int
    seats: int
    state: State = "wanted"
    salt: str
    """Hex: hides in the filing whether there is an answer."""
    filing: FilingFields | None = None
    filed: Filed | None = None
    filed_ms: int | None = None
    seed: str | None = None
    drawn_ms: int | None = None
    by_ms: int | None = None
    called: bool = False
    commit_by_ms: int | None = None
    reveal_by_ms: int | None = None
    ended_ms: int | None = None
    medians: tuple[int, ...] = ()
    totals: tuple[int, ...] = ()
    margin: int | None = None
    end: End | None = None
    """Told when what follows is known."""
    forced: bool = False
    note: str = ""
    transactions: tuple[tuple[str, str], ...] = ()
    bench: tuple[Chair, ...] = ()
    messages: tuple[Message, ...] = ()

    @property
    def over(self) -> bool:
        return self.ended_ms is not None

    @property
    def panel(self) -> Hearing:
        """For the rules; the hearing was drawn."""
        assert self.filing is not None
        assert self.by_ms is not None
        return Hearing(
            seats=self.seats,
            bench=tuple(each.seat for each in self.bench),
            phase=Phase(self.state),
            by_ms=self.by_ms,
            commit_ms=self.filing.commit_s * 1_000,
            reveal_ms=self.filing.reveal_s * 1_000,
            called=self.called,
        )

    def shown(self) -> list[Shown]:
        """What judges have revealed, in the order of the bench. Secret until the hearing is over."""
        by_judge = {each.judge: each for each in self.messages if isinstance(each, Shown)}
        return [by_judge[each.judge] for each in self.bench if each.judge in by_judge]

    def sheets(self) -> list[tuple[int, ...]]:
        return [tuple(flat(each.scores_milli)) for each in self.shown()]


class Case(msgspec.Struct, frozen=True, kw_only=True):
    session: str
    space: str
    transcript: str
    """CID."""
    rubric: str
    lines: tuple[str, ...]
    contestants: int
    terms: Terms
    paid: bool = False
    """Money is at stake: without a verdict the entries go back. Else the arena's own panel may decide."""
    answer: tuple[int, ...] | None = None
    """Of a hidden audit, as a sheet. Secret until the case is closed."""
    forfeited: tuple[int, ...] = ()
    """Contestants that the rules of `judges.screen` rank last."""
    evidence: tuple[Evidence, ...] = ()
    made_ms: int
    state: Literal["open", "final", "void"] = "open"
    stands: int | None = None
    """The hearing whose verdict is the case's, unless somebody appeals in time."""
    appeal_by_ms: int | None = None
    closed_ms: int | None = None
    note: str = ""
    document: str | None = None
    """CID of `agon-case/1`."""
    hearings: tuple[Held, ...] = ()

    @property
    def id(self) -> bytes:
        return case_id(self.session)

    @property
    def last(self) -> Held:
        return self.hearings[-1]

    @property
    def reckoned(self) -> bool:
        """Whether what its hearings brought their judges may be told."""
        return self.state != "open" or self.stands is not None

    def with_last(self, held: Held) -> Case:
        return msgspec.structs.replace(self, hearings=(*self.hearings[:-1], held))

    def with_hearing(self, held: Held) -> Case:
        """In its place, or as the next one."""
        hearings = list(self.hearings)
        hearings[held.hearing : held.hearing + 1] = [held]
        return msgspec.structs.replace(self, hearings=tuple(hearings))


def by_line(sheet: Sequence[int], contestants: int) -> list[list[int]]:
    """A sheet as the wire tells it."""
    return [list(sheet[at : at + contestants]) for at in range(0, len(sheet), contestants)]
