"""Battles whose better side is known before they are judged, to try a panel out. Pure. Hidden audits in live cases plant the same
faults in what the house's own agents write (`judges.bench.planted`).

Good as an audit only as long as nobody can tell such a battle from a live one. The battles of this repository are
public: a judge who keeps them can look every verse up. An arena that audits in earnest writes its own
(`battles-tuning.toml` and `battles-reported.toml` in a folder, in the same form) and names the folder.

The reference scores are what a panel of the instrument-led families and a judge who finds everything even gives on
the average to such work, on the tuning half (27 November 2026); single battles lie about a point around it on
a line, on `topic` nearly two. Whoever holds judges against them allows for that.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from judges.bench.damage import Damage, damaged
from judges.bench.material import HALVES, BadMaterial, Battle, battle_case, battles
from judges.case import Case

WRITTEN_MILLI = (7_100, 7_200, 5_400, 6_800)
"""The reference of a side as it was written, for each line of the rubric `rap-battle/1`."""
FAULTY_MILLI: Mapping[Damage, tuple[int, int, int, int]] = MappingProxyType(
    {
        Damage.SHUFFLED: (2_100, 3_700, 5_600, 6_700),
        Damage.OFF_TOPIC: (7_300, 7_200, 4_800, 3_700),
        Damage.TRUNCATED: (2_300, 4_900, 3_900, 5_100),
        Damage.REPEATED: (1_200, 2_600, 2_500, 2_600),
        Damage.RHYME_BROKEN: (3_000, 7_300, 6_000, 7_100),
    }
)
"""The same of a side with each fault."""


class Gold(msgspec.Struct, frozen=True):
    topic: str
    """A parameter of the Space."""
    verses: tuple[tuple[str, str], ...]
    """For each round what each seat plays; every verse is legal under the Space's default parameters."""
    damage: Damage
    better: int
    """The seat that must win."""
    scores_milli: tuple[tuple[int, int], ...]
    """The reference, for each rubric line and seat."""

    @property
    def case(self) -> Case:
        """As `judges.case.case_of` makes it of the played session."""
        return battle_case(
            self.topic,
            tuple(first for first, _ in self.verses),
            tuple(second for _, second in self.verses),
        )


def gold_case(rng_seed: bytes | str | int, folder: Path | None = None) -> Gold:
    """A battle drawn by the seed, with one of its sides damaged: the same seed, the same battle.

    Keep the seed secret until the hearing is over. Raises BadMaterial; a folder needs two battles at least.
    """
    fights = _fights(folder)
    rng = random.Random(rng_seed)  # noqa: S311 - the secret is the seed
    at, worse = rng.randrange(len(fights)), rng.randrange(2)
    damage = rng.choice(tuple(Damage))
    battle = fights[at]
    other = rng.choice([each for each in fights if each is not battle])
    sides = list(battle.sides)
    sides[worse] = damaged(sides[worse], damage, rng, other.sides[worse])
    better = 1 - worse
    bad = FAULTY_MILLI[damage]
    return Gold(
        topic=battle.topic,
        verses=tuple(zip(sides[0], sides[1], strict=True)),
        damage=damage,
        better=better,
        scores_milli=tuple(
            (good, ill) if better == 0 else (ill, good)
            for good, ill in zip(WRITTEN_MILLI, bad, strict=True)
        ),
    )


@functools.lru_cache(maxsize=4)
def _fights(folder: Path | None) -> tuple[Battle, ...]:
    found = tuple(battle for half in HALVES for battle in battles(half, folder))
    rounds = {len(battle.first) for battle in found}
    if len(found) < 2 or len(rounds) != 1:
        raise BadMaterial("gold needs two battles at least, all of as many rounds")
    return found
