"""The versions of an agent as a tree: which came of which, by an edit or by a training, and which play no more. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from tui_client.owner.careers import Version
from tui_client.owner.learning import GateSummary, Lineage

How = Literal["edited", "promoted", "rolled-back", "tested", "kept"]
"""What a version is: its owner's edit; of a training, and promoted; promoted and taken back; being tested; tested, and the one before
it was kept."""


class Node(msgspec.Struct, frozen=True):
    """A version in its lineage."""

    number: int
    how: How = "edited"
    parent: int | None = None
    """The number of the version that it came of; None: the first."""
    gate: str = ""
    """That it went through."""
    trunk: bool = True
    """It plays, or what plays came of it."""
    plays: bool = False


def number_of(version: str) -> int | None:
    """`<agent>@v<number>`; None for anything else."""
    tail = version.rpartition("@v")[2]
    return int(tail) if tail.isascii() and tail.isdecimal() and len(tail) < 10 else None


def tree(versions: Sequence[Version], lineage: Lineage) -> tuple[Node, ...]:
    """The versions, newest first. An edit comes of what played when it was made."""
    plays = number_of(lineage.version)
    parents = _parents(versions, lineage)
    trunk, at = set[int](), plays
    while at is not None and at not in trunk:
        trunk.add(at)
        at = parents.get(at)
    tested = {number_of(each.candidate): each for each in reversed(lineage.gates)}
    return tuple(
        Node(
            number,
            _how(number, plays, lineage, tested),
            parents.get(number),
            tested[number].gate if number in tested else "",
            number in trunk,
            number == plays,
        )
        for number in sorted({each.number for each in versions}, reverse=True)
    )


def back(lineage: Lineage) -> int | None:
    """The number of the version that a roll-back would have play; None where what plays was not promoted."""
    for change in reversed(lineage.lines):
        if change.kind == "promoted" and change.version == lineage.version:
            return number_of(change.parent)
    return None


def _parents(versions: Sequence[Version], lineage: Lineage) -> dict[int, int | None]:
    parents: dict[int, int | None] = {}
    for gate in lineage.gates:
        if (number := number_of(gate.candidate)) is not None:
            parents[number] = number_of(gate.current)
    for change in lineage.lines:
        if change.kind == "promoted" and (number := number_of(change.version)) is not None:
            parents[number] = number_of(change.parent)
    candidates = set(parents)
    for each in sorted(versions, key=lambda version: version.number):
        if each.number not in candidates:
            parents[each.number] = _played(each, versions, candidates, lineage)
    return {number: up for number, up in parents.items() if up is None or up < number}


def _played(
    made: Version, versions: Sequence[Version], candidates: set[int], lineage: Lineage
) -> int | None:
    """What played when a version was made: the edit before it, or what a change since that one had play."""
    edits = [
        each for each in versions if each.number < made.number and each.number not in candidates
    ]
    last = max(edits, key=lambda each: each.number, default=None)
    found = last.number if last is not None else None
    for change in lineage.lines:
        if (last is None or change.at_ms >= last.created_ms) and change.at_ms < made.created_ms:
            found = number_of(change.version)
    return found


def _how(
    number: int, plays: int | None, lineage: Lineage, tested: Mapping[int | None, GateSummary]
) -> How:
    for change in reversed(lineage.lines):
        if change.kind == "promoted" and number_of(change.version) == number:
            return "promoted"
        if change.kind == "rolled-back" and number_of(change.parent) == number != plays:
            return "rolled-back"
    if number in tested:
        return "tested" if tested[number].status == "running" else "kept"
    return "edited"
