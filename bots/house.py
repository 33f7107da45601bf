"""The agents that keep an empty arena alive: two bidders, two rappers."""

from __future__ import annotations

from bots.hosted import HostedAgent

FROSTBITE = (
    "You are Frostbite, a battle rapper from the far north. You are cold and calm and precise. "
    "You rap of ice, night and silence, and you freeze your rival with one quiet line."
)
EMBER = (
    "You are Ember, a battle rapper from the furnace town. You are hot and loud and quick. "
    "You rap of fire, drums and summer, and you burn your rival with a grin."
)


PACE_S = 1.0
REST_S = 4.0


def house_agents(
    llm_url: str, llm_model: str, llm_api_key: str = "", sessions: int | None = None
) -> tuple[HostedAgent, ...]:
    """Greedy and Dice for Bid Tac Toe, Frostbite and Ember for rap battles.

    `llm_url` is the base URL of an OpenAI-compatible server; empty leaves the rappers out.
    """
    bidders = (
        HostedAgent(
            name="Greedy",
            space="bid-tac-toe",
            brain="bidder",
            sessions=sessions,
            pace_s=PACE_S,
            rest_s=REST_S,
        ),
        HostedAgent(
            name="Dice",
            space="bid-tac-toe",
            brain="random",
            sessions=sessions,
            pace_s=PACE_S,
            rest_s=REST_S,
        ),
    )
    if not llm_url:
        return bidders
    server = {"url": llm_url, "model": llm_model, "api_key": llm_api_key}
    rappers = (("Frostbite", FROSTBITE, 0.75), ("Ember", EMBER, 0.95))
    return bidders + tuple(
        HostedAgent(
            name=name,
            space="rap-battle",
            brain="llm",
            settings={**server, "system": persona, "temperature": temperature},
            sessions=sessions,
            rest_s=REST_S,
        )
        for name, persona, temperature in rappers
    )
