"""The families of judges by name: what `--family` takes, and what a judge declares in the court.

`model:leaning` and `model:scores` ask a model (`judges.llm`); the others are led by instruments
(`judges.led`) and ask nobody. No two of these go mainly by the same instrument: what fools one is no news to
the others.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from judges.judge import Judge
from judges.led.blend import BLEND
from judges.led.judge import Family, LedJudge
from judges.led.sound import SOUND
from judges.led.topic import TOPIC
from judges.led.words import WORDS

if TYPE_CHECKING:
    from judges.instruments.embedding import Vectors
    from judges.instruments.pronounce import VowelsOf

BUDGET_S = 120.0
"""For one opinion of a model, every question of it."""

LED: Mapping[str, Family] = MappingProxyType(
    {each.name: each for each in (SOUND, WORDS, TOPIC, BLEND)}
)
MODELS: Mapping[str, str] = MappingProxyType(
    {
        "model:leaning": "a model says which of two seats is better, weighed by its probabilities",
        "model:scores": "a model gives points with reasons; for models from about 7B",
    }
)
FAMILIES: Mapping[str, str] = MappingProxyType(
    {**MODELS, **{name: family.about for name, family in LED.items()}}
)
"""Name -> what it goes by, for people."""


class UnknownFamily(LookupError):
    """The text names the families there are."""


def judge_of(
    spec: str, *, url: str = "", model: str = "", api_key: str = "", budget_s: float = BUDGET_S
) -> Judge:
    """A judge of the family `spec`; its caller closes it (`aclose`).

    `url` (the base, `…/v1`), `model` and `api_key` are for families that ask a model; the others read the
    dictionary, and some the vectors, at the first such judge of a process: up to half a second, off a live event
    loop. Raises UnknownFamily, ValueError for a model family without `url`, and
    `judges.instruments.embedding.NoVectors` where those are not installed.
    """
    if spec in MODELS:
        if not url:
            raise ValueError(
                f"a judge of the family {spec} needs a model's URL, e.g. https://api.example/v1"
            )
        from judges.llm import ModelJudge, Style

        style = Style.SCORES if spec == "model:scores" else Style.LEANINGS
        return ModelJudge(url=url, model=model, api_key=api_key, style=style, budget_s=budget_s)
    family = LED.get(spec)
    if family is None:
        raise UnknownFamily(
            f"no family of judges is called {spec!r}; there are: {', '.join(FAMILIES)}"
        )
    return LedJudge(family, _dictionary(), _vectors() if family.embeds else None)


@functools.cache
def _dictionary() -> VowelsOf:
    from judges.instruments.pronounce import load_dictionary

    return load_dictionary()


@functools.cache
def _vectors() -> Vectors:
    from judges.instruments.embedding import load_vectors

    return load_vectors()
