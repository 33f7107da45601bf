"""Who takes part in a tournament of the command line: brains by name, with settings. Pure.

random,bidder,llm            one of each
shark=bidder:aggression=80   a name of its own, and settings of the brain
random*8                     eight of them
"""

from __future__ import annotations

import re

import msgspec

from bots import brains
from server.tournament.setup import MAX_ENTRANTS, BadSetup

_ONE = re.compile(
    r"(?:(?P<name>[^=:*,]+)=)?(?P<brain>[a-z][a-z0-9_-]*)(?P<settings>(?::[a-z_]+=[^:*,]+)*)(?:\*(?P<times>[0-9]{1,4}))?"
)


class Contestant(msgspec.Struct, frozen=True):
    name: str
    brain: str
    settings: dict[str, str]


def parse(text: str) -> list[Contestant]:
    """The contestants in the order in which they are named. Raises BadSetup.

    Where several would have one name, they are numbered: `random-1`, `random-2`.
    """
    found: list[Contestant] = []
    for part in text.split(","):
        match = _ONE.fullmatch(part.strip())
        if match is None:
            raise BadSetup(
                f"entrant {part.strip()[:60]!r}: expected BRAIN or NAME=BRAIN:SETTING=VALUE, and *N for several"
            )
        brain, name = match["brain"], (match["name"] or match["brain"]).strip()
        if brain not in brains.names():
            raise BadSetup(f"no brain {brain!r}; there are {', '.join(brains.names())}")
        settings = dict(each.split("=", 1) for each in match["settings"].split(":")[1:])
        found += [Contestant(name, brain, settings)] * int(match["times"] or 1)
        if len(found) > MAX_ENTRANTS:
            raise BadSetup(f"a tournament takes at most {MAX_ENTRANTS} entrants")
    return _numbered(found)


def _numbered(found: list[Contestant]) -> list[Contestant]:
    names = [each.name for each in found]
    seen: dict[str, int] = {}
    numbered = []
    for each in found:
        seen[each.name] = seen.get(each.name, 0) + 1
        alone = names.count(each.name) == 1
        name = each.name if alone else f"{each.name}-{seen[each.name]}"
        numbered.append(msgspec.structs.replace(each, name=name))
    if len({each.name for each in numbered}) < len(numbered):
        raise BadSetup("two entrants have one name: give them other names")
    return numbered
