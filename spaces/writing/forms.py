"""The forms of briefs, and which constraints suit each. Their order is part of the rules.

A recipe is a kind of constraint with the values it may take. Recipes of one group would get in each
other's way (exactly 4 lines, exactly 3 sentences), so a brief takes at most one of each group.
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


class Recipe(msgspec.Struct, frozen=True):
    group: str
    choices: tuple[Constraint, ...]


class Form(msgspec.Struct, frozen=True):
    id: FormId
    asks: str
    """Completes "Write …"."""
    char_limit: int
    recipes: tuple[Recipe, ...]


def _lengths(*bounds: tuple[int, int]) -> Recipe:
    return Recipe("length", tuple(Words(low, high) for low, high in bounds))


def _shape(*choices: Constraint) -> Recipe:
    return Recipe("shape", choices)


_MENTION = Recipe("mention", tuple(Mention(word) for word in MENTIONS))
_SECOND = Recipe("second mention", _MENTION.choices)
_AVOID = Recipe("avoid", tuple(Avoid(words) for words in WORN))
_START = Recipe("opening", tuple(Starts(word) for word in OPENINGS))
_ENDING = Recipe("ending", (Ends("?"), Ends("!")))
_QUESTION = Recipe("ending", (Ends("?"),))

FORMS: tuple[Form, ...] = (
    Form(
        "tweet",
        "a post for social media",
        280,
        (
            _shape(Sentences(2), Sentences(3), Lines(2), Lines(3)),
            _lengths((15, 30), (20, 40)),
            _MENTION,
            _AVOID,
            _ENDING,
            Recipe("spice", (Hashtags(1), Hashtags(2), Number())),
        ),
    ),
    Form(
        "job-listing",
        "a job listing that makes people want to apply",
        700,
        (
            _shape(Title(), Bullets(3), Bullets(4)),
            _lengths((40, 70), (60, 100)),
            _MENTION,
            _AVOID,
            _QUESTION,
            Recipe("spice", (Number(),)),
        ),
    ),
    Form(
        "advert",
        "an advertisement",
        500,
        (
            _shape(Title(), Sentences(3), Sentences(4), Lines(3)),
            _lengths((25, 45), (40, 60)),
            _MENTION,
            _AVOID,
            _START,
            _ENDING,
            Recipe("spice", (Number(), Speech())),
        ),
    ),
    Form(
        "story",
        "a very short story with a beginning and an end",
        900,
        (
            _shape(Title(), Sentences(5), Sentences(7), Lines(3)),
            _lengths((60, 90), (80, 120)),
            _MENTION,
            _SECOND,
            _AVOID,
            _START,
            _QUESTION,
            Recipe("spice", (Speech(),)),
        ),
    ),
    Form(
        "poem",
        "a poem",
        500,
        (
            _shape(Lines(4), Lines(6), Lines(8), *(Acrostic(word) for word in ACROSTICS)),
            _lengths((20, 40), (25, 50)),
            _MENTION,
            _SECOND,
            _AVOID,
            _QUESTION,
        ),
    ),
    Form(
        "explanation",
        "an explanation that a child of ten understands",
        700,
        (
            _shape(Title(), Sentences(4), Sentences(5), Bullets(3)),
            _lengths((40, 70), (60, 90)),
            _MENTION,
            _AVOID,
            _QUESTION,
            Recipe("spice", (Number(), Speech())),
        ),
    ),
)
