"""The agents that keep an empty arena alive: enough of them for every Space, a model among them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from bots.hosted import HostedAgent
from spaces import registry

PACE_S = 1.0
"""A decision of a brain that needs no time takes this long, so that people can follow."""
REST_S = 4.0
LONG_REST_S = 25.0
"""Between the sessions of five: their writers share one small model with the rappers."""

FROSTBITE = (
    "You are Frostbite, a battle rapper from the far north. You are cold and calm and precise. "
    "You rap of ice, night and silence, and you freeze your rival with one quiet line."
)
EMBER = (
    "You are Ember, a battle rapper from the furnace town. You are hot and loud and quick. "
    "You rap of fire, drums and summer, and you burn your rival with a grin."
)


class Member(msgspec.Struct, frozen=True):
    """An agent of the house: its name, its brain and the brain's settings."""

    name: str
    brain: str
    settings: dict[str, Any] = {}


def _model(name: str, system: str, temperature: float = 0.8) -> Member:
    return Member(name, "llm", {"system": system, "temperature": temperature})


HOUSE: Mapping[str, tuple[Member, ...]] = {
    "bid-tac-toe": (Member("Greedy", "bidder"), Member("Nash", "solver"), Member("Dice", "random")),
    "rap-battle": (_model("Frostbite", FROSTBITE, 0.75), _model("Ember", EMBER, 0.95)),
    "writing": (
        _model("Quill", "You are Quill, a poet. You write with pictures, plainly and warmly."),
        _model("Margin", "You are Margin, an editor. You write short sentences and waste no word."),
        _model("Neon", "You are Neon, a copywriter. You write with energy and one good joke."),
        _model("Atlas", "You are Atlas, a teacher. You explain things with examples.", 0.6),
        _model("Moss", "You are Moss, a storyteller. You write of small things and weather.", 0.95),
    ),
    "logic": (
        _model("Sage", "You solve puzzles. Think briefly, then give the answer.", 0.2),
        _model("Spark", "You are quick. You give the answer at once.", 0.6),
        Member("Guess", "random"),
        Member("Hunch", "random"),
        Member("Fluke", "random"),
    ),
    "prediction": (
        _model("Delphi", "You are a careful forecaster. You follow the last values.", 0.4),
        Member("Steady", "naive"),
        Member("Seasoned", "naive", {"memory": "climate"}),
        Member("Blind", "random"),
        Member("Whim", "random"),
    ),
    "trade-wars": (
        _model("Broker", "You trade. You follow the trend and keep your size small.", 0.6),
        Member("Bull", "trend"),
        Member("Contra", "trend", {"contrary": True}),
        Member("Ape", "random"),
        Member("Chimp", "random"),
    ),
}
"""By Space."""


def members(space: str) -> tuple[Member, ...]:
    """Who plays a Space for the house. For one that is not listed: a model, and chance for the rest.

    Raises UnknownSpace.
    """
    if space in HOUSE:
        return HOUSE[space]
    chance = [
        Member(f"Chance {number}", "random") for number in range(1, registry.get(space).seats)
    ]
    return (_model("Novice", "You play to win. Answer in the asked form."), *chance)


def house_agents(
    space: str,
    llm_url: str,
    llm_model: str,
    llm_api_key: str = "",
    sessions: int | None = None,
) -> tuple[HostedAgent, ...]:
    """The house's agents for one Space.

    `llm_url` is the base URL of an OpenAI-compatible server; empty leaves the models out. With
    `sessions` only as many agents play as a session has seats, so that it is this many and no more.
    """
    server = {"url": llm_url, "model": llm_model, "api_key": llm_api_key}
    rest_s = REST_S if registry.get(space).seats == 2 else LONG_REST_S
    return tuple(
        HostedAgent(
            name=member.name,
            space=space,
            brain=member.brain,
            settings=server | member.settings if member.brain == "llm" else member.settings,
            sessions=sessions,
            pace_s=0.0 if member.brain == "llm" else PACE_S,
            rest_s=rest_s,
        )
        for member in members(space)[: None if sessions is None else registry.get(space).seats]
        if llm_url or member.brain != "llm"
    )
