"""How an agent learns, as the HTTP API answers it: consents, trainings, gates, the lineage.

The same tolerance as in `answers`. Scores are in thousandths, LLRs in thousandths of a nat, losses in micro-nats.
"""

from __future__ import annotations

import msgspec

# ---------------------------------------------------------------------- trainings


class Consent(msgspec.Struct, frozen=True):
    """What the owner allows in a Space."""

    on: bool = False
    budget_s: int = 0
    """Device-seconds in any seven days."""


class Eligibility(msgspec.Struct, frozen=True):
    ready: bool = False
    reason: str = ""
    """What it waits for, in words."""
    scored: int = 0
    """Scored sessions since the last gated training."""
    needed: int = 0
    next_ms: int | None = None
    """When a rest or the budget ends."""


class Loss(msgspec.Struct, frozen=True, array_like=True):
    """A point of the curve."""

    step: int = 0
    micro: int = 0


class Job(msgspec.Struct, frozen=True):
    """One training."""

    job: str
    space: str = ""
    version: str = ""
    """The one it is a training of."""
    asked: str = ""
    """`owner` or `schedule`."""
    state: str = "queued"
    reason: str | None = None
    """Why it ended as it did, or what it waits for."""
    scored: int = 0
    step: int = 0
    steps: int = 0
    loss_micro: int | None = None
    curve: tuple[Loss, ...] = ()
    eta_s: int | None = None
    device: str | None = None
    device_s: int = 0
    cancelling: bool = False
    data: str | None = None
    """Content id of the data card; the next two of the proof and of the adapter's card."""
    manifest: str | None = None
    adapter: str | None = None
    gate: str | None = None
    promoted: str | None = None
    created_ms: int = 0
    ended_ms: int | None = None


class Learning(msgspec.Struct, frozen=True):
    """An agent's learning in one Space."""

    space: str
    consent: Consent = Consent()
    spent_s: int = 0
    eligibility: Eligibility = Eligibility()
    job: Job | None = None
    """The one that is not over."""


class Training(msgspec.Struct, frozen=True):
    version: str = ""
    """The one that plays now."""
    spaces: tuple[Learning, ...] = ()
    past: tuple[Job, ...] = ()
    """Newest first."""


class DataCard(msgspec.Struct, frozen=True):
    """`agon-data/1`: what a training has learnt from."""

    counts: dict[str, int] = {}
    held_out: dict[str, tuple[str, ...]] = {}
    """`players`, `seeds` and `sessions` of which it has learnt nothing."""


# ---------------------------------------------------------------------- the gate


class GateCard(msgspec.Struct, frozen=True):
    gate: str = ""
    space: str = ""
    candidate: str = ""
    current: str = ""
    status: str = "running"
    pairs: int = 0
    most: int = 0
    score_milli: int = 500
    low_milli: int = 0
    high_milli: int = 1_000
    llr_milli: int = 0
    lower_milli: int = 0
    upper_milli: int = 0
    test: str = "running"
    decision: str | None = None
    reasons: tuple[str, ...] = ()


class FirstAnswers(msgspec.Struct, frozen=True):
    turns: int = 0
    valid: int = 0


class GateMatch(msgspec.Struct, frozen=True):
    """One attempt at a match; an ordinary session."""

    name: str = ""
    session: str = ""
    state: str = "live"
    half_points: int | None = None


class Gate(msgspec.Struct, frozen=True):
    """A candidate that is tested against the version that plays."""

    card: GateCard = GateCard()
    llr_milli: tuple[int, ...] = ()
    """After each pair."""
    candidate: FirstAnswers = FirstAnswers()
    current: FirstAnswers = FirstAnswers()
    pool_pairs: int = 0
    pool_milli: int = 0
    matches: tuple[GateMatch, ...] = ()
    """Oldest first."""


# ---------------------------------------------------------------------- the lineage


class Change(msgspec.Struct, frozen=True):
    """Of what plays."""

    kind: str = "promoted"
    """Or `rolled-back`."""
    version: str = ""
    """Plays from then on."""
    parent: str = ""
    """Played until then."""
    gate: str | None = None
    at_ms: int = 0


class GateSummary(msgspec.Struct, frozen=True):
    gate: str = ""
    space: str = ""
    status: str = "running"
    candidate: str = ""
    current: str = ""
    decision: str | None = None


class Lineage(msgspec.Struct, frozen=True):
    version: str = ""
    """Plays now."""
    lines: tuple[Change, ...] = ()
    """Oldest first."""
    gates: tuple[GateSummary, ...] = ()
    """Newest first."""
