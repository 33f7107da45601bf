"""Which battles among the house's own agents are hidden audits, which side is made worse, and how. Pure.

`judges.bench.gold` has battles that were written beforehand; who knows them, or hears how the house's agents really rap, tells
them from live ones. So the arena plants the faults in what its agents write themselves: topic, names, pace, words and the better
side are those of any battle, nobody can look a verse up, and nothing but the planted fault is left to see.

Everything follows from the arena's key and the session's id. Whoever has the key knows all audits.
"""

from __future__ import annotations

import hashlib
import hmac
import random
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import msgspec

from judges.bench.damage import Damage, damaged

KEY_BYTES = 32
SIDES = 2
_SHARE_BITS = 32

PLAIN_MILLI = (7_300, 6_000, 6_400, 7_800)
"""The reference of a side that plays as ever, for each line of the rubric `rap-battle/1`."""
FAULTY_MILLI: Mapping[Damage, tuple[int, int, int, int]] = MappingProxyType(
    {
        Damage.SHUFFLED: (2_300, 2_700, 5_700, 6_900),
        Damage.OFF_TOPIC: (7_300, 6_000, 4_400, 2_900),
        Damage.TRUNCATED: (2_500, 3_700, 4_300, 4_800),
        Damage.REPEATED: (1_800, 2_700, 2_800, 3_500),
        Damage.RHYME_BROKEN: (3_200, 6_000, 6_900, 7_700),
    }
)
"""The same of a side with each fault in all its verses; of one with it in some, in proportion.

What the four instrument-led families, and a fifth judge who finds everything even, give on the average to verses of the embedded
model with its rhyme sheets (27 November 2026: two battles, each side made worse in each way, 80 opinions, of which 79 have the
better side ahead). Against these references none of the 80 is slashed, and the mean skill is 0.13 (off topic) to 0.93 (repeated),
at the scale of a new court; with the fault in one or two verses of three, 382 of 384 (but for `off-topic`, which hardly shows then).
Few battles, and the same ones: another model is another matter, `audit_share = 0` until it is measured.
"""

ROUNDS = 3
"""Of a battle under the Space's default parameters; there are no audits of others."""
LEAST: Mapping[Damage, int] = MappingProxyType(
    {
        Damage.SHUFFLED: 1,
        Damage.OFF_TOPIC: ROUNDS,
        Damage.TRUNCATED: 1,
        Damage.REPEATED: 1,
        Damage.RHYME_BROKEN: ROUNDS,
    }
)
"""Verses that must have the fault at least, so that the better side is clearly ahead. One bad verse among good ones is as a small
model plays; three are not."""


class Plan(msgspec.Struct, frozen=True):
    """Of one audit."""

    worse: int
    """The seat that is made worse."""
    damage: Damage
    rounds: tuple[int, ...]
    """Those in which it is made worse, from 1 on, in order."""
    rng_seed: bytes

    def answer(self) -> tuple[int, ...]:
        """The sheet that judges are held against: by line of the rubric, then by seat."""
        return tuple(
            self._mean(good, bad) if seat == self.worse else good
            for good, bad in zip(PLAIN_MILLI, FAULTY_MILLI[self.damage], strict=True)
            for seat in range(SIDES)
        )

    def _mean(self, good: int, bad: int) -> int:
        """Of its verses."""
        count = len(self.rounds)
        return (count * bad + (ROUNDS - count) * good) // ROUNDS

    def topic(self, topic: str, topics: Sequence[str]) -> str:
        """What the worse side raps about: another of `topics` where its fault is to be off topic, the same one all battle long."""
        if self.damage is not Damage.OFF_TOPIC:
            return topic
        others = [each for each in topics if each != topic]
        return random.Random(self.rng_seed).choice(others)  # noqa: S311 - the secret is the seed

    def spoiled(self, verse: str, round_: int) -> str:
        """The worse side's verse of a round, with the fault; the same verse, the same fault."""
        if self.damage is Damage.OFF_TOPIC:
            return verse  # it was written so
        rng = random.Random(self.rng_seed + bytes([round_]))  # noqa: S311 - the secret is the seed
        return damaged([verse], self.damage, rng, [verse])[0]


def plan(key: bytes, session: str, share: float) -> Plan | None:
    """None: the session is no audit. `share`: of all sessions, 0 to 1."""
    digest = hmac.new(key, b"agon-audit/1|" + session.encode(), hashlib.sha256).digest()
    if int.from_bytes(digest[:4]) >= share * 2**_SHARE_BITS:
        return None
    worse, damage, rng_seed = digest[4] % SIDES, tuple(LEAST)[digest[5] % len(LEAST)], digest[8:]
    rng = random.Random(rng_seed)  # noqa: S311 - the secret is the seed
    count = rng.randint(LEAST[damage], ROUNDS)
    return Plan(worse, damage, tuple(sorted(rng.sample(range(1, ROUNDS + 1), count))), rng_seed)
