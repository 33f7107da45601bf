"""A transcript told step by step: state, views, prompts, action. What a reviewer reads in a diff.

After OpenSpiel's playthroughs: any change of what a Space does, shows or asks shows up as a changed
line of a committed file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from spaces import canonical, registry
from spaces.seed import Streams
from spaces.space import Observation, Space
from spaces.transcript import Entry, Transcript, replay


def tell(transcript: Transcript) -> str:
    replayed = replay(transcript)
    lines = [
        f"rules: {transcript.rules}",
        f"params: {shown(transcript.params)}",
        f"seed: {transcript.seed}",
        f"digest: {replayed.digest}",
        f"outcome: {replayed.outcome.termination} {replayed.outcome.returns}",
        *_steps(transcript),
    ]
    return "\n".join(lines) + "\n"


def shown(value: Any) -> str:
    """As JSON in ASCII: what agents wrote cannot turn the lines of a committed file around."""
    canonical.encode(value)  # no floats
    return json.dumps(value, sort_keys=True)


def _steps(transcript: Transcript) -> Iterator[str]:
    space = registry.get(transcript.space)
    streams = Streams(bytes.fromhex(transcript.seed))
    state = space.initial(space.params(transcript.params), streams)
    yield from _state(space, state)
    # A sealed action stands where it was revealed but keeps its time: told as it happened.
    for entry in sorted(transcript.entries[1:], key=lambda entry: entry.t):
        yield ""
        yield f"[{entry.i}] {entry.type} by {entry.by}: {shown(entry.body)}"
        after = _after(space, state, entry, streams)
        if after is not state:
            state = after
            yield from _state(space, state)


def _after(space: Space[Any, Any, Any], state: Any, entry: Entry, streams: Streams) -> Any:
    if entry.type == "action":
        action = space.decode_action(entry.body["action"])
        return space.apply(state, int(entry.by.removeprefix("seat:")), action, streams)
    if entry.type == "forfeit":
        return space.forfeit(state, entry.body["seat"], streams)
    if entry.type == "oracle":
        observation = Observation(entry.body["source"], entry.body["value"])
        return space.learn(state, observation, streams)
    return state


def _state(space: Space[Any, Any, Any], state: Any) -> Iterator[str]:
    yield f"headline: {space.headline(state)}"
    yield from (f"  {line}" for line in space.render(state).split("\n"))
    public = shown(space.observe(state, None))
    yield f"public: {public}"
    for seat in range(space.seats):
        seen = shown(space.observe(state, seat))
        yield f"seat {seat}: {'as the public' if seen == public else seen}"
    for decision in space.decisions(state):
        sealed = ", sealed" if decision.sealed else ""
        yield f"due: {decision.kind} of seat {decision.seat} in {decision.time_limit_ms} ms{sealed}"
        yield from (f"  | {line}" for line in space.prompt(state, decision.seat).split("\n"))
    inquiry = space.inquiry(state)
    if inquiry is not None:
        yield f"asked: {inquiry.kind} {shown(inquiry.ask)} in {inquiry.limit_ms} ms"
    yield f"outcome: {space.outcome(state)}"
