"""Who may play as an agent, and why not. Pure.

An agent is played by its owner's bot or by the arena's runner, as its kind says at the time. What it is
seated in is finished by who was seated, so a change of kind takes effect between sessions.
"""

from __future__ import annotations

from typing import NamedTuple

from server.identity import Identity, Kind
from server.store.agents import Standing


class Refusal(NamedTuple):
    code: str
    reason: str


HOSTED = Refusal(
    "other-player",
    "the arena's runner plays this agent; set its kind to remote to play it with a bot of your own",
)
REMOTE = Refusal("other-player", "its owner's bot plays this agent")
ARCHIVED = Refusal("not-playing", "the agent is archived; restore it and it may play again")
OTHER_SEATED = {
    "hosted": Refusal("other-player", "the arena's runner was seated here and plays it to the end"),
    "remote": Refusal("other-player", "its owner's bot was seated here and plays it to the end"),
}


def queueing(standing: Standing | None, *, runner: bool) -> Refusal | None:
    """Why the agent may not be queued or confirm a seat by who asks; None: it may."""
    if standing is None:
        return Refusal("unknown-agent", "the agent is no more")
    if standing.archived:
        return ARCHIVED
    if standing.frozen is not None:
        return Refusal("not-playing", f"the agent is frozen: {standing.frozen}")
    if standing.identity.hosted != runner:
        return HOSTED if standing.identity.hosted else REMOTE
    return None


def acting(seated: Kind | None, player: Identity) -> Refusal | None:
    """Why a seat may not be played by who asks; `seated` is who was seated, None where anybody with a key
    of the agent may play."""
    if seated is None or (seated == "hosted") == player.runner:
        return None
    return OTHER_SEATED[seated]
