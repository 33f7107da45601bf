"""Frostbite learns: trainings, a gate, a lineage. Made up, in the shapes of `owner.learning`."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import msgspec

from tui_client.owner import arena
from tui_client.owner.careers import Rating, Record, SpaceResults, Stats, Version, Versions, WinRate
from tui_client.owner.learning import (
    Change,
    Consent,
    DataCard,
    Eligibility,
    FirstAnswers,
    Gate,
    GateCard,
    GateMatch,
    GateSummary,
    Job,
    Learning,
    Lineage,
    Loss,
    Training,
)
from tui_client.recording.career import DAY_MS, FROSTBITE, RAP_BATTLE, RATINGS, WRITING
from tui_client.recording.cast import RAP, START_MS

replace = msgspec.structs.replace

_DIGITS = "abcdefghijklmnopqrstuvwxyz234567"


def cid(of: str) -> str:
    """What looks like a content id, of a raw block."""
    digest = hashlib.sha256(of.encode()).digest()
    return "bafkrei" + "".join(_DIGITS[digest[at % 32] * (at + 7) % 32] for at in range(52))


def curve(steps: int) -> tuple[Loss, ...]:
    """It falls, and scatters."""
    return tuple(
        Loss(step, round(1e6 * (0.9 + 1.6 * math.exp(-step / 45) + 0.12 * math.sin(step * 2.1))))
        for step in range(1, steps + 1, 2)
    )


def version(number: int) -> str:
    return f"{FROSTBITE}@v{number}"


PROMOTED, KEPT, RUNNING = "01KGATE00000000000000000003", "01KGATE00000000000000000004", "01KGATE00000000000000000005"  # fmt: skip
TRAINED = Job(
    "01KTRAIN000000000000000009", RAP_BATTLE, version(3), "schedule", "training", None, 41, 84, 240, curve(84)[-1].micro,
    curve(84), 372, "cpu", 231, created_ms=START_MS - 300_000,
)  # fmt: skip
GATED = replace(
    TRAINED, state="gating", step=240, curve=curve(240), eta_s=None, device_s=661, data=cid("data5"),
    manifest=cid("proof5"), adapter=cid("adapter5"), gate=RUNNING, loss_micro=curve(240)[-1].micro,
)  # fmt: skip
PAST = (
    replace(
        GATED, job="01KTRAIN000000000000000007", state="kept", gate=KEPT, ended_ms=START_MS - 3 * DAY_MS,
        data=cid("data4"), manifest=cid("proof4"), adapter=cid("adapter4"), created_ms=START_MS - 3 * DAY_MS - 4_000_000,
        reason="It scored 47.1% in 85 pairs of matches against the version that plays (95 % interval 40.9% to 53.4%; "
        "LLR -2.96 between -2.94 and +2.94): more like 50% than 60%, so it is not shown to be better.",
    ),
    Job("01KTRAIN000000000000000006", WRITING, version(3), "owner", "failed",
        "four starts in a row made no step: the device has no memory left for it", 40, 0, 160, device="cuda",
        device_s=44, created_ms=START_MS - 5 * DAY_MS, ended_ms=START_MS - 5 * DAY_MS + 900_000),
    replace(
        GATED, job="01KTRAIN000000000000000005", state="promoted", version=version(2), gate=PROMOTED,
        promoted=version(3), ended_ms=START_MS - 9 * DAY_MS, created_ms=START_MS - 9 * DAY_MS - 5_000_000,
        data=cid("data3"), manifest=cid("proof3"), adapter=cid("adapter3"),
    ),
)  # fmt: skip
WEEK = Consent(True, 7_200)
IDLE = Learning(
    WRITING, Consent(False, 3_600), 0, Eligibility(False, "12 of 40 scored sessions", 12, 40)
)


DATA = DataCard(
    {"sessions": 64, "undecided": 2, "turns": 384, "legal": 371, "examples": 302, "tokens": 61_240},
    {"players": ("agent-ember@v4",), "seeds": (), "sessions": tuple(map(cid, "abcdefgh"))},
)


def training(job: Job | None = TRAINED) -> Training:
    reason = "training 01KTRAIN000000000000000009 is under way; one at a time"
    here = Learning(RAP_BATTLE, WEEK, 1_352, Eligibility(False, reason, 41, 32), job)
    return Training(version(3), (here, IDLE), PAST)


def llr(pairs: int, end: float) -> tuple[int, ...]:
    """A walk that ends there."""
    return tuple(
        round(1_000 * (end * at / pairs + 0.5 * math.sin(at / 5) * (1 - at / pairs)))
        for at in range(1, pairs + 1)
    )


def gate(id_: str, candidate: int, current: int, pairs: int, end: float, score: int) -> Gate:
    walk = llr(pairs, end)
    test = "passed" if end >= 2.94 else "failed" if end <= -2.94 else "running"
    half = round(1_960 * 0.35 / math.sqrt(pairs))
    card = GateCard(
        id_, RAP_BATTLE, version(candidate), version(current), "running", pairs, 250, score, score - half,
        score + half, walk[-1], -2_944, 2_944, test,
    )  # fmt: skip
    matches = tuple(
        GateMatch(f"current.{pair}.{seat}", f"01KPLAYED{900 - 2 * pair:017d}", "scored", 2)
        for pair in range(4)
        for seat in "ab"
    )
    return Gate(card, walk, FirstAnswers(4 * pairs, 4 * pairs - 3), FirstAnswers(4 * pairs, 4 * pairs - 9), 0, 0, matches)  # fmt: skip


def ended(told: Gate, decision: str, *reasons: str) -> Gate:
    card = replace(told.card, status="ended", decision=decision, reasons=reasons)
    return replace(told, card=card, pool_pairs=40, pool_milli=31)


GATE = gate(RUNNING, 5, 3, 38, 1.62, 574)
PLAYED_NOW = replace(
    GATE, matches=(*GATE.matches, GateMatch("current.38.a", RAP), GateMatch("current.38.b", "01KPLAYED00000000000000777"))
)  # fmt: skip
GATES = {
    RUNNING: PLAYED_NOW,
    KEPT: ended(gate(KEPT, 4, 3, 85, -2.96, 471), "keep", PAST[0].reason or ""),
    PROMOTED: ended(
        gate(PROMOTED, 3, 2, 61, 3.02, 603), "promote",
        "It scored 60.3% in 61 pairs of matches against the version that plays (95 % interval 51.5% to 69.1%; LLR "
        "+3.02 between -2.94 and +2.94): more like 60% than 50%, so it is the better one.",
        "98.8% of its 244 first answers were valid, against 96.3% of 244: no loss is shown.",
    ),
}  # fmt: skip


def lineage(*, testing: bool = False) -> Lineage:
    lines = (Change("promoted", version(3), version(2), PROMOTED, START_MS - 9 * DAY_MS),)
    gates = (
        GateSummary(KEPT, RAP_BATTLE, "ended", version(4), version(3), "keep"),
        GateSummary(PROMOTED, RAP_BATTLE, "ended", version(3), version(2), "promote"),
    )
    running = GateSummary(RUNNING, RAP_BATTLE, "running", version(5), version(3))
    return Lineage(version(3), lines, (running, *gates) if testing else gates)


_RECORDS = {
    3: Record(52, 31, 2, 19, 0, WinRate(596, 461, 718)),
    2: Record(38, 18, 1, 19, 0, WinRate(474, 324, 627)),
    1: Record(9, 3, 0, 6, 0, WinRate(333, 121, 646)),
}


def stats(number: int) -> Stats:
    """Of one version, everywhere."""
    if number not in _RECORDS:
        return Stats(FROSTBITE, "Frostbite", version(number))
    rating: Rating = RATINGS[3 - number]
    rap = SpaceResults(RAP_BATTLE, _RECORDS[number], 7_640, (), rating)
    return Stats(FROSTBITE, "Frostbite", version(number), _RECORDS[number], (), (rap,))


def answers(*, testing: bool = False) -> dict[str, Any]:
    """What each path is answered with: a training runs, or its candidate is `testing`."""
    numbers = (5, 4, 3, 2, 1) if testing else (4, 3, 2, 1)
    made = {5: START_MS - 60_000, 4: START_MS - 3 * DAY_MS, 3: START_MS - 9 * DAY_MS - 60_000}
    versions = Versions(
        tuple(
            Version(version(number), number, made.get(number, START_MS - (30 - number) * DAY_MS))
            for number in numbers
        )
    )
    return {
        arena.training(FROSTBITE).path: training(GATED if testing else TRAINED),
        arena.lineage(FROSTBITE).path: lineage(testing=testing),
        arena.versions(FROSTBITE).path: versions,
        **{arena.data_card(cid(f"data{number}")).path: DATA for number in (3, 4, 5)},
        **{arena.gate(id_).path: told for id_, told in GATES.items()},
        **{arena.stats(FROSTBITE, version=number).path: stats(number) for number in numbers},
    }
