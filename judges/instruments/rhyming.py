"""Whether two words rhyme, where a line has its rhymes, and how even the lines are. Pure.

Definitions: H. Hirjee and D. G. Brown, "Using Automated Rhyme Detection to Characterize Rhyming Style in
Rap Music", Empirical Musicology Review 5(4), 2010: *line internals* are rhymes whose two parts stand in the
same line, counted per line; *syllable variation* is how the number of syllables varies over the lines. Ours: instead of
their log-odds of phonemes, two words rhyme when their last two vowels are the same, or, unless that is a weak one, their
last vowel and the consonants behind it (as spelled, with spellings of one sound folded); and variation is given relative to
the mean, so that long lines may vary more.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from judges.instruments.pronounce import VowelsOf
from judges.instruments.words import words

NEAR = 2
"""Lines up and down in which an end is looked for: couplets, alternate rhymes."""
BACK = 12
"""Stressed words of a line that are looked back: no ear, and no hostile line of a thousand words, needs more."""
_WORDS = (
    "a an the and or but of to in on at for with from by as is are was were be been am it its it's i me "
    "my he his him she her we us our they them their you your you're i'm that this than then so not no do "
    "does did has have had can will would could if"
)
UNSTRESSED = frozenset(_WORDS.split())
"""Words that carry no beat: inside a line they rhyme by chance."""

_SILENT = re.compile(r"(?<=[^aeiouy])e$|(?<=[aeiouy])(?:gh|w|h)$|(?<=[^t])ed$|es$")
_CODA = re.compile(r"[^aeiouy]*$")
_FOLDS = (
    ("ght", "t"), ("gh", ""), ("ck", "k"), ("ph", "f"), ("dge", "j"), ("x", "ks"), ("c", "k"), ("q", "k"), ("z", "s"), ("mb", "m"), ("wn", "n"),
)  # fmt: skip


def rhyme(a: str, b: str, vowels_of: VowelsOf) -> bool:
    """Whether two different lower case words do."""
    if _bare(a) == _bare(b):
        return False
    first, second = vowels_of(a), vowels_of(b)
    if not first or not second or first[-1] != second[-1]:
        return False
    if len(first) > 1 and first[-2:] == second[-2:]:
        return True
    return not _weak(first, a) and not _weak(second, b) and _coda(a) == _coda(b)


def end_rhymes(lines: Sequence[str], vowels_of: VowelsOf) -> list[tuple[str, str] | None]:
    """For each line, its last word and the last word of a line near it that rhymes; None without one."""
    ends = [(words(line) or [""])[-1] for line in lines]
    found: list[tuple[str, str] | None] = []
    for at, end in enumerate(ends):
        near = ends[max(0, at - NEAR) : at] + ends[at + 1 : at + 1 + NEAR]
        partner = next(
            (each for each in near if end and each and rhyme(end, each, vowels_of)), None
        )
        found.append((end, partner) if partner else None)
    return found


def internal_rhymes(line: str, vowels_of: VowelsOf) -> list[tuple[str, str]]:
    """Each stressed word of a line that rhymes with an earlier one of it, after the nearest such."""
    spoken = [word for word in words(line) if word not in UNSTRESSED]
    found: list[tuple[str, str]] = []
    for at, word in enumerate(spoken):
        before = reversed(spoken[max(0, at - BACK) : at])
        earlier = (each for each in before if rhyme(each, word, vowels_of))
        partner = next(earlier, None)
        if partner is not None:
            found.append((partner, word))
    return found


def internals_milli(text: str, vowels_of: VowelsOf) -> int:
    """Internal rhymes per line, in thousandths; lines that repeat an earlier one count as nothing."""
    lines = [line for line in text.split("\n") if words(line)]
    count = sum(len(internal_rhymes(line, vowels_of)) for line in dict.fromkeys(lines))
    return count * 1_000 // len(lines) if lines else 0


def syllables(line: str, vowels_of: VowelsOf) -> int:
    return sum(len(vowels_of(word)) for word in words(line))


def regularity_milli(text: str, vowels_of: VowelsOf) -> int:
    """1,000 less the standard deviation of the lines' syllables over their mean, in thousandths; 0 at the
    least, for fewer than two lines, and where there is no syllable."""
    counts = [syllables(line, vowels_of) for line in text.split("\n") if words(line)]
    mean = sum(counts) / len(counts) if counts else 0.0
    if len(counts) < 2 or not mean:
        return 0
    deviation = math.sqrt(sum((each - mean) ** 2 for each in counts) / len(counts))
    return max(0, round(1_000 * (1 - deviation / mean)))


def _weak(vowels: str, word: str) -> bool:
    """Whether a longer word's last vowel is one that is mostly unstressed there: hammer, bottle, garden, city."""
    return len(vowels) > 1 and (vowels[-1] in "uri" or (vowels[-1] == "E" and not _coda(word)))


def _bare(word: str) -> str:
    return word.strip("'")


def _coda(word: str) -> str:
    """The consonants behind the last vowel, near enough to how they sound."""
    spelled = _SILENT.sub("", _bare(word).removesuffix("'s"))
    found = _CODA.search(spelled)
    coda = found[0] if found else ""
    for letters, sound in _FOLDS:
        coda = coda.replace(letters, sound)
    return re.sub(r"(.)\1", r"\1", coda)
