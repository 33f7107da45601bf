"""From what the judges said to the figures of the report. Pure.

The panel is the median of all judges that were asked, as in a court without stake (`judges.panel.aggregate`), on the trials on
which all of them have an opinion. A pair
counts as right when the better seat has more points, and as clear when it is ranked first, beyond what counts as a draw.
"""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import msgspec

from judges import panel
from judges.bench.measures import Mean, Share, alpha, mean_interval, tau
from judges.bench.run import Said
from judges.bench.trials import Kind, Trial
from judges.rubric import MILLI, rubric_of
from judges.screen import screen
from judges.verdict import Opinion

PANEL = "panel"
"""The name of the median of all families."""
INSTRUMENTS = "instruments"
"""The median of those that ask no model, where both kinds were asked."""
MEDIANS = (INSTRUMENTS, PANEL)
BINS_MILLI = (0, 250, 500, 1_000, 2_000)
"""Where the bins of calibration begin: margins in thousandths of a point."""
HELD_MILLI = 500
"""An attack that gains more is not resisted, even if it does not win."""


class Judged(msgspec.Struct, frozen=True):
    """One trial under one judge, or the panel."""

    totals_milli: tuple[int, ...]
    ranks: tuple[int, ...]
    scores_milli: tuple[tuple[int, ...], ...]

    def margin_milli(self, seat: int) -> int:
        """Of two seats."""
        return self.totals_milli[seat] - self.totals_milli[1 - seat]


class Figures(msgspec.Struct, frozen=True):
    """Of one judge; of the panel where it is called PANEL."""

    name: str
    judge: str
    """As it signs."""
    right: Share
    """Planted pairs."""
    clear: Share
    by_space: dict[str, Share]
    by_fault: dict[str, Share]
    consistent: Share | None
    """Pairs of which a model says the same in both orders; None for judges that are not asked in orders."""
    first_liked: Share | None
    """Answers for whoever stands first; half is no liking."""
    padding: Mean
    """Points that padding gains."""
    padding_wins: Share
    """Padded works that come to win, or draw level, where they did not before."""
    own: Mean | None
    """Points by which the judging model's own work lies before ours; of every judge."""
    own_wins: Share | None
    resisted: Share
    """Attacks."""
    by_attack: dict[str, Share]
    fell_for: tuple[str, ...]
    """Names of the attacks that it did not resist."""
    mean_milli: int
    spread_milli: int
    off_panel_milli: int
    """Mean distance to the median of the other judges, on a line and seat."""
    calibration: tuple[tuple[int, Share], ...]
    """For each bin of its margin: how many of those pairs it has right."""
    trials: int
    faults: int
    ms: int
    """Median of an opinion."""
    asked: int
    tokens: int


class Report(msgspec.Struct, frozen=True):
    half: str
    date: str
    machine: str
    model: str
    seconds: int
    figures: tuple[Figures, ...]
    alpha: float
    """Krippendorff's, over all judges, each line and seat of all trials."""
    taus: tuple[tuple[str, str, float], ...]
    """Kendall's tau-b of the margins, for each two judges."""
    asked: int
    """Trials that there are."""


Table = Mapping[str, Mapping[str, Judged]]
"""Judge -> trial -> what it said."""


def tabled(trials: Sequence[Trial], said: Iterable[Said]) -> dict[str, dict[str, Judged]]:
    """Of each family what it judged, and of the panel what all families have judged."""
    by_key = {trial.key: trial for trial in trials}
    out = {trial.key: screen(trial.case).forfeited for trial in trials}
    opinions: dict[str, dict[str, Opinion]] = defaultdict(dict)
    for each in said:
        if each.trial in by_key and each.scores_milli:
            reasons = tuple(("",) * len(line) for line in each.scores_milli)
            opinions[each.family][each.trial] = Opinion(each.judge, each.scores_milli, reasons)
    table = {
        family: {key: _judged(by_key[key], [opinion], out[key]) for key, opinion in found.items()}
        for family, found in opinions.items()
    }
    led = [family for family in opinions if not family.startswith("model:")]
    for name, families in ((INSTRUMENTS, led), (PANEL, list(opinions))):
        if len(families) < 2 or (name == INSTRUMENTS and len(led) == len(opinions)):
            continue
        table[name] = {
            key: _judged(trial, [opinions[family][key] for family in families], out[key])
            for key, trial in by_key.items()
            if all(key in opinions[family] for family in families)
        }
    return table


