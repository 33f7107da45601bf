"""`agon bot`: play a brain from the shelf from this terminal."""

from __future__ import annotations

from typing import Any

from bots import bridged
from bots.brains import BadSettings, make
from bots.hosted import BrainBot
from bots.play import run
from bots.signing import Signer

_LLM_NEEDS = {
    "url": "--llm-url or AGON_LLM_URL: an OpenAI-compatible server, …/v1",
    "model": "--model or AGON_LLM_MODEL: the model's name on that server",
}


def play_brain(
    *,
    space: str,
    brain: str,
    name: str,
    sessions: int,
    url: str,
    settings: dict[str, Any],
    enqueue: bool = True,
    signer: Signer | None = None,
) -> None:
    """Play `sessions` (0: until Ctrl-C) and return; without `enqueue` those that the agent's automation
    enters. `settings` are the brain's; empty ones are left out.

    Raises BadSettings, and BotError for a bridged game that cannot be had; what goes wrong while playing ends the program as `bots.run` says.
    """
    if brain == "llm":
        _check_llm(settings)
    given = {key: value for key, value in settings.items() if value}
    space = bridged.offer(space, brain)
    bot = BrainBot(make(brain, space, given))
    run(
        bot,
        space=space,
        name=name or brain.capitalize(),
        sessions=sessions or None,
        enqueue=enqueue,
        url=url,
        signer=signer,
    )


def _check_llm(settings: dict[str, Any]) -> None:
    missing = [words for key, words in _LLM_NEEDS.items() if not settings.get(key)]
    if missing:
        raise BadSettings(f"the llm brain wants {'; and '.join(missing)}")
