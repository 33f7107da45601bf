"""An agent's dashboard: how it does, over time and session by session, and its versions. Pure."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from tui_client.owner import arena
from tui_client.owner.automation import AutomationPage
from tui_client.owner.calls import Read
from tui_client.owner.careers import History, Played, Stats, Version, Versions
from tui_client.owner.compare import ComparePage
from tui_client.owner.edit import EditPage
from tui_client.owner.page import STEPS, Keys, Known, Page, Step, moved
from tui_client.owner.training import TrainingPage
from tui_client.text import clean
from tui_client.words import NAME_LIMIT, space_title

replace = msgspec.structs.replace

EVERYWHERE = "*"
"""All Spaces together."""
METRICS = ("rating", "return", "score")
SESSIONS, LINEAGE = "sessions", "versions"
"""The two lists."""
RATED = 10
"""Versions of which the ratings are read."""


class DashboardPage(Page, frozen=True):
    view: ClassVar[str] = "dashboard"
    agent: str
    space: str = ""
    """Whose numbers are shown; empty: the one it has played most."""
    version: int | None = None
    """Of which alone; None: of all."""
    metric: str = METRICS[0]
    """The first of the plots."""
    focus: str = SESSIONS
    session: str = ""
    """The chosen session."""
    number: str = ""
    """The chosen version's."""

    @property
    def name(self) -> str:
        return "DASHBOARD"

    def subject(self, known: Known) -> str:
        told = known.value(arena.stats(self.agent).path, Stats)
        name = arena.name_of(known, self.agent) or (clean(told.name, NAME_LIMIT) if told else "")
        version = "all versions" if self.version is None else f"version {self.version} alone"
        space = self.space_of(known)
        return f"{name}   {space_title(space) if space else 'all Spaces'}, {version}"

    def space_of(self, known: Known) -> str:
        """The Space whose numbers are shown; empty: all of them."""
        if self.space:
            return "" if self.space == EVERYWHERE else self.space
        told = known.value(arena.stats(self.agent).path, Stats)
        return told.home if told is not None else ""

    def reads(self, known: Known) -> list[Read]:
        agent, version, space = self.agent, self.version, self.space_of(known)
        found = [
            arena.own_agents(),
            arena.avatar(agent),
            arena.stats(agent),
            arena.automation(agent),
            arena.versions(agent),
        ]
        if known.value(arena.stats(agent).path, Stats) is None:
            return found  # which Space to ask about stands there
        found += [
            arena.stats(agent, version=version, space=space),
            arena.history(agent, version=version, space=space),
            arena.series(agent, version=version, space=space),
        ]
        rated = versions(self, known)[:RATED]
        return found + [arena.stats(agent, version=each.number) for each in rated]

    # ------------------------------------------------------------------ keys

    def pressed(self, known: Known, key: str, character: str | None) -> Step:
        if key in STEPS:
            return Step(self._moved(known, STEPS[key]))
        match key:
            case "tab" | "shift+tab":
                other = LINEAGE if self.focus == SESSIONS else SESSIONS
                return Step(replace(self, focus=other))
            case "left" | "right":
                at = METRICS.index(self.metric) + (1 if key == "right" else -1)
                return Step(replace(self, metric=METRICS[at % len(METRICS)]))
            case "s":
                return Step(self._next_space(known))
            case "enter" if self.focus == SESSIONS:
                chosen = chosen_session(self, known)
                return Step(self, watch=chosen.session if chosen is not None else "")
            case "enter":
                return Step(self._only(known))
            case "p" if arena.name_of(known, self.agent):
                return Step(self, push=AutomationPage(self.agent))
            case "e" if arena.name_of(known, self.agent):
                return Step(self, push=EditPage(self.agent))
            case "t" if arena.name_of(known, self.agent):
                return Step(self, push=TrainingPage(self.agent))
            case "c":
                return Step(self, push=ComparePage(self._contender(known)))
            case _:
                return Step(self)

    def _moved(self, known: Known, by: int) -> DashboardPage:
        if self.focus == SESSIONS:
            names = [each.session for each in sessions(self, known)]
            chosen = chosen_session(self, known)
            here = chosen.session if chosen is not None else ""
            return replace(self, session=moved(names, here, by))
        names = [str(each.number) for each in versions(self, known)]
        version = chosen_version(self, known)
        here = str(version.number) if version is not None else ""
        return replace(self, number=moved(names, here, by))

    def _next_space(self, known: Known) -> DashboardPage:
        told = known.value(arena.stats(self.agent).path, Stats)
        spaces = [EVERYWHERE, *(each.space for each in told.spaces)] if told else [EVERYWHERE]
        here = self.space_of(known) or EVERYWHERE
        at = spaces.index(here) if here in spaces else 0
        return replace(self, space=spaces[(at + 1) % len(spaces)], session="")

    def _only(self, known: Known) -> DashboardPage:
        """The chosen version alone, or all of them again."""
        chosen = chosen_version(self, known)
        if chosen is None or self.version == chosen.number:
            return replace(self, version=None, session="")
        return replace(self, version=chosen.number, session="")

    def _contender(self, known: Known) -> str:
        chosen = chosen_version(self, known) if self.focus == LINEAGE else None
        number = chosen.number if chosen is not None else self.version
        return self.agent if number is None else f"{self.agent}@v{number}"

    def in_hand(self, known: Known) -> str:
        chosen = chosen_session(self, known) if self.focus == SESSIONS else None
        return chosen.session if chosen is not None else ""

    def keys(self, known: Known) -> Keys:
        if self.focus == SESSIONS:
            enter = "watch"
        else:
            chosen = chosen_version(self, known)
            enter = "all versions" if chosen and chosen.number == self.version else "this alone"
        return (
            ("enter", enter),
            ("tab", LINEAGE if self.focus == SESSIONS else SESSIONS),
            ("s", "Space"),
            ("c", "compare"),
            *([("v", "proof")] if self.in_hand(known) else []),
            ("←→", "plot"),
            ("t", "training"),
            ("p", "automate"),
            ("e", "edit"),
            ("↑↓", "choose"),
        )


def sessions(page: DashboardPage, known: Known) -> tuple[Played, ...]:
    """Newest first."""
    read = arena.history(page.agent, version=page.version, space=page.space_of(known))
    told = known.value(read.path, History)
    return told.sessions if told is not None else ()


def chosen_session(page: DashboardPage, known: Known) -> Played | None:
    found = sessions(page, known)
    return next(
        (each for each in found if each.session == page.session), found[0] if found else None
    )


def versions(page: DashboardPage, known: Known) -> tuple[Version, ...]:
    """Newest first."""
    told = known.value(arena.versions(page.agent).path, Versions)
    return told.versions if told is not None else ()


def chosen_version(page: DashboardPage, known: Known) -> Version | None:
    found = versions(page, known)
    return next(
        (each for each in found if str(each.number) == page.number), found[0] if found else None
    )