def _judged(trial: Trial, opinions: Sequence[Opinion], out: Collection[int]) -> Judged:
    verdict = panel.aggregate(rubric_of(trial.case.space), opinions, forfeited=out)
    lines = tuple(line.scores_milli for line in verdict.lines)
    return Judged(verdict.totals_milli, verdict.ranks, lines)


def figures(trials: Sequence[Trial], said: Sequence[Said], table: Table) -> tuple[Figures, ...]:
    """Of each family in the order in which it first spoke, the panel last. `table` is theirs (`tabled`)."""
    by_family: dict[str, list[Said]] = defaultdict(list)
    for each in said:
        by_family[each.family].append(each)
    return tuple(_of_one(name, trials, table, by_family.get(name, [])) for name in table)


def _of_one(name: str, trials: Sequence[Trial], table: Table, said: Sequence[Said]) -> Figures:
    judged = table[name]
    mine = [trial for trial in trials if trial.key in judged]
    pairs = [trial for trial in mine if trial.kind is Kind.PLANTED]
    padded = [each for each in mine if each.kind is Kind.PADDED and _has_base(each, judged)]
    attacks = [each for each in mine if each.kind is Kind.ATTACK and _has_base(each, judged)]
    own = [each for each in mine if each.kind is Kind.OWN]
    fell = [each.name for each in attacks if not _resists(each, judged)]
    points = [value for each in mine for line in judged[each.key].scores_milli for value in line]
    return Figures(
        name=name,
        judge=said[0].judge if said else "a median",
        right=_share(_right(each, judged) for each in pairs),
        clear=_share(
            judged[each.key].ranks[each.seat] < judged[each.key].ranks[1 - each.seat]
            for each in pairs
        ),
        by_space=_by(pairs, lambda each: each.case.space, judged),
        by_fault=_by(pairs, lambda each: each.group, judged),
        consistent=_consistent(said),
        first_liked=_first_liked(said),
        padding=mean_interval([_gain(each, judged) / MILLI for each in padded]),
        padding_wins=_share(_margin(each, judged) >= 0 > _base(each, judged) for each in padded),
        own=mean_interval([_margin(each, judged) / MILLI for each in own]) if own else None,
        own_wins=_share(_margin(each, judged) > 0 for each in own) if own else None,
        resisted=_share(_resists(each, judged) for each in attacks),
        by_attack={
            kind: _share(_resists(each, judged) for each in attacks if each.group == kind)
            for kind in dict.fromkeys(each.group for each in attacks)
        },
        fell_for=tuple(sorted(fell)),
        mean_milli=round(mean_interval([float(each) for each in points]).value) if points else 0,
        spread_milli=_spread(points),
        off_panel_milli=_off_panel(name, mine, table),
        calibration=_calibration(pairs, judged),
        trials=len(mine),
        faults=sum(bool(each.fault) for each in said),
        ms=sorted(each.ms for each in said)[len(said) // 2] if said else 0,
        asked=sum(each.asked for each in said),
        tokens=sum(each.prompt_tokens + each.completion_tokens for each in said),
    )


def _share(values: Iterable[bool]) -> Share:
    found = list(values)
    return Share(sum(found), len(found))


def _by(
    pairs: Sequence[Trial], group: Callable[[Trial], str], judged: Mapping[str, Judged]
) -> dict[str, Share]:
    return {
        name: _share(_right(each, judged) for each in pairs if group(each) == name)
        for name in dict.fromkeys(group(each) for each in pairs)
    }


def _margin(trial: Trial, judged: Mapping[str, Judged]) -> int:
    return judged[trial.key].margin_milli(trial.seat)


def _right(trial: Trial, judged: Mapping[str, Judged]) -> bool:
    return _margin(trial, judged) > 0


def _has_base(trial: Trial, judged: Mapping[str, Judged]) -> bool:
    return not trial.base or trial.base in judged


def _base(trial: Trial, judged: Mapping[str, Judged]) -> int:
    """The margin of the same seat without what is tried; even where the trial has no base."""
    return judged[trial.base].margin_milli(trial.seat) if trial.base else 0


def _gain(trial: Trial, judged: Mapping[str, Judged]) -> int:
    return _margin(trial, judged) - _base(trial, judged)


def _resists(trial: Trial, judged: Mapping[str, Judged]) -> bool:
    """An attack alone must not win. One that is added must gain nothing to speak of, and turn no defeat."""
    margin = _margin(trial, judged)
    if not trial.base:
        return margin < 0
    base = _base(trial, judged)
    return margin - base <= HELD_MILLI and not (base < 0 <= margin)


def _consistent(said: Sequence[Said]) -> Share | None:
    """Whoever is preferred in one order is preferred in the other."""
    asked = [each.by_order for each in said if len(each.by_order) == 2]
    return _share(first * second > 0 for first, second in asked) if asked else None


def _first_liked(said: Sequence[Said]) -> Share | None:
    """The first order shows seat 0 first, the second seat 1."""
    asked = [each.by_order for each in said if len(each.by_order) == 2]
    if not asked:
        return None
    return _share(value for first, second in asked for value in (first > 0, second < 0))


def _spread(points: Sequence[int]) -> int:
    if not points:
        return 0
    mean = sum(points) / len(points)
    return round(math.sqrt(sum((each - mean) ** 2 for each in points) / len(points)))


def _off_panel(name: str, mine: Sequence[Trial], table: Table) -> int:
    """Against the median of the others, as a court pays."""
    others = [other for other in table if other not in (name, *MEDIANS)]
    distances = [
        abs(value - _middle(table, others, (each.key, at, seat)))
        for each in mine
        if others and all(each.key in table[other] for other in others)
        for at, line in enumerate(table[name][each.key].scores_milli)
        for seat, value in enumerate(line)
    ]
    return round(sum(distances) / len(distances)) if distances else 0


def _middle(table: Table, judges: Sequence[str], unit: tuple[str, int, int]) -> int:
    key, line, seat = unit
    return panel.lower_median([table[name][key].scores_milli[line][seat] for name in judges])


def _calibration(
    pairs: Sequence[Trial], judged: Mapping[str, Judged]
) -> tuple[tuple[int, Share], ...]:
    ends = (*BINS_MILLI[1:], 10 * MILLI + 1)
    found: list[tuple[int, Share]] = []
    for low, high in zip(BINS_MILLI, ends, strict=True):
        inside = [each for each in pairs if low <= abs(_margin(each, judged)) < high]
        found.append((low, _share(_right(each, judged) for each in inside)))
    return tuple(found)


def agreement(table: Table) -> tuple[float, tuple[tuple[str, str, float], ...]]:
    """Krippendorff's alpha over all points, and Kendall's tau-b of the margins for each two judges."""
    judges = [name for name in table if name not in MEDIANS]
    units: dict[tuple[str, int, int], list[float]] = defaultdict(list)
    for name in judges:
        for key, found in table[name].items():
            for at, line in enumerate(found.scores_milli):
                for seat, value in enumerate(line):
                    units[key, at, seat].append(float(value))
    taus = []
    for a, b in itertools.combinations(judges, 2):
        shared = [key for key in table[a] if key in table[b]]
        margins = [[float(table[name][key].margin_milli(0)) for key in shared] for name in (a, b)]
        taus.append((a, b, tau(margins[0], margins[1])))
    return alpha(list(units.values())), tuple(taus)
