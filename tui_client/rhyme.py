"""Which bars rhyme, by ear of a spelling: a key for the sound of a line's end.

English spelling hides its sounds, so this is a heuristic: the letters from the last stressed vowel
group on, with common spellings of one sound folded together. It colours a spectator's screen; the
rhyme that counts as evidence is computed from pronunciations, elsewhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_VOWELS = re.compile(r"[aeiouy]+")

# Whole endings whose spelling says little about the sound. The first that fits counts.
_ENDINGS: tuple[tuple[str, str], ...] = (
    ("eight", "AYt"), ("aight", "AYt"), ("ought", "AWt"), ("aught", "AWt"),
    ("ough", "OH"), ("eigh", "AY"), ("ight", "IYt"), ("igh", "IY"), ("tion", "shun"),
    ("sion", "shun"), ("alk", "AWk"), ("awk", "AWk"), ("old", "OHld"), ("ind", "IYnd"),
    ("ild", "IYld"), ("all", "AWl"), ("awl", "AWl"), ("aul", "AWl"), ("one", "OHn"),
    ("ome", "OHm"), ("ayd", "AYd"), ("earnd", "ERnd"), ("earn", "ERn"), ("ead", "Ed"),
    ("ey", "AY"), ("ay", "AY"), ("ow", "OH"), ("aw", "AW"),
    ("ew", "OO"), ("ue", "OO"), ("oo", "OO"), ("ie", "IY"), ("ye", "IY"),
)  # fmt: skip

_EXCEPTIONS = {
    "you": "OO", "to": "OO", "do": "OO", "who": "OO", "two": "OO", "through": "OO", "shoe": "OO",
    "they": "AY", "key": "EE", "the": "uh", "one": "Un", "done": "Un", "none": "Un", "won": "Un",
    "come": "Um", "some": "Um", "how": "OW", "now": "OW", "cow": "OW", "brow": "OW", "crown": "OWn",
    "town": "OWn", "down": "OWn", "brown": "OWn", "clown": "OWn", "enough": "Uf", "rough": "Uf",
    "tough": "Uf", "though": "OH", "bread": "Ed", "dead": "Ed", "head": "Ed", "lead": "Ed",
    "read": "EEd", "bead": "EEd", "said": "Ed", "been": "in", "love": "Uv", "above": "Uv", "glove": "Uv",
    "crew": "OO", "blood": "Ud", "flood": "Ud", "good": "UUd", "could": "UUd", "would": "UUd",
    "should": "UUd", "i": "IY", "eye": "IY", "buy": "IY", "have": "av", "rhyme": "IYm", "are": "ar",
    "pain": "AYn", "again": "en", "money": "Un-EE", "honey": "Un-EE", "mic": "IYk",
    "great": "AYt", "break": "AYk", "steak": "AYk",
    "heart": "art", "word": "ERd", "heard": "ERd", "world": "ERld", "war": "or", "your": "or",
}  # fmt: skip

_LONG = {"a": "AY", "e": "EE", "i": "IY", "o": "OH", "u": "OO", "y": "IY"}
_GROUPS = {
    "ai": "AY", "ei": "AY", "ee": "EE", "ea": "EE", "oa": "OH", "oe": "OH", "oo": "OO", "ou": "OW",
    "ow": "OW", "ui": "OO", "eu": "OO", "au": "AW", "oi": "OY", "oy": "OY", "ie": "EE", "y": "i",
}  # fmt: skip
_CONSONANTS = (
    ("tch", "ch"), ("dge", "j"), ("ck", "k"), ("ph", "f"), ("gh", ""), ("mb", "m"), ("mn", "m"),
    ("ss", "s"), ("ll", "l"), ("tt", "t"), ("ff", "f"), ("zz", "z"), ("nn", "n"), ("dd", "d"),
    ("gg", "g"), ("pp", "p"), ("bb", "b"), ("rr", "r"), ("mm", "m"), ("q", "k"), ("c", "k"), ("x", "ks"),
)  # fmt: skip
_UNSTRESSED = ("ings", "ing", "ers", "er", "ies", "ied", "y", "le", "les", "en", "ow")


def last_word(line: str) -> str:
    """The last word of a line, as it is written; empty when there is none."""
    words: list[str] = _WORD.findall(line)
    return words[-1] if words else ""


def sound(word: str) -> str:
    """A key: words with equal keys (should) rhyme; empty when the word has no sound to match."""
    plain = unicodedata.normalize("NFKD", word.casefold())
    letters = "".join(c for c in plain if "a" <= c <= "z")
    if not letters:
        return ""
    return _EXCEPTIONS.get(letters) or _weak_ending(letters) or _tail(letters)


def _weak_ending(word: str) -> str:
    """The key of a word that ends on an unstressed syllable: both of its last syllables count."""
    for ending in _UNSTRESSED:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 1 and _VOWELS.search(stem.rstrip("aeiouy") or ""):
            sounded = _tail(stem.removesuffix("e"))
            return f"{sounded}-{_weak(ending)}"
    return ""


def _weak(ending: str) -> str:
    return {"ies": "EEz", "ied": "EEd", "y": "EE"}.get(ending, ending)


def _tail(word: str) -> str:
    """From the last sounded vowel group to the end."""
    word, plural = _without_plural(word)
    word = re.sub(r"(?<=[aeiouylrnwkgpsv])ed$", "d", word) if len(word) > 4 else word
    for spelled, heard in _ENDINGS:
        if word.endswith(spelled):
            return heard + plural
    magic = re.search(r"([aeiouy])([bcdfgklmnprstvz]|th|st|ng)e$", word)
    if magic:
        coda = {"c": "s", "g": "j"}.get(magic[2], magic[2])
        return _LONG[magic[1]] + coda + plural
    groups = list(_VOWELS.finditer(word))
    if not groups:
        return word + plural
    vowel, coda = groups[-1][0], word[groups[-1].end() :]
    if not coda and len(vowel) == 1:
        heard = "IY" if vowel == "y" else _LONG[vowel]  # go, me, fly
        return heard + plural
    if vowel in ("e", "i", "u") and coda.startswith("r"):
        return "ER" + _coda(coda[1:]) + plural  # burst, first, verse
    return _GROUPS.get(vowel, vowel[-1]) + _coda(coda) + plural


def _without_plural(word: str) -> tuple[str, str]:
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1], "s"
    return word, ""


def _coda(letters: str) -> str:
    for spelled, heard in _CONSONANTS:
        letters = letters.replace(spelled, heard)
    return letters


def schemes(verses: Sequence[Sequence[str]]) -> list[list[str]]:
    """The rhyme scheme of each verse: a letter a line, or "" where the line's end rhymes with none.

    Lines rhyme within their verse; a sound keeps its letter over all verses, in order of appearance.
    """
    letters: dict[str, str] = {}
    found: list[list[str]] = []
    for verse in verses:
        keys = [sound(last_word(line)) for line in verse]
        rhyming = {key for key in keys if key and keys.count(key) > 1}
        for key in keys:
            if key in rhyming:
                letters.setdefault(key, chr(ord("a") + len(letters) % 26))
        found.append([letters[key] if key in rhyming else "" for key in keys])
    return found
