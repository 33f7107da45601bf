"""The HTTP API as an owner uses it: where each thing is read, and how each change is ordered. Pure."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from tui_client.owner.answers import (
    Automation,
    Balances,
    Crossing,
    Crossings,
    Escrow,
    Fees,
    Improved,
    Moved,
    OwnAgent,
    OwnAgents,
    Registered,
    Sessions,
    Shelf,
    SpaceList,
    Statement,
)
from tui_client.owner.calls import Read
from tui_client.owner.careers import Board, Comparison, HeadToHead, History, Series, Stats, Versions
from tui_client.owner.learning import Change, DataCard, Gate, Job, Lineage, Training
from tui_client.owner.page import Known, Wish
from tui_client.owner.pixels import Pixels
from tui_client.text import clean
from tui_client.words import NAME_LIMIT

AVATAR_SIDE = 16
LINEAGE = 24
"""Versions that are shown, the newest."""
OWN_AGENTS = "/v1/me/agents"
MONEY = ("/v1/me/balances", "/v1/me/statement", "/v1/me/crossings", "/v1/me/escrow")


def agent_path(agent: str) -> str:
    return f"/v1/agents/{quote(agent, safe='')}"


# ---------------------------------------------------------------------- reads


def own_agents() -> Read:
    return Read(OWN_AGENTS, OwnAgents, 10_000)


def spaces() -> Read:
    return Read("/v1/spaces", SpaceList, 0)


def shelf() -> Read:
    return Read("/v1/shelf", Shelf, 0)


def fees() -> Read:
    return Read("/v1/fees", Fees, 0)


def avatar(agent: str) -> Read:
    return Read(f"{agent_path(agent)}/avatar?size={AVATAR_SIDE}", Pixels, 0)


def automation(agent: str, *, near: bool = True) -> Read:
    """`near`: it is looked at, so often."""
    return Read(f"{agent_path(agent)}/automation", Automation, 2_000 if near else 10_000)


def live_sessions(agent: str, *, near: bool = True) -> Read:
    path = f"/v1/sessions?agent={quote(agent, safe='')}&status=live&limit=5"
    return Read(path, Sessions, 2_000 if near else 10_000)


def stats(agent: str, *, version: int | None = None, space: str = "") -> Read:
    return Read(_of(agent, "stats", version, space), Stats, 10_000)


def history(agent: str, *, version: int | None = None, space: str = "") -> Read:
    return Read(_of(agent, "history", version, space, "limit=100"), History, 4_000)


def series(agent: str, *, version: int | None = None, space: str = "") -> Read:
    """A point a session: the last 500 of them."""
    return Read(_of(agent, "series", version, space, "bucket=session"), Series, 8_000)


def versions(agent: str) -> Read:
    return Read(f"{agent_path(agent)}/versions?limit={LINEAGE}", Versions, 15_000)


def compare(a: str, b: str, space: str = "") -> Read:
    return Read(f"/v1/compare?{_pair(a, b)}{_in(space)}", Comparison, 10_000)


def head_to_head(a: str, b: str) -> Read:
    return Read(f"/v1/head-to-head?{_pair(a, b)}", HeadToHead, 10_000)


def board(space: str) -> Read:
    return Read(f"/v1/leaderboard/{quote(space, safe='')}", Board, 30_000)


def _of(agent: str, what: str, version: int | None, space: str, *more: str) -> str:
    asked = [*([f"version={version}"] if version is not None else []), *more]
    asked += [f"space={quote(space, safe='')}"] if space else []
    return f"{agent_path(agent)}/{what}" + (f"?{'&'.join(asked)}" if asked else "")


def _pair(a: str, b: str) -> str:
    return f"a={quote(a, safe='')}&b={quote(b, safe='')}"


def _in(space: str) -> str:
    return f"&space={quote(space, safe='')}" if space else ""


def balances(*, near: bool = False) -> Read:
    return Read("/v1/me/balances", Balances, 2_000 if near else 5_000)


def statement(holder: str, asset: str) -> Read:
    path = f"/v1/me/statement?holder={quote(holder, safe='')}&asset={asset}&limit=50"
    return Read(path, Statement, 4_000)


def crossings() -> Read:
    return Read("/v1/me/crossings", Crossings, 3_000)


def escrow() -> Read:
    return Read("/v1/me/escrow", Escrow, 3_000)


def training(agent: str, *, near: bool = False) -> Read:
    """`near`: something of it moves."""
    return Read(f"{agent_path(agent)}/training", Training, 2_000 if near else 8_000)


def data_card(cid: str) -> Read:
    """A block of the content store: it is what its id says for ever."""
    return Read(f"/v1/content/{quote(cid, safe='')}", DataCard, 0)


def lineage(agent: str) -> Read:
    return Read(f"{agent_path(agent)}/lineage", Lineage, 6_000)


def gate(gate: str, *, over: bool = False) -> Read:
    """One that is over does not change any more."""
    return Read(f"/v1/gates/{quote(gate, safe='')}", Gate, 0 if over else 2_000)


# ---------------------------------------------------------------------- orders


def make(body: dict[str, Any]) -> Wish:
    return Wish("saving", "POST", "/v1/agents", body, Registered, renews=(OWN_AGENTS,))


def edit(agent: str, body: dict[str, Any], revision: int | None) -> Wish:
    path, changes = agent_path(agent), {**body, "revision": revision}
    return Wish("saving", "PATCH", path, changes, OwnAgent, renews=(OWN_AGENTS, path))


def archive(agent: str, name: str, *, back: bool) -> Wish:
    """`name` is safe to paint."""
    words = f"bringing {name} back" if back else f"archiving {name}"
    path = agent_path(agent)
    order = f"{path}/{'restore' if back else 'archive'}"
    return Wish(words, "POST", order, {}, OwnAgent, renews=(OWN_AGENTS, path))


def improve(prompt: str, space: str, wish: str) -> Wish:
    """`wish`: what should be different, in the owner's words."""
    body = {"prompt": prompt, "space": space, "wish": wish}
    return Wish("the helper writes", "POST", "/v1/prompts/improve", body, Improved, slow=True)


