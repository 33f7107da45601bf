"""What hosted agents may be made of at this arena: the Spaces on offer, the brains, the models."""

from __future__ import annotations

from bots import brains
from server.agents.limits import Limits
from server.agents.spec import Shelf
from server.config import Config
from spaces import registry


def shelf_of(config: Config) -> Shelf:
    """As of now: a Space that cannot be loaded is withdrawn."""
    models = dict.fromkeys((config.llm_model, *config.llm_models))
    return Shelf(
        spaces={space.id: space.prompt_limit for space in registry.offered()},
        brains=brains.playing(),
        models=tuple(model for model in models if model),
    )


def limits_of(config: Config) -> Limits:
    return Limits(config.agents_per_account, config.versions_per_day)
