"""The states of a training job, and which follows which. Pure."""

from __future__ import annotations

import enum


class State(enum.StrEnum):
    """Where a job stands. What is not over is tried again from there when its worker dies."""

    QUEUED = "queued"
    """Asked for; no trainer has taken it yet."""
    COLLECTING = "collecting"
    """The transcripts that it learns from are fetched."""
    TRAINING = "training"
    """A child process makes examples of them and updates weights; checkpoints are on its disk."""
    PACKAGING = "packaging"
    """The adapter and its documents are pinned, loaded and probed."""
    GATING = "gating"
    """The candidate plays against the version that it was made of."""
    PROMOTED = "promoted"
    """Over: the candidate is the agent's version now."""
    KEPT = "kept"
    """Over: the gate kept the version that was there."""
    FAILED = "failed"
    """Over: it could not be done, for the reason that is written down. Nothing has changed for the agent."""
    CANCELLED = "cancelled"
    """Over: its owner did not want it any more."""


OVER = frozenset({State.PROMOTED, State.KEPT, State.FAILED, State.CANCELLED})
OPEN = tuple(state for state in State if state not in OVER)

_ENDS_EARLY = frozenset({State.FAILED, State.CANCELLED})
_NEXT: dict[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.COLLECTING}),
    State.COLLECTING: frozenset({State.TRAINING}),
    State.TRAINING: frozenset({State.PACKAGING}),
    State.PACKAGING: frozenset({State.GATING}),
    State.GATING: frozenset({State.PROMOTED, State.KEPT}),
}


class WrongTransition(AssertionError):
    """A job was to go where no way leads: a defect of ours."""


def check(source: State, target: State) -> None:
    """Raises WrongTransition unless `target` may follow `source`."""
    may = frozenset() if source in OVER else _NEXT[source] | _ENDS_EARLY
    if target not in may:
        ways = ", ".join(sorted(may)) or "nothing"
        raise WrongTransition(f"a job that is {source} cannot be {target}; what follows is {ways}")
