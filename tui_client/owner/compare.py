"""Two agents, or two versions of one, side by side. Pure."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from tui_client.owner import arena
from tui_client.owner.answers import OwnAgents
from tui_client.owner.calls import Read
from tui_client.owner.careers import Board, Comparison, Stats, Versions
from tui_client.owner.page import STEPS, Keys, Known, Page, Step, moved
from tui_client.text import clean
from tui_client.words import NAME_LIMIT, space_title

replace = msgspec.structs.replace

MAX_OFFERED = 200


class Contender(msgspec.Struct, frozen=True):
    """Somebody to compare with."""

    id: str
    """An agent, or one version of it: `<agent>@v<number>`."""
    name: str
    """Safe to paint."""
    why: str
    """Why it is offered."""


class ComparePage(Page, frozen=True):
    view: ClassVar[str] = "compare"
    a: str
    """An agent, or one version of it."""
    b: str = ""
    """Empty while it is being chosen."""
    cursor: str = ""
    space: str = ""
    """Only what was played there; empty: everywhere."""

    @property
    def name(self) -> str:
        return "COMPARE"

    def subject(self, known: Known) -> str:
        if not self.b:
            return "with whom?"
        return space_title(self.space) if self.space else "all Spaces"

    def reads(self, known: Known) -> list[Read]:
        agent, _, number = self.a.partition("@v")
        about = arena.stats(agent, version=int(number) if number else None)
        if not self.b:
            found = [about, arena.versions(agent), arena.own_agents()]
            told = known.value(about.path, Stats)
            return [
                *found,
                *(arena.board(each.space) for each in (told.spaces[:4] if told else ())),
            ]
        return [
            about,
            arena.compare(self.a, self.b, self.space),
            arena.head_to_head(self.a, self.b),
            *(series_of(each, self.space) for each in (self.a, self.b)),
        ]

    def pressed(self, known: Known, key: str, character: str | None) -> Step:
        if not self.b:
            return self._choosing(known, key)
        match key:
            case "c":
                return Step(replace(self, b="", cursor=self.b))
            case "s":
                return Step(replace(self, space=self._next_space(known)))
            case "x":
                return Step(replace(self, a=self.b, b=self.a))
            case _:
                return Step(self)

    def _choosing(self, known: Known, key: str) -> Step:
        names = [each.id for each in offered(self, known)]
        here = self.cursor if self.cursor in names else (names[0] if names else "")
        if key in STEPS:
            return Step(replace(self, cursor=moved(names, here, STEPS[key])))
        if key == "enter" and here:
            return Step(replace(self, b=here))
        return Step(self)

    def _next_space(self, known: Known) -> str:
        told = known.value(arena.compare(self.a, self.b, "").path, Comparison)
        spaces = [""]
        if told is not None:
            spaces += dict.fromkeys(each.space for each in (*told.a.spaces, *told.b.spaces))
        at = spaces.index(self.space) if self.space in spaces else 0
        return spaces[(at + 1) % len(spaces)]

    def keys(self, known: Known) -> Keys:
        if not self.b:
            return (("↑↓", "choose"), ("enter", "compare"))
        return (("c", "with another"), ("s", "next Space"), ("x", "swap"))


def series_of(contender: str, space: str) -> Read:
    agent, _, number = contender.partition("@v")
    return arena.series(agent, version=int(number) if number else None, space=space)


def offered(page: ComparePage, known: Known) -> list[Contender]:
    """The agent's own versions, the owner's other agents, and who stands on the boards it is on."""
    agent, _, _ = page.a.partition("@v")
    lineage = known.value(arena.versions(agent).path, Versions) or Versions()
    own = known.value(arena.OWN_AGENTS, OwnAgents) or OwnAgents()
    name = arena.name_of(known, agent)
    found = [
        Contender(f"{agent}@v{each.number}", f"{name} v{each.number}", "its version")
        for each in lineage.versions
    ]
    found += [
        Contender(other.agent, clean(other.name, NAME_LIMIT), "yours")
        for other in own.agents
        if other.agent != agent
    ]
    for path, kept in known.shelf.items():
        if path.startswith("/v1/leaderboard/") and isinstance(kept.value, Board):
            place = space_title(path.removeprefix("/v1/leaderboard/"))
            for row in kept.value.rows:
                number = row.version.rpartition("@")[2]
                shown = f"{clean(row.name, NAME_LIMIT)} {clean(number, 12)}"
                found.append(Contender(f"{row.agent}@{number}", shown, place))
    first: dict[str, Contender] = {}
    for one in found:
        first.setdefault(one.id, one)
    return [one for one in first.values() if one.id != page.a][:MAX_OFFERED]
