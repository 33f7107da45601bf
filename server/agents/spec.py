"""What makes a version of an agent. Pure.

A spec says everything that plays: prompts, model and sampling, brain, Spaces. Two specs that are equal in
their canonical form are one version, however they were written; what is left out is the arena's own choice,
so an owner who tells nothing has the spec `{}`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from server.agents.words import prompt_of
from server.protocol import SpaceId

PROMPT_RAW_CHARS = 16_384
"""Before cleaning; far more than any Space's limit."""
MAX_SPACES = 64

Prompt = Annotated[str, Meta(max_length=PROMPT_RAW_CHARS)]
Model = Annotated[str, Meta(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$(?!\n)")]
Brain = Annotated[str, Meta(min_length=1, max_length=32, pattern=r"^[a-z][a-z0-9-]*$(?!\n)")]
Adapter = Annotated[str, Meta(max_length=64, pattern=r"^b[a-z2-7]{20,63}$(?!\n)")]
Build = Annotated[str, Meta(max_length=64, pattern=r"^[\x20-\x7e]*$(?!\n)")]


class BadSpec(ValueError):
    """A spec that this arena cannot play; the message names what is wrong and what there is."""


class VersionSpec(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True
):
    """What plays as a version of an agent. Secret: its owner's alone. What is left out is the arena's choice."""

    prompt: Prompt = ""
    """The system prompt in every Space that has none of its own below."""
    prompts: Annotated[dict[SpaceId, Prompt], Meta(max_length=MAX_SPACES)] = {}
    """System prompts by Space."""
    model: Model | None = None
    """The model's name, one of those that the arena offers; null: the arena's own."""
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Meta(ge=16, le=2_048)] | None = None
    """The longest answer, in tokens of the model."""
    brain: Brain = "llm"
    """What plays it while it is hosted: `llm` asks the model; the others ask nobody."""
    spaces: Annotated[tuple[SpaceId, ...], Meta(max_length=MAX_SPACES)] = ()
    """The Spaces that it plays; empty: all that its brain can play."""
    adapter: Adapter | None = None
    """The CID of the card of the adapter that the model plays with; null: none. Only the arena's gate brings one in: an owner keeps it, drops
    it, or names one that was promoted for this very agent and model."""
    build: Build = ""
    """What the owner's bot calls itself, e.g. a commit: a bot of another build is another version."""


class Shelf(msgspec.Struct, frozen=True):
    """What hosted agents may be made of at this arena."""

    spaces: Mapping[str, int]
    """Space -> characters that a prompt may have there."""
    brains: Mapping[str, tuple[str, ...]]
    """Brain -> the Spaces it plays; none listed: every Space."""
    models: tuple[str, ...]
    """Models that an owner may name."""


EMPTY = VersionSpec()


def tidy(spec: VersionSpec) -> VersionSpec:
    """The one form of all specs that play alike. Idempotent. Raises BadWords."""
    prompts = {
        space: prompt_of(text, f"the prompt for {space}")
        for space, text in sorted(spec.prompts.items())
    }
    prompt = prompt_of(spec.prompt, "the prompt")
    return msgspec.structs.replace(
        spec,
        prompt=prompt,
        prompts={space: text for space, text in prompts.items() if text and text != prompt},
        # Hundredths: no model can tell more. Adding zero makes -0.0 what it is.
        temperature=None if spec.temperature is None else round(spec.temperature, 2) + 0.0,
        top_p=None if spec.top_p is None else max(0.01, round(spec.top_p, 2)),
        spaces=tuple(sorted(set(spec.spaces))),
        build=spec.build.strip(),
    )


def fit(spec: VersionSpec, shelf: Shelf) -> VersionSpec:
    """The tidy spec, as it is to be stored here: a brain that plays few Spaces has them listed, so that what
    a stored spec does not list, and does not leave open, it does not play. Raises BadWords, BadSpec."""
    neat = tidy(spec)
    check(neat, shelf)
    able = shelf.brains[neat.brain]
    return neat if neat.spaces else msgspec.structs.replace(neat, spaces=tuple(sorted(able)))


def check(spec: VersionSpec, shelf: Shelf) -> None:
    """Raise BadSpec for what this arena has not, or for a prompt that is longer than its Space allows."""
    if spec.brain not in shelf.brains:
        raise BadSpec(f"no brain {spec.brain!r} here; there are {', '.join(shelf.brains)}")
    if spec.model is not None and spec.model not in shelf.models:
        there = f"there are {', '.join(shelf.models)}; " if shelf.models else ""
        raise BadSpec(f"no model {spec.model!r} here; {there}name none for the arena's own")
    for space in (*spec.spaces, *spec.prompts):
        if space not in shelf.spaces:
            raise BadSpec(f"no space {space!r} here; there are {', '.join(shelf.spaces)}")
    if spec.adapter is not None and spec.brain != "llm":
        raise BadSpec(f"the brain {spec.brain} asks no model, so it has no adapter")
    able = shelf.brains[spec.brain]
    for space in spec.spaces:
        if able and space not in able:
            raise BadSpec(f"the brain {spec.brain} plays {', '.join(able)}, not {space}")
    _check_lengths(spec, shelf)


def _check_lengths(spec: VersionSpec, shelf: Shelf) -> None:
    for space in (*plays(spec, shelf), *spec.prompts):
        if space not in shelf.spaces:
            continue  # e.g. a brain's Space that was withdrawn
        text, limit = prompt_for(spec, space), shelf.spaces[space]
        if len(text) > limit:
            raise BadSpec(
                f"the prompt for {space} has {len(text):,} characters; at most {limit:,} fit"
                " (shorten it, give that Space one of its own, or leave the Space out)"
            )


def plays(spec: VersionSpec, shelf: Shelf) -> tuple[str, ...]:
    """The Spaces that the spec plays of those on the shelf, in the shelf's order."""
    wanted = spec.spaces or shelf.brains.get(spec.brain, ()) or tuple(shelf.spaces)
    return tuple(space for space in shelf.spaces if space in wanted)


def unplayed(stored: str, space: str) -> str | None:
    """Why a stored spec does not play a Space; None: it does."""
    listed = read(stored).spaces
    if not listed or space in listed:
        return None
    return f"by its spec the agent plays {', '.join(listed)}, not {space}"


def bare(spec: VersionSpec) -> VersionSpec:
    """The spec without its adapter, which is one agent's alone: for whatever goes to another."""
    return msgspec.structs.replace(spec, adapter=None)


def check_adapter(spec: VersionSpec, may: Collection[tuple[str, str | None]]) -> None:
    """Raise BadSpec for an adapter that the owner may not name. `may` are adapters, each with the model that it is one of."""
    if spec.adapter is None or (spec.adapter, spec.model) in may:
        return
    models = [model or "the arena's own" for adapter, model in may if adapter == spec.adapter]
    if models:
        raise BadSpec(
            f"the adapter is one of the model {models[0]}: name that one, or drop the adapter"
        )
    raise BadSpec(
        f"no adapter {spec.adapter} was promoted for this agent; leave it out, or see `agon training lineage`"
    )


def prompt_for(spec: VersionSpec, space: str) -> str:
    """The system prompt in a Space; empty: the brain's own."""
    return spec.prompts.get(space, spec.prompt)


def canonical(spec: VersionSpec) -> str:
    """The JSON text of a tidy spec: equal texts are equal versions."""
    return msgspec.json.encode(spec, order="sorted").decode()


def read(text: str) -> VersionSpec:
    """A stored spec."""
    return msgspec.json.decode(text, type=VersionSpec)
