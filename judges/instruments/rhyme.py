"""The rhyme factor of Malmi et al.: the mean length, in vowels, of the longest rhyme each word ends.

Source: E. Malmi, P. Takala, H. Toivonen, T. Raiko, A. Gionis, "DopeLearning: A Computational Approach
to Rap Lyrics Generation", KDD 2016 (arXiv:1505.04771), section 3.2. A rhyme is an assonance: the same
vowels back from the end of two words, across word borders, whatever the consonants. Each word is
compared with the words before it within WINDOW; a word does not rhyme with itself, one shared vowel
is chance and counts as none, the two parts of a rhyme do not overlap, and a line that was said before
counts once. Ours: vowels from the CMU dictionary instead of eSpeak, so values are close to but not
comparable with theirs (their best artists reach about 1.2).
"""

from __future__ import annotations

from collections.abc import Sequence

from judges.instruments.pronounce import VowelsOf
from judges.instruments.words import words

WINDOW = 15
"""Words that are looked back; Malmi's value for English."""
SHORTEST = 2
"""Vowels that make a rhyme."""


def rhyme_factor_milli(text: str, vowels_of: VowelsOf, window: int = WINDOW) -> int:
    """The mean over all words with a vowel, in thousandths of a vowel; 0 for an empty text."""
    lengths = rhyme_lengths(text, vowels_of, window)
    return sum(lengths) * 1_000 // len(lengths) if lengths else 0


def rhyme_lengths(text: str, vowels_of: VowelsOf, window: int = WINDOW) -> list[int]:
    """For each word with a vowel, the vowels of the longest rhyme that it ends."""
    spoken = [(word, vowels_of(word)) for line in _fresh_lines(text) for word in line]
    spoken = [(word, vowels) for word, vowels in spoken if vowels]
    sounds = "".join(vowels for _, vowels in spoken)
    ends: list[int] = []
    for _, vowels in spoken:
        ends.append((ends[-1] if ends else 0) + len(vowels))
    names = [word for word, _ in spoken]
    return [_longest(names, sounds, ends, at, window) for at in range(len(names))]


def _fresh_lines(text: str) -> list[list[str]]:
    """Each line's words, in order, without the lines that repeat an earlier one."""
    lines = dict.fromkeys(tuple(words(line)) for line in text.split("\n"))
    return [list(line) for line in lines]


def _longest(names: Sequence[str], sounds: str, ends: Sequence[int], at: int, window: int) -> int:
    found = max(
        (
            _shared(sounds, ends[before], ends[at])
            for before in range(max(0, at - window), at)
            if names[before] != names[at]
        ),
        default=0,
    )
    return found if found >= SHORTEST else 0


def _shared(sounds: str, first: int, second: int) -> int:
    """How many vowels are the same back from two word ends; the later part stops at the earlier end."""
    length = 0
    for a, b in zip(reversed(sounds[:first]), reversed(sounds[first:second]), strict=False):
        if a != b:
            break
        length += 1
    return length
