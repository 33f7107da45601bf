"""What the owner's screens read of the HTTP API: paths, and the answers as far as we look at them.

Fields that a newer arena adds are passed over, and those that it leaves out have the value that says least; so a
screen shows what it can. Money is integer micros of its asset, times are unix milliseconds.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec

from tui_client.owner.calls import Read
from tui_client.owner.page import Known, Wish
from tui_client.owner.pixels import Pixels
from tui_client.text import clean
from tui_client.words import NAME_LIMIT

AVATAR_SIDE = 16


class SpaceCard(msgspec.Struct, frozen=True):
    """A contest."""

    id: str
    title: str = ""
    seats: int = 2
    prompt_limit: int = 0
    tiers_micros: tuple[int, ...] = ()


class SpaceList(msgspec.Struct, frozen=True):
    spaces: tuple[SpaceCard, ...] = ()


class Spec(msgspec.Struct, frozen=True):
    """What makes a version; the owner alone sees it."""

    prompt: str = ""
    prompts: dict[str, str] = {}
    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    brain: str = "llm"
    spaces: tuple[str, ...] = ()
    build: str = ""


class Limits(msgspec.Struct, frozen=True):
    """Of an automation."""

    tier_micros: int = 0
    spaces: tuple[str, ...] = ()
    max_sessions: int = 0
    max_parallel: int = 1
    stop_loss_micros: int = 0
    take_profit_micros: int | None = None
    schedule: dict[str, Any] = {}


class Run(msgspec.Struct, frozen=True):
    """Of an automation."""

    number: int = 0
    asset: str = "play"
    begun: int = 0
    open: int = 0
    at_risk_micros: int = 0
    profit_micros: int = 0


class Automation(msgspec.Struct, frozen=True):
    state: str = "off"
    """`on`, `off` or `stopped`."""
    limits: Limits = Limits()
    run: Run = Run()
    reason: str | None = None
    """Why it is stopped."""
    changed_ms: int = 0


class OwnAgent(msgspec.Struct, frozen=True):
    """An agent as its owner sees it."""

    agent: str
    name: str = ""
    kind: str = "hosted"
    about: str = ""
    version: str = ""
    number: int = 1
    """Of the version that plays now."""
    spec: Spec = Spec()
    """Of that version."""
    revision: int = 0
    """Counts the changes; an edit names the one it has seen."""
    archived_ms: int | None = None
    frozen_ms: int | None = None
    frozen_reason: str | None = None


class OwnAgents(msgspec.Struct, frozen=True):
    agents: tuple[OwnAgent, ...] = ()


class Seat(msgspec.Struct, frozen=True):
    seat: int
    agent: str = ""
    name: str = ""
    version: str = ""


class Session(msgspec.Struct, frozen=True):
    session: str
    space: str = ""
    status: str = "live"
    seats: tuple[Seat, ...] = ()
    tier_micros: int = 0
    opened_ms: int = 0
    headline: str = ""


class Sessions(msgspec.Struct, frozen=True):
    sessions: tuple[Session, ...] = ()


class Balance(msgspec.Struct, frozen=True):
    account: str
    """As the ledger calls it, e.g. `play:agent:<agent>`."""
    asset: str
    available_micros: int = 0
    pending_micros: int = 0


class Balances(msgspec.Struct, frozen=True):
    balances: tuple[Balance, ...] = ()

    def of_agent(self, agent: str) -> tuple[Balance, ...]:
        """By asset."""
        return tuple(each for each in self.balances if each.account.endswith(f":agent:{agent}"))


def agent_path(agent: str) -> str:
    return f"/v1/agents/{quote(agent, safe='')}"


def own_agents() -> Read:
    return Read("/v1/me/agents", OwnAgents, 10_000)


def balances() -> Read:
    return Read("/v1/me/balances", Balances, 5_000)


def spaces() -> Read:
    return Read("/v1/spaces", SpaceList, 0)


def automation(agent: str, *, near: bool = True) -> Read:
    """`near`: it is looked at, so often."""
    return Read(f"{agent_path(agent)}/automation", Automation, 2_000 if near else 10_000)


def live_sessions(agent: str, *, near: bool = True) -> Read:
    path = f"/v1/sessions?agent={quote(agent, safe='')}&status=live&limit=5"
    return Read(path, Sessions, 2_000 if near else 10_000)


def avatar(agent: str) -> Read:
    return Read(f"{agent_path(agent)}/avatar?size={AVATAR_SIDE}", Pixels, 0)


def switch(agent: str, *, on: bool) -> Wish:
    path = f"{agent_path(agent)}/automation"
    words = "turning it on" if on else "turning it off"
    return Wish(words, "POST", f"{path}/{'on' if on else 'off'}", answer=Automation, renews=(path,))


def archive(agent: str, name: str, *, back: bool) -> Wish:
    words = f"bringing {name} back" if back else f"archiving {name}"
    return Wish(
        words, "PATCH", agent_path(agent), {"archived": not back}, renews=("/v1/me/agents",)
    )


class Fees(msgspec.Struct, frozen=True):
    """The table of pay-outs."""


def fees() -> Read:
    return Read("/v1/fees", Fees, 0)


def set_limits(agent: str, limits: dict[str, Any]) -> Wish:
    path = f"{agent_path(agent)}/automation"
    return Wish("saving", "PUT", path, limits, Automation, renews=(path,))


class Improved(msgspec.Struct, frozen=True):
    """A prompt that the helper has written."""

    prompt: str


def improve(prompt: str, space: str) -> Wish:
    body = {"prompt": prompt, "space": space}
    return Wish("the helper writes", "POST", "/v1/prompts/improve", body, Improved, slow=True)


def make(body: dict[str, Any]) -> Wish:
    return Wish("saving", "POST", "/v1/agents", body, OwnAgent, renews=("/v1/me/agents",))


def edit(agent: str, body: dict[str, Any], revision: int | None) -> Wish:
    changes = {**body, "revision": revision}
    renews = ("/v1/me/agents", agent_path(agent))
    return Wish("saving", "PATCH", agent_path(agent), changes, OwnAgent, renews=renews)


def name_of(known: Known, agent: str) -> str:
    """What an own agent is called, safe to paint."""
    told = known.value(own_agents().path, OwnAgents)
    found = (each.name for each in told.agents if each.agent == agent) if told else ()
    return clean(next(iter(found), ""), NAME_LIMIT)
