"""Planted pairs: cases in which one of two seats has a fault, and it is known which. Pure.

In a battle the worse seat is one of its two sides, damaged; the other side stands as it was written, so the better seat is another
work than the worse one, as in live cases. In writing the worse seat is the same text, damaged.
"""

from __future__ import annotations

import random
from pathlib import Path

import msgspec

from judges.bench.damage import OF_PROSE, OF_VERSES, Damage, damaged
from judges.bench.material import (
    BadMaterial,
    Battle,
    Half,
    Text,
    battle_case,
    battles,
    text_case,
    texts,
)
from judges.case import Case

SEED = 20_261_127
"""Of the chance in every pair: shuffles, the other topic, in which seat the worse text stands."""


class Pair(msgspec.Struct, frozen=True):
    name: str
    """Of all pairs unique: `rap-battle/chess in the park/0/shuffled`."""
    damage: Damage
    case: Case
    better: int
    """The seat; there are two."""

    @property
    def space(self) -> str:
        return self.case.space


def planted(half: Half, folder: Path | None = None) -> tuple[Pair, ...]:
    """Every battle with each side damaged in each way, every text in each way. Raises BadMaterial."""
    fights, written = battles(half, folder), texts(half, folder)
    if min(len(fights), len(written)) < 2:
        raise BadMaterial(
            f"the half {half} needs two battles and two texts at least: one goes off to another's topic"
        )
    of_battles = [
        _battle_pair(fights, at, worse, damage)
        for at in range(len(fights))
        for worse in (0, 1)
        for damage in OF_VERSES
    ]
    of_texts = [
        _text_pair(written, at, damage) for at in range(len(written)) for damage in _of(written[at])
    ]
    return (*of_battles, *of_texts)


def _of(text: Text) -> tuple[Damage, ...]:
    """A poem of lines that rhyme can have them broken."""
    return OF_VERSES if text.form == "poem" else OF_PROSE


def _battle_pair(fights: tuple[Battle, ...], at: int, worse: int, damage: Damage) -> Pair:
    battle = fights[at]
    name = f"rap-battle/{battle.topic}/{worse}/{damage}"
    rng = random.Random(f"{SEED}/{name}")  # noqa: S311 - a reproducible draw, no secret
    other = fights[(at + 1 + rng.randrange(len(fights) - 1)) % len(fights)]
    sides = list(battle.sides)
    sides[worse] = damaged(sides[worse], damage, rng, other.sides[worse])
    return Pair(name, damage, battle_case(battle.topic, sides[0], sides[1]), 1 - worse)


def _text_pair(written: tuple[Text, ...], at: int, damage: Damage) -> Pair:
    text = written[at]
    name = f"writing/{text.subject}/{damage}"
    rng = random.Random(f"{SEED}/{name}")  # noqa: S311
    other = written[(at + 1 + rng.randrange(len(written) - 1)) % len(written)]
    (bad,) = damaged((text.text,), damage, rng, (other.text,))
    worse = rng.randrange(2)
    works = (bad, text.text) if worse == 0 else (text.text, bad)
    return Pair(name, damage, text_case(text, works), 1 - worse)
