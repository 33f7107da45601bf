"""How often a text swears: shown, never scored; a battle may be rude. Pure.

A list of our own, short on purpose: words that are profane in nearly every use, in English, with their forms
and with letters written as digits and signs. Words with a decent meaning (`cock`, `dick`, `hell`) are not in it, and slurs
are found by their stems. What it overlooks it overlooks for every seat.
"""

from __future__ import annotations

import re

from judges.instruments.words import words

_LEET = str.maketrans({"@": "a", "$": "s", "0": "o", "1": "i", "3": "e", "!": "i"})
_SIGNED = re.compile(r"(?<=[a-z])[@$01345!]|[@$01345!](?=[a-z])", re.IGNORECASE)
_STARRED = re.compile(r"\b(?:f\*+c?k|sh?\*+t|b\*+ch|c\*+nt|a\*+hole)\w*", re.IGNORECASE)
_STEMS = re.compile(
    r"(?:mother|clusterf|bull|horse|dumb|jack)?(?:fuck|shit|cunt|wank|bollock|arsehole|asshole|bitch|bastard|piss|twat|motherf|goddamn|dickhead|prick|slut|whore|nigg[ae]|fagg?ot|retard)"
    r"(?:s|es|ed|er|ers|in|in'|ing|y|ty|ted|ting|face|head|heads|hole|wit)?"
)


def swearing(text: str) -> list[str]:
    """The words, as they stand or as they are meant."""
    plain = _SIGNED.sub(lambda sign: sign[0].translate(_LEET), text)
    found = [word for word in words(plain) if _STEMS.fullmatch(word)]
    return found + [match.lower() for match in _STARRED.findall(text)]


def swearing_milli(text: str) -> int:
    """How many of a hundred words, in thousandths; 0 for a text without a word."""
    count = len(words(text))
    return len(swearing(text)) * 100_000 // count if count else 0
