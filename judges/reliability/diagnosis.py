"""One judge's reliability, in numbers that can be published: how often it is right, between what and what, and how it errs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec

from judges.reliability.labels import LABELS, Heard, answers
from judges.reliability.yuma import clip

PPM = 1_000_000
Z = 1.96
LEAST_ANSWERS = 40
"""Of one judge: below that its accuracy is not told, only how many it has."""


class Diagnosis(msgspec.Struct, frozen=True):
    """Millionths. Everything is relative to what the whole history takes for true."""

    judge: str
    answers: int
    accuracy_ppm: int | None
    """How often it says what is taken for true; None: too few answers."""
    low_ppm: int | None
    high_ppm: int | None
    """Of the accuracy: 95 %, Wilson, as if each hearing's answers were one and a half: those of one sheet hang together."""
    confusion_ppm: tuple[tuple[int, ...], ...]
    """By what is taken for true (first, second, tie), then by what it says; rows add up to about a million."""
    trust_ppm: int
    """Mean over its hearings: what Yuma's clipping leaves of its points. A comparison, no part of any rule."""


def diagnose(hearings: Sequence[Heard], tie_milli: int = 1) -> dict[str, Diagnosis]:
    """By judge, for all that have an answer; empty without any. Raises `judges.reliability.labels.BadHearing`."""
    said = list(answers(hearings, tie_milli))
    if not said:
        return {}
    import numpy as np  # late: who only serves what was computed before does not pay for it

    from judges.reliability.dawid_skene import fit

    tasks, judges = _numbered(each.task for each in said), _numbered(each.judge for each in said)
    found = fit(
        np.asarray([tasks[each.task] for each in said], np.int64),
        np.asarray([judges[each.judge] for each in said], np.int64),
        np.asarray([each.label for each in said], np.int64),
        len(LABELS),
    )
    trusts = _trusts(hearings)
    heard = _hearings_of(hearings)
    right = dict.fromkeys(judges, 0.0)
    count = dict.fromkeys(judges, 0)
    for each in said:
        right[each.judge] += float(found.truth[tasks[each.task], each.label])
        count[each.judge] += 1
    return {
        judge: _diagnosis(
            judge,
            right[judge],
            count[judge],
            heard[judge],
            found.confusion[at].tolist(),
            trusts[judge],
        )
        for judge, at in judges.items()
    }


def _diagnosis(
    judge: str, right: float, count: int, hearings: int, confusion: list[list[float]], trust: int
) -> Diagnosis:
    accuracy = low = high = None
    if count >= LEAST_ANSWERS:
        share = right / count
        accuracy = round(share * PPM)
        low, high = wilson(share, min(count, 1.5 * hearings))
    table = tuple(tuple(round(each * PPM) for each in row) for row in confusion)
    return Diagnosis(judge, count, accuracy, low, high, table, trust)


def wilson(share: float, of: float) -> tuple[int, int]:
    """The 95 % interval of a share of so many, in millionths."""
    middle = share + Z * Z / (2 * of)
    half = Z * math.sqrt(share * (1 - share) / of + Z * Z / (4 * of * of))
    whole = 1 + Z * Z / of
    return (
        max(0, math.floor((middle - half) / whole * PPM)),
        min(PPM, math.ceil((middle + half) / whole * PPM)),
    )


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: at for at, name in enumerate(dict.fromkeys(names))}


def _hearings_of(hearings: Sequence[Heard]) -> dict[str, int]:
    found: dict[str, int] = {}
    for heard in hearings:
        for judge in heard.sheets:
            found[judge] = found.get(judge, 0) + 1
    return found


def _trusts(hearings: Sequence[Heard]) -> dict[str, int]:
    trusts: dict[str, list[int]] = {}
    for heard in hearings:
        if heard.sheets:
            clipped = clip(list(heard.sheets.values()))
            for judge, trust in zip(heard.sheets, clipped.trust_ppm, strict=True):
                trusts.setdefault(judge, []).append(trust)
    return {judge: sum(each) // len(each) for judge, each in trusts.items()}


def published(diagnosis: Diagnosis) -> dict[str, object]:
    """As `JudgeView.reliability` has it: what screens show as it stands first, then the table. Without floats."""
    figures: dict[str, object] = {"accuracy": "too few answers yet"}
    if diagnosis.accuracy_ppm is not None:
        figures = {
            "accuracy": _share(diagnosis.accuracy_ppm),
            "interval": f"{_share(diagnosis.low_ppm)}-{_share(diagnosis.high_ppm)}",
        }
    return {
        **figures,
        "answers": diagnosis.answers,
        "yuma_trust": _share(diagnosis.trust_ppm),
        "method": "dawid-skene",
        "confusion_ppm": [list(row) for row in diagnosis.confusion_ppm],
    }


def _share(ppm: int | None) -> str:
    return f"{(ppm or 0) / PPM:.2f}"
