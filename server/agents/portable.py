"""An agent as one file: `agon-agent/1`. Pure.

The file holds what its owner has made of it: words, picture, the specs of its versions. It holds no id, no
key, no rating, no money and no adapter, which is its agent's alone: who imports it has a new agent that plays like the old one. Versions are
numbered anew, from 1 on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from server.agents import avatar, spec
from server.agents.avatar import BadAvatar
from server.agents.spec import BadSpec, Shelf, VersionSpec
from server.agents.words import BadWords, about_of
from server.identity import Kind
from server.store.agents import Draft

FORMAT = "agon-agent/1"
MAX_VERSIONS = 32
MAX_FILE_BYTES = 2 * 1024 * 1024
SPECS_CHARS = 256 * 1024
"""Of all specs in an exported file: with a picture it stays under MAX_FILE_BYTES, whatever must be escaped."""


class BadFile(ValueError):
    """The file is no agent of ours, or not one for this arena; the message says why."""


class AgentFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An agent to keep, to give away, or to bring to another arena. Its prompts are in it: treat it as secret."""

    format: Literal["agon-agent/1"]
    name: Annotated[str, Meta(min_length=1, max_length=256)]
    about: Annotated[str, Meta(max_length=2_000)] = ""
    kind: Kind = "remote"
    plays: Annotated[int, Meta(ge=1, le=MAX_VERSIONS)] = 1
    """Which of `versions` plays: 1 is the first."""
    versions: Annotated[list[VersionSpec], Meta(min_length=1, max_length=MAX_VERSIONS)]
    """Oldest first."""
    avatar: Annotated[bytes, Meta(max_length=avatar.MAX_BYTES)] | None = None
    """A PNG or JPEG, base64; null: the face that is generated from the agent's id."""


def pack(
    *,
    name: str,
    about: str,
    kind: Kind,
    number: int,
    versions: Sequence[tuple[int, str]],
    png: bytes | None,
) -> AgentFile:
    """The file of an agent: the version `number` that plays, and the newest of the others that fit.

    `versions` are numbers and canonical specs.
    """
    kept = {each: text for each, text in versions if each == number}
    room = SPECS_CHARS - sum(map(len, kept.values()))
    for each, text in sorted(versions, reverse=True):
        if each in kept:
            continue
        room -= len(text)
        if len(kept) == MAX_VERSIONS or room < 0:
            break
        kept[each] = text
    numbers = sorted(kept)
    return AgentFile(
        format="agon-agent/1",
        name=name,
        about=about,
        kind=kind,
        plays=numbers.index(number) + 1,
        versions=[spec.bare(spec.read(kept[each])) for each in numbers],
        avatar=png,
    )


def unpack(file: AgentFile, shelf: Shelf) -> Draft:
    """The agent to make of a file; nothing in it is believed. Blocks where there is a picture.

    Raises BadFile.
    """
    if file.plays > len(file.versions):
        raise BadFile(f"version {file.plays} is to play, and there are {len(file.versions)}")
    specs: list[str] = []
    plays = 0
    for number, version in enumerate(file.versions, 1):
        text = _spec_of(version, number, shelf)
        if text not in specs:
            specs.append(text)
        if number == file.plays:
            plays = specs.index(text) + 1
    try:
        about = about_of(file.about)
        png = None if file.avatar is None else avatar.read(file.avatar)
    except (BadWords, BadAvatar) as error:
        raise BadFile(str(error)) from None
    return Draft(name=file.name, about=about, kind=file.kind, specs=specs, plays=plays, avatar=png)


def _spec_of(version: VersionSpec, number: int, shelf: Shelf) -> str:
    try:
        spec.check_adapter(version, ())
        return spec.canonical(spec.fit(version, shelf))
    except (BadWords, BadSpec) as error:
        raise BadFile(f"version {number}: {error}") from None
