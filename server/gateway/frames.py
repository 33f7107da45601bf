"""From a message of the protocol to bytes for a transport: encoded and framed once, sent to many.

A server's frames are not masked (RFC 6455 section 5.1), so the same bytes serve every connection
that speaks the same subprotocol.
"""

from __future__ import annotations

import struct
from typing import Any, Final, cast

import msgspec

from server.live.records import open_view
from server.protocol import (
    JSON_SUBPROTOCOL,
    MSGPACK_SUBPROTOCOL,
    ClientMessage,
    ServerMessage,
    View,
)

TEXT: Final = 0x1
BINARY: Final = 0x2
PING: Final = 0x9

_FIN = 0x80


def frame(opcode: int, payload: bytes) -> bytes:
    """One unfragmented, unmasked frame (RFC 6455 section 5.2)."""
    length = len(payload)
    if length < 126:
        return struct.pack("!BB", _FIN | opcode, length) + payload
    if length < 65_536:
        return struct.pack("!BBH", _FIN | opcode, 126, length) + payload
    return struct.pack("!BBQ", _FIN | opcode, 127, length) + payload


PING_FRAME: Final = frame(PING, b"")


class BadMessage(ValueError):
    """An inbound message cannot be read; the text says what was expected, for the client."""


class Codec:
    """One subprotocol: how its messages are read and how its frames are made. Two instances exist."""

    __slots__ = ("_decoder", "_encoder", "_kind", "_opcode", "_packed", "name")

    def __init__(self, name: str, opcode: int, kind: type[str] | type[bytes], module: Any) -> None:
        self.name = name
        self._opcode = opcode
        self._kind = kind
        self._encoder = module.Encoder()
        self._decoder = module.Decoder(ClientMessage)
        self._packed = module is msgspec.msgpack

    def view(self, packed: msgspec.Raw) -> View:
        """A view of `records.ViewSet` as `frame` takes it: for MessagePack it goes out as it came in."""
        return cast(View, packed) if self._packed else open_view(packed)

    def frame(self, message: ServerMessage) -> bytes:
        return frame(self._opcode, self._encoder.encode(message))

    def read(self, data: str | bytes) -> ClientMessage:
        """Decode one inbound message. Raises BadMessage, whatever the bytes are."""
        if not isinstance(data, self._kind):
            kind = "text" if self._kind is str else "binary"
            raise BadMessage(f"{self.name} messages travel in {kind} frames")
        try:
            message: ClientMessage = self._decoder.decode(data)
        except (ValueError, RecursionError) as error:
            # ValueError covers msgspec's errors and the UnicodeDecodeError of a MessagePack string;
            # RecursionError is how msgspec meets input that is nested too deeply.
            raise BadMessage(_reason(error)) from None
        return message


def _reason(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return "a string is not utf-8"
    # The text may quote an unknown field's name or tag: bounded, and without control characters.
    return "".join(c if c.isprintable() else "?" for c in str(error)[:200])


JSON: Final = Codec(JSON_SUBPROTOCOL, TEXT, str, msgspec.json)
MSGPACK: Final = Codec(MSGPACK_SUBPROTOCOL, BINARY, bytes, msgspec.msgpack)
CODECS: Final = {codec.name: codec for codec in (JSON, MSGPACK)}
