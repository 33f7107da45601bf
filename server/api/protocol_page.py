"""`docs/protocol.md`: the wire protocol for a stranger who writes a client. Made from the types."""

from __future__ import annotations

import json
import random
from typing import Any, get_args

import msgspec

from server import protocol
from server.api import protocol_prose as prose
from server.api.asyncapi import ANSWERS, messages
from server.api.fields import descriptions, one_line, structs
from server.api.protocol_example import CONVERSATION
from server.api.protocol_types import section, strings
from server.config import Config
from server.gateway.requests import COSTS
from server.gateway.tolls import PIECES, PIECES_PER_S, SHARES_OF_ADDRESS
from server.knobs import knobs
from server.protocol import ClientMessage, CloseCode, ServerMessage
from spaces import registry
from spaces.seed import SEED_BYTES, Streams
from spaces.space import Space

RECONNECT_BELOW = 3_500


def protocol_page() -> str:
    """The whole page, with a final newline."""
    parts = [
        prose.START,
        _conversation(),
        prose.CHANNELS,
        prose.EVENTS,
        prose.ACTING,
        prose.LIMITS.format(**_limits()),
        prose.CLOSING,
        _close_codes(),
        prose.STRINGS,
        strings(),
        "## Messages from clients",
        *_client_messages(),
        "## Messages from the arena",
        *(section(tag, type_) for tag, type_ in messages(ServerMessage).items()),
        "## What messages are made of",
        *(section(type_.__name__, type_) for type_ in _parts()),
        prose.SPACES,
        *(_space(space) for space in registry.all_spaces()),
    ]
    return "\n\n".join(parts) + "\n"


def _conversation() -> str:
    lines = [prose.CONVERSATION, "", "```"]
    clients = get_args(ClientMessage)
    for comment, message in CONVERSATION:
        if comment:
            lines.append(f"# {comment}")
        arrow = "→" if isinstance(message, clients) else "←"
        lines.append(f"{arrow} {msgspec.json.encode(message).decode()}")
    return "\n".join([*lines, "```"])


def _close_codes() -> str:
    words = descriptions(CloseCode)
    rows = ["| code | name | reconnect | |", "|---|---|---|---|"]
    for code in CloseCode:
        again = "yes" if code < RECONNECT_BELOW else "no"
        rows.append(f"| {code.value} | `{code.name}` | {again} | {words[code.name]} |")
    return "\n".join(rows)


def _client_messages() -> list[str]:
    sections = []
    costs: dict[type[Any], int] = dict(COSTS)
    for tag, type_ in messages(ClientMessage).items():
        answers = " or ".join(f"[`{answer}`](#{answer})" for answer in ANSWERS[tag])
        after = (
            f"Answered by {answers}, or `error`." if answers else "Not answered, unless by `error`."
        )
        if cost := costs[type_]:
            after += f" Costs {cost} credits."
        sections.append(section(tag, type_, after))
    return sections


def _parts() -> list[type[msgspec.Struct]]:
    whole = [*get_args(ClientMessage), *get_args(ServerMessage)]
    return [type_ for type_ in structs(whole).values() if type_ not in whole]


def _limits() -> dict[str, Any]:
    defaults = {knob.name: knob.default for knob in knobs()}
    assert set(defaults) == set(Config.__struct_fields__)
    return defaults | {
        "max_inbound_kib": protocol.MAX_INBOUND_BYTES // 1024,
        "pieces": PIECES,
        "pieces_per_s": PIECES_PER_S,
        "shares": SHARES_OF_ADDRESS,
    }


def _space(space: Space[Any, Any, Any]) -> str:
    """The first observation and what is asked, from the rules themselves."""
    streams, rng = Streams(bytes(SEED_BYTES)), random.Random(0)  # noqa: S311 - of an example
    state = space.initial(space.params({}), streams)
    asked = []
    while (inquiry := space.inquiry(state)) is not None:
        asked.append(f"the oracle's `{inquiry.kind}`")
        state = space.learn(state, space.random_observation(state, rng), streams)
    decision = space.decisions(state)[0]
    kinds = ", ".join(
        [*asked, *sorted({f"`{decision.kind}`" for decision in space.decisions(state)})]
    )
    return "\n\n".join(
        [
            f"### {space.title} (`{space.id}`)",
            f"Rules `{space.rules}`, {space.seats} seats, decided by {space.decided_by}. "
            f"A session begins with {kinds}. {one_line(type(space).__doc__ or '')}".rstrip(),
            f"The public `state` before the first decision:\n\n```json\n{_json(space.observe(state, None))}\n```",
            f"The `prompt` of seat {decision.seat}, which says how to answer:\n\n"
            f"```\n{space.prompt(state, decision.seat)}\n```",
        ]
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
