"""Why an agent cannot be trained, whatever it plays. Pure, less what Spaces are offered."""

from __future__ import annotations

from server.agents import spec as specs
from server.config import Config
from server.store.owned import OwnedAgent
from spaces import registry


def obstacle(agent: OwnedAgent, space: str, config: Config) -> str | None:
    """In words; None where there is nothing in the way."""
    spec = specs.read(agent.spec)
    if agent.frozen_ms is not None:
        return f"the agent is frozen: {agent.frozen_reason or 'no reason is given'}"
    if agent.archived_ms is not None:
        return "the agent is archived; take it out of the archive to let it learn"
    if agent.kind != "hosted":
        return "its owner's bot plays this agent: the arena has no weights of it to train"
    if spec.brain != "llm":
        return f"the brain {spec.brain} asks no model; only agents of the brain llm learn"
    if spec.model not in (None, config.training_base):
        return f"it plays by the model {spec.model}; this arena trains {config.training_base}"
    if (reason := specs.unplayed(agent.spec, space)) is not None:
        return reason
    if space not in {each.id for each in registry.offered()}:
        return f"{space} is not offered here"
    return None
