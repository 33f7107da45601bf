from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from server.gateway.frames import BINARY, JSON, MSGPACK, PING_FRAME, TEXT, BadMessage, Codec, frame
from server.protocol import (
    Act,
    ClientMessage,
    Hello,
    Ping,
    Pong,
    Position,
    ServerMessage,
    Subscribe,
)


@pytest.mark.parametrize("length", [0, 1, 125, 126, 127, 65_535, 65_536, 100_000])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_frames_are_rfc_6455(opcode: int, length: int) -> None:
    payload = b"x" * length
    assert frame(opcode, payload) == Frame(Opcode(opcode), payload).serialize(mask=False)


def test_a_ping_is_an_empty_control_frame() -> None:
    assert Frame(Opcode.PING, b"").serialize(mask=False) == PING_FRAME


def test_messages_go_out_in_the_subprotocols_form() -> None:
    framed = JSON.frame(Pong(3, 5))
    assert framed[0] == 0x81
    assert msgspec.json.decode(framed[2:], type=ServerMessage) == Pong(3, 5)
    packed = MSGPACK.frame(Pong(3, 5))
    assert packed[0] == 0x82
    assert msgspec.msgpack.decode(packed[2:], type=ServerMessage) == Pong(3, 5)


@pytest.mark.parametrize(
    "message",
    [
        Hello("agon_" + "k" * 20),
        Ping(2**53 - 1),
        Subscribe("session:s", Position("e", -1)),
        Act("a", "s", 1, "naïve\n\x1b[31m"),
    ],
)
def test_both_subprotocols_read_what_clients_write(message: ClientMessage) -> None:
    assert JSON.read(msgspec.json.encode(message).decode()) == message
    assert MSGPACK.read(msgspec.msgpack.encode(message)) == message


@given(st.one_of(st.text(max_size=300), st.binary(max_size=300)))
def test_any_input_is_read_or_refused(data: str | bytes) -> None:
    for codec in (JSON, MSGPACK):
        reason = refusal(codec, data)
        assert len(reason) <= 300
        assert not reason or reason.isprintable()


def refusal(codec: Codec, data: str | bytes) -> str:
    try:
        codec.read(data)
    except BadMessage as error:
        return str(error)
    return ""


def test_the_reason_names_what_was_expected_and_cannot_paint_the_screen() -> None:
    with pytest.raises(BadMessage, match="Object missing required field `channel`"):
        JSON.read('{"type":"subscribe"}')
    with pytest.raises(BadMessage) as error:
        JSON.read('{"type":"\\u001b[31mred"}')
    assert "\x1b" not in str(error.value)
