"""Which step of a hearing is a judge's next, by what it is told and what its journal holds. Pure; times are unix ms."""

from __future__ import annotations

import enum

import msgspec


class Stage(enum.StrEnum):
    """How far a hearing is."""

    EARLY = "early"
    """Nobody is drawn yet."""
    COMMITTING = "committing"
    REVEALING = "revealing"
    OVER = "over"


class Sat(enum.StrEnum):
    """How our own seat stands, as it is told."""

    NONE = "none"
    """We have none, or are a reserve whose turn has not come."""
    DRAWN = "drawn"
    COMMITTED = "committed"
    REVEALED = "revealed"
    LOST = "lost"
    """Absent or replaced: nothing that we send counts any more."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A hearing as we are told of it. It is not believed: what costs us something by being wrong is checked (`node.Docket`)."""

    session: str
    case: str
    """0x and 64 hex digits."""
    hearing: int
    space: str
    transcript: str
    """The CID of what is judged."""
    stage: Stage
    seat: Sat
    all_committed: bool = False
    """Every seat of the panel has a commitment."""
    commit_by_ms: int = 0
    reveal_by_ms: int = 0
    forced: bool = False
    """It is heard on the chain: messages go there."""

    @property
    def key(self) -> tuple[str, int]:
        return self.case, self.hearing


class Kept(msgspec.Struct, frozen=True):
    """What our journal knows of a hearing once its sheet is sealed."""

    committed: bool
    """Somebody who counts has taken our commitment."""
    revealed: bool


class Step(enum.Enum):
    NOTHING = enum.auto()
    """Now; a change of what is told may bring something."""
    JUDGE = enum.auto()
    COMMIT = enum.auto()
    REVEAL = enum.auto()
    MISSED = enum.auto()
    """A deadline went by: no step is left in this hearing."""
    STRANGER = enum.auto()
    """Somebody has committed with our key, and our journal knows nothing of it: a second commitment would cost the whole stake."""


def due(told: Told, kept: Kept | None, now_ms: int) -> Step:
    """The next step. A step stays due until what is told shows that it counts."""
    if told.stage in (Stage.EARLY, Stage.OVER) or told.seat in (Sat.NONE, Sat.LOST):
        return Step.NOTHING
    if kept is None:
        if told.seat is not Sat.DRAWN:
            return Step.STRANGER
        if told.stage is not Stage.COMMITTING or now_ms >= told.commit_by_ms:
            return Step.MISSED
        return Step.JUDGE
    if told.seat is Sat.DRAWN:
        if told.stage is Stage.COMMITTING and now_ms < told.commit_by_ms:
            return Step.COMMIT
        return Step.MISSED
    if told.seat is Sat.REVEALED or told.stage is not Stage.REVEALING:
        return Step.NOTHING
    if now_ms >= told.reveal_by_ms:
        return Step.MISSED
    # Whoever learns a sheet before the last commitment could copy it: the arena's word that it is time is not enough.
    if not told.all_committed and now_ms < told.commit_by_ms:
        return Step.NOTHING
    return Step.REVEAL
