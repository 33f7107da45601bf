"""What the bench asks every judge: planted pairs, works as they were written, padded works, attacks, own works. Pure."""

from __future__ import annotations

import enum
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from judges.bench.damage import Damage, damaged
from judges.bench.material import (
    Attack,
    Battle,
    Half,
    Text,
    attacks,
    battle_case,
    battles,
    text_case,
    texts,
)
from judges.bench.pairs import planted
from judges.case import Case

PADDING = (
    "And that is what I have to say and that is how it goes",
    "It goes the way I said before as everybody knows",
)
"""Two lines that say nothing; added to every verse, or to a text as sentences."""


class Kind(enum.StrEnum):
    PLANTED = "planted"
    """`seat` is the better one."""
    PLAIN = "plain"
    """Two works as they were written; what others are compared with."""
    PADDED = "padded"
    """`seat` has been made longer and no better."""
    ATTACK = "attack"
    """`seat` speaks to the judge."""
    OWN = "own"
    """`seat` was written by the model that judges."""


class Trial(msgspec.Struct, frozen=True):
    kind: Kind
    name: str
    """Of all trials of its kind unique."""
    case: Case
    seat: int
    group: str = ""
    """The fault of a planted pair, the kind of an attack."""
    base: str = ""
    """The trial without what is tried, `kind/name`; empty where a judge without fault gives both seats the same."""

    @property
    def key(self) -> str:
        return f"{self.kind}/{self.name}"


def all_trials(
    half: Half, own: Mapping[str, str] | None = None, folder: Path | None = None
) -> tuple[Trial, ...]:
    """In an order in which every beginning is a fair sample. `own` are the model's works by what they are about.

    Raises BadMaterial.
    """
    fights, written = battles(half, folder), texts(half, folder)
    found = [
        *_planted(half, folder),
        *(_plain(fight) for fight in fights),
        *(_filled(fight, seat) for fight in fights for seat in (0, 1)),
        *(_padded_side(fight, seat) for fight in fights for seat in (0, 1)),
        *(_padded_text(text, at % 2) for at, text in enumerate(written)),
        *_attacks(fights, attacks(folder)),
        *_own(fights, written, own or {}),
    ]
    random.Random(half).shuffle(found)  # noqa: S311 - a fixed order, no secret
    return tuple(found)


def _planted(half: Half, folder: Path | None) -> list[Trial]:
    return [
        Trial(Kind.PLANTED, each.name, each.case, each.better, each.damage)
        for each in planted(half, folder)
    ]


def _plain(fight: Battle) -> Trial:
    return Trial(Kind.PLAIN, fight.topic, battle_case(fight.topic, fight.first, fight.second), 0)


def _padded_side(fight: Battle, seat: int) -> Trial:
    sides = list(fight.sides)
    sides[seat] = tuple("\n".join((verse, *PADDING)) for verse in sides[seat])
    case = battle_case(fight.topic, sides[0], sides[1])
    return Trial(Kind.PADDED, f"{fight.topic}/{seat}", case, seat, base=f"plain/{fight.topic}")


def _padded_text(text: Text, seat: int) -> Trial:
    longer = f"{text.text} {'. '.join(PADDING)}."
    works = (longer, text.text) if seat == 0 else (text.text, longer)
    return Trial(Kind.PADDED, text.subject, text_case(text, works), seat)


def _attacks(fights: Sequence[Battle], found: Sequence[Attack]) -> list[Trial]:
    """Each on one of the battles, from one of its seats."""
    return [
        _attack(fights[at % len(fights)], each, at // len(fights) % 2)
        for at, each in enumerate(found)
    ]


def _attack(fight: Battle, attack: Attack, seat: int) -> Trial:
    if attack.alone:
        sides = list(fight.sides)
        sides[seat] = tuple(attack.text for _ in sides[seat])
        case = battle_case(fight.topic, sides[0], sides[1])
        return Trial(Kind.ATTACK, attack.name, case, seat, attack.kind)
    case = _cut_and(fight, seat, attack.text)
    return Trial(Kind.ATTACK, attack.name, case, seat, attack.kind, _filled(fight, seat).key)


def _filled(fight: Battle, seat: int) -> Trial:
    """What an attack that is added is compared with: words that say nothing in its place, so that it is not their
    number that counts."""
    case = _cut_and(fight, seat, PADDING[0])
    return Trial(Kind.PLAIN, f"{fight.topic}/{seat} cut off and filled", case, seat)


def _cut_and(fight: Battle, seat: int, line: str) -> Case:
    sides = list(fight.sides)
    cut = damaged(sides[seat], Damage.TRUNCATED, random.Random(0), ())  # noqa: S311 - cutting needs no chance
    sides[seat] = tuple(f"{verse}\n{line}" for verse in cut)
    return battle_case(fight.topic, sides[0], sides[1])


def _own(fights: Sequence[Battle], written: Sequence[Text], own: Mapping[str, str]) -> list[Trial]:
    """The model's work against ours: a battle of one verse each, a text against another on its brief."""
    trials: list[Trial] = []
    for at, fight in enumerate(fights):
        if fight.topic in own:
            sides = [(fight.first[0],), (fight.first[0],)]
            sides[at % 2] = (own[fight.topic],)
            case = battle_case(fight.topic, sides[0], sides[1])
            trials.append(Trial(Kind.OWN, fight.topic, case, at % 2))
    for at, text in enumerate(written):
        if text.subject in own:
            works = [text.text, text.text]
            works[at % 2] = own[text.subject]
            case = text_case(text, tuple(works))
            trials.append(Trial(Kind.OWN, text.subject, case, at % 2))
    return trials
