"""The forms of briefs, and which constraints suit each. Their order is part of the rules.

A recipe is a choice of constraints of which a brief takes at most one: those of one recipe would get in
each other's way (exactly 4 lines, exactly 3 sentences) or say the same twice.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from spaces.writing.constraints import (
    Acrostic,
    Avoid,
    Bullets,
    Constraint,
    Ends,
    Hashtags,
    Lines,
    Mention,
    Number,
    Sentences,
    Speech,
    Starts,
    Title,
    Words,
)
from spaces.writing.vocabulary import ACROSTICS, MENTIONS, OPENINGS, WORN

FormId = Literal["tweet", "job-listing", "advert", "story", "poem", "explanation"]


Recipe = tuple[Constraint, ...]


class Form(msgspec.Struct, frozen=True):
    id: FormId
    noun: str
    """With its article: `a poem`."""
    hint: str
    """One sentence on what makes a good one."""
    char_limit: int
    recipes: tuple[Recipe, ...]


def _lengths(*bounds: tuple[int, int]) -> Recipe:
    return tuple(Words(low, high) for low, high in bounds)


_MENTION: Recipe = tuple(Mention(word) for word in MENTIONS)
_AVOID: Recipe = tuple(Avoid(words) for words in WORN)
_START: Recipe = tuple(Starts(word) for word in OPENINGS)
_QUESTION: Recipe = (Ends("?"),)
_ENDING: Recipe = (Ends("?"), Ends("!"))

FORMS: tuple[Form, ...] = (
    Form(
        "tweet",
        "a social media post",
        "It makes people stop scrolling.",
        280,
        (
            (Sentences(2), Sentences(3), Lines(2), Lines(3)),
            _lengths((15, 30), (20, 40)),
            _MENTION,
            _AVOID,
            _ENDING,
            (Hashtags(1), Hashtags(2), Number()),
        ),
    ),
    Form(
        "job-listing",
        "a job listing",
        "It says what the work is and makes people want it.",
        700,
        (
            (Title(), Bullets(3), Bullets(4)),
            _lengths((40, 70), (60, 100)),
            _MENTION,
            _AVOID,
            _QUESTION,
            (Number(),),
        ),
    ),
    Form(
        "advert",
        "an advertisement",
        "It makes people want it, without empty praise.",
        500,
        (
            (Title(), Sentences(3), Sentences(4), Lines(3)),
            _lengths((25, 45), (40, 60)),
            _MENTION,
            _AVOID,
            _ENDING,
            (Number(), Speech()),
        ),
    ),
    Form(
        "story",
        "a very short story",
        "Something happens in it, and it has an end.",
        900,
        (
            (Sentences(5), Sentences(7), Lines(3)),
            _lengths((60, 90), (80, 120)),
            _MENTION,
            _MENTION,
            _AVOID,
            _START,
            _QUESTION,
            (Speech(),),
        ),
    ),
    Form(
        "poem",
        "a poem",
        "It need not rhyme; it must be worth reading twice.",
        500,
        (
            (Lines(4), Lines(6), Lines(8), *(Acrostic(word) for word in ACROSTICS)),
            _lengths((20, 40), (25, 50)),
            _MENTION,
            _MENTION,
            _AVOID,
            _QUESTION,
        ),
    ),
    Form(
        "explanation",
        "an explanation",
        "A child of ten understands it, and it is right.",
        700,
        (
            (Title(), Sentences(4), Sentences(5), Bullets(3)),
            _lengths((40, 70), (60, 90)),
            _MENTION,
            _AVOID,
            _QUESTION,
            (Number(), Speech()),
        ),
    ),
)
