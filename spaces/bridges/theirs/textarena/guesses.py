"""Answers for a baseline that understands no game: read off what the game last offered.

Many games list what they would take ("Available Moves: '[0]', '[4]'"); a few whose moves never change
have them here. The rest is answered with some bracketed example from the messages, which may be
illegal: the arena's retry and forfeit then do their work.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

_OFFER = re.compile(
    r"(?:available|valid|legal|possible)[ a-z]*(?:moves|actions)[ a-z]*:(.*)", re.I | re.S
)
_TOKEN = re.compile(r"\[[^\[\]\n]{1,40}\]")

ALWAYS: Mapping[str, tuple[str, ...]] = {
    "ColonelBlotto": ("[A:10 B:5 C:5]", "[A:5 B:10 C:5]", "[A:7 B:7 C:6]"),
    "IteratedMatchingPennies": ("[heads]", "[tails]"),
    "IteratedPrisonersDilemma": ("[cooperate]", "[defect]"),
    "IteratedRockPaperScissors": ("[rock]", "[paper]", "[scissors]"),
    "IteratedTwoThirdsAverage": ("[0]", "[22]", "[33.3]", "[50]"),
    "PigDice": ("[roll]", "[hold]"),
    "Snake": ("[up]", "[down]", "[left]", "[right]"),
    "Surround": ("[up]", "[down]", "[left]", "[right]"),
}
"""Moves that are legal at any time, by the part of the id before the version."""


def guess(view: Mapping[str, Any], rng: random.Random) -> str:
    always = ALWAYS.get(view["game"].partition("-")[0])
    if always:
        return rng.choice(always)
    texts = [text for speaker, text in view["told"] if speaker == "Game"]
    for text in reversed(texts):
        offer = _OFFER.search(text)
        if offer:
            offered = _TOKEN.findall(offer[1])
            return rng.choice(offered) if offered else "[pass]"
    examples = [token for text in texts for token in _TOKEN.findall(text)]
    return rng.choice(examples) if examples else "[pass]"
