"""The AsyncAPI 3 document of the gateway, made from `server.protocol`. Pure.

The application is the arena: it *receives* what clients send and *sends* what they receive. One address
carries all messages; the channels that clients subscribe to are names within it.
"""

from __future__ import annotations

from typing import Any, get_args

import msgspec

from server.api.fields import doc, one_line, schemas
from server.protocol import (
    JSON_SUBPROTOCOL,
    MSGPACK_SUBPROTOCOL,
    ClientMessage,
    ServerMessage,
)

VERSION = "1"

ANSWERS: dict[str, tuple[str, ...]] = {
    "hello": ("welcome",),
    "ping": ("pong",),
    "subscribe": ("snapshot", "update"),
    "unsubscribe": (),
    "act": ("accepted", "rejected"),
    "abandon": ("accepted", "rejected"),
    "sign": ("accepted", "rejected"),
    "partial": (),
    "enqueue": ("ticket",),
    "dequeue": ("ticket",),
    "confirm": ("update",),
    "explain": ("ticket",),
}
"""What a client's message is answered by; any of them may be answered by `error` instead."""

_TEMPLATE = "#/components/schemas/{name}"
_ABOUT = f"""The live arena over one websocket. `GET /v1/gateway` tells the address.

Offer the subprotocol `{JSON_SUBPROTOCOL}` (text frames) or `{MSGPACK_SUBPROTOCOL}` (binary frames); the
messages are the same. `docs/protocol.md` explains the conversation and the close codes."""


def messages(union: Any) -> dict[str, type[msgspec.Struct]]:
    """The union's members by their tag, in the order of the source."""
    return {str(member.__struct_config__.tag): member for member in get_args(union)}


def asyncapi() -> dict[str, Any]:
    received, sent = messages(ClientMessage), messages(ServerMessage)
    types = [*received.values(), *sent.values()]
    _, components = schemas(types, _TEMPLATE)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Agon gateway",
            "version": VERSION,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "gateway": {
                "host": "localhost:8601",
                "protocol": "ws",
                "description": "By default; ask `GET /v1/gateway`.",
            }
        },
        "channels": {
            "gateway": {
                "address": "/",
                "description": "All messages of a connection, both ways.",
                "messages": {
                    tag: {"$ref": f"#/components/messages/{tag}"} for tag in (*received, *sent)
                },
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
            }
        },
        "operations": _operations(list(received), list(sent)),
        "components": {
            "messages": {tag: _message(tag, type_) for tag, type_ in (received | sent).items()},
            "schemas": {name: _plain(schema) for name, schema in components.items()},
        },
    }


def _operations(received: list[str], sent: list[str]) -> dict[str, Any]:
    channel = {"$ref": "#/channels/gateway"}
    operations: dict[str, Any] = {}
    for tag in received:
        operations[f"on_{tag}"] = {
            "action": "receive",
            "channel": channel,
            "messages": [_in_channel(tag)],
            "reply": {
                "channel": channel,
                "messages": [_in_channel(answer) for answer in (*ANSWERS[tag], "error")],
            },
        }
    operations["send"] = {
        "action": "send",
        "channel": channel,
        "summary": "What happens, as it happens, and the answers.",
        "messages": [_in_channel(tag) for tag in sent],
    }
    return operations


def _message(tag: str, type_: type[msgspec.Struct]) -> dict[str, Any]:
    message: dict[str, Any] = {
        "name": tag,
        "payload": {"$ref": _TEMPLATE.format(name=type_.__name__)},
    }
    if words := doc(type_):
        message["summary"] = one_line(words.partition("\n\n")[0])
    return message


def _in_channel(tag: str) -> dict[str, str]:
    return {"$ref": f"#/channels/gateway/messages/{tag}"}


def _plain(schema: Any) -> Any:
    """Without OpenAPI's `discriminator` objects, which AsyncAPI's schemas do not have."""
    if isinstance(schema, dict):
        return {
            key: _plain(value)
            for key, value in schema.items()
            if not (key == "discriminator" and isinstance(value, dict) and "propertyName" in value)
        }
    if isinstance(schema, list):
        return [_plain(value) for value in schema]
    return schema