def set_limits(agent: str, limits: dict[str, Any]) -> Wish:
    path = f"{agent_path(agent)}/automation"
    return Wish("saving", "PUT", path, limits, Automation, renews=(path,))


def switch(agent: str, *, on: bool) -> Wish:
    path = f"{agent_path(agent)}/automation"
    words = "turning it on" if on else "turning it off"
    return Wish(words, "POST", f"{path}/{'on' if on else 'off'}", answer=Automation, renews=(path,))


def allow(agent: str, space: str, *, on: bool) -> Wish:
    """Trainings in a Space begin by themselves, or do so no more."""
    path = f"{agent_path(agent)}/training"
    words = "turning training on" if on else "turning training off"
    return Wish(words, "PUT", path, {"space": space, "on": on}, Training, renews=(path,))


def set_budget(agent: str, space: str, seconds: int) -> Wish:
    path = f"{agent_path(agent)}/training"
    body = {"space": space, "budget_s": seconds}
    return Wish("setting the budget", "PUT", path, body, Training, renews=(path,))


def train(agent: str, space: str) -> Wish:
    path = f"{agent_path(agent)}/training"
    return Wish("starting it", "POST", f"{path}/start", {"space": space}, Job, renews=(path,))


def stop_training(agent: str, space: str) -> Wish:
    path = f"{agent_path(agent)}/training"
    return Wish("cancelling it", "POST", f"{path}/cancel", {"space": space}, Job, renews=(path,))


def roll_back(agent: str, version: str) -> Wish:
    """`version`: the one that shall play no more."""
    path = agent_path(agent)
    body = {"version": version}
    renews = (OWN_AGENTS, path)
    return Wish("rolling back", "POST", f"{path}/rollback", body, Change, renews=renews)


def transfer(source: str, to: str, micros: int, asset: str) -> Wish:
    body = {"source": source, "to": to, "micros": micros, "asset": asset}
    return Wish("moving it", "POST", "/v1/transfers", body, Moved, renews=MONEY)


def deposit(micros: int) -> Wish:
    return Wish("depositing", "POST", "/v1/deposits", {"micros": micros}, Crossing, renews=MONEY)


def withdraw(micros: int) -> Wish:
    body = {"micros": micros}
    return Wish("withdrawing", "POST", "/v1/withdrawals", body, Crossing, renews=MONEY)


def automation_of(known: Known, agent: str) -> Automation | None:
    """None until it is known; one whose limits were never set is off."""
    kept = known.kept(automation(agent).path)
    if kept.problem is not None and kept.problem.code == "no-automation":
        return Automation()
    return kept.value if isinstance(kept.value, Automation) else None


def name_of(known: Known, agent: str) -> str:
    """What an own agent is called, safe to paint."""
    told = known.value(OWN_AGENTS, OwnAgents)
    found = told.get(agent) if told is not None else None
    return clean(found.name, NAME_LIMIT) if found is not None else ""
