"""The owner's agents, one of them chosen: what each is, has, and is doing now. Pure."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from tui_client.owner import arena
from tui_client.owner.answers import OwnAgent, OwnAgents, Session, Sessions
from tui_client.owner.automation import AutomationPage
from tui_client.owner.calls import Read
from tui_client.owner.dashboard import DashboardPage
from tui_client.owner.edit import EditPage
from tui_client.owner.money import MoneyPage
from tui_client.owner.page import STEPS, Keys, Known, Page, Step, moved
from tui_client.owner.training import TrainingPage
from tui_client.text import clean
from tui_client.words import NAME_LIMIT

replace = msgspec.structs.replace

MAX_READ = 24
"""Agents of which everything is read; of the others only the list."""


class AgentsPage(Page, frozen=True):
    view: ClassVar[str] = "agents"
    cursor: str = ""
    archiving: str = ""
    """The agent of which `x` was pressed once."""

    @property
    def name(self) -> str:
        return "YOUR AGENTS"

    def reads(self, known: Known) -> list[Read]:
        found = [arena.own_agents(), arena.balances()]
        chosen = chosen_agent(self, known)
        for agent in agents(known)[:MAX_READ]:
            if agent.archived_ms is None:
                near = chosen is not None and agent.agent == chosen.agent
                found += [
                    arena.automation(agent.agent, near=near),
                    arena.live_sessions(agent.agent, near=near),
                    arena.stats(agent.agent),
                    arena.avatar(agent.agent),
                ]
        return found

    def pressed(self, known: Known, key: str, character: str | None) -> Step:
        if key == "escape":
            return Step(self)
        page = replace(self, archiving="")
        if key in STEPS:
            names = [agent.agent for agent in agents(known)]
            chosen = chosen_agent(self, known)
            here = chosen.agent if chosen is not None else ""
            return Step(replace(page, cursor=moved(names, here, STEPS[key])))
        if key == "n":
            return Step(page, push=EditPage())
        if key == "m":
            return Step(page, push=MoneyPage())
        agent = chosen_agent(self, known)
        return Step(page) if agent is None else self._of_agent(page, known, agent, key)

    def _of_agent(self, page: AgentsPage, known: Known, agent: OwnAgent, key: str) -> Step:
        playing = playing_in(known, agent.agent)
        match key:
            case "enter" if playing:
                return Step(page, watch=playing[0].session)
            case "enter" | "d":
                return Step(page, push=DashboardPage(agent.agent))
            case "e":
                return Step(page, push=EditPage(agent.agent))
            case "p":
                return Step(page, push=AutomationPage(agent.agent))
            case "t":
                return Step(page, push=TrainingPage(agent.agent))
            case "o":
                return self._switched(page, known, agent)
            case "x":
                return self._archived(page, agent)
            case _:
                return Step(page)

    def _switched(self, page: AgentsPage, known: Known, agent: OwnAgent) -> Step:
        automation = arena.automation_of(known, agent.agent)
        if automation is None or not automation.set:
            return Step(page, push=AutomationPage(agent.agent))
        return Step(page, wish=arena.switch(agent.agent, on=not automation.on))

    def _archived(self, page: AgentsPage, agent: OwnAgent) -> Step:
        name = clean(agent.name, NAME_LIMIT)
        if agent.archived_ms is None and self.archiving != agent.agent:
            words = f"x again archives {name}: it plays no more, its record stays"
            return Step(replace(page, archiving=agent.agent), notice=words)
        return Step(page, wish=arena.archive(agent.agent, name, back=agent.archived_ms is not None))

    def with_chosen(self, agent: str) -> AgentsPage:
        return replace(self, cursor=agent)

    def keys(self, known: Known) -> Keys:
        agent = chosen_agent(self, known)
        if agent is None:
            return (("n", "new agent"), ("m", "money"))
        playing = bool(playing_in(known, agent.agent))
        automation = arena.automation_of(known, agent.agent)
        on = automation is not None and automation.on
        return (
            ("enter", "watch" if playing else "dashboard"),
            ("n", "new"),
            ("e", "edit"),
            ("p", "automate"),
            ("o", "off" if on else "on"),
            *((("d", "dashboard"),) if playing else ()),
            ("m", "money"),
            ("x", "archive" if agent.archived_ms is None else "bring back"),
            *([("t", "training")] if agent.archived_ms is None else []),
            ("↑↓", "choose"),
        )


def agents(known: Known) -> tuple[OwnAgent, ...]:
    """Those that play first, as the arena lists them."""
    told = known.value(arena.own_agents().path, OwnAgents)
    found = told.agents if told is not None else ()
    return tuple(sorted(found, key=lambda agent: agent.archived_ms is not None))


def chosen_agent(page: AgentsPage, known: Known) -> OwnAgent | None:
    """The one under the cursor, the first where that is gone."""
    found = agents(known)
    return next(
        (agent for agent in found if agent.agent == page.cursor), found[0] if found else None
    )


def playing_in(known: Known, agent: str) -> tuple[Session, ...]:
    """The live sessions it has a seat in."""
    told = known.value(arena.live_sessions(agent).path, Sessions)
    return told.sessions if told is not None else ()
