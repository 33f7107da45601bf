"""What a contract understands and says, by its ABI: calls, results, constructors, events. Pure.

Addresses are given in any case and come out as EIP-55 writes them; structs are tuples in the order of their fields; what is no
UTF-8 in a text is U+FFFD.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from eth_abi.abi import encode
from eth_abi.codec import ABIDecoder
from eth_abi.decoding import StringDecoder
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.registry import BaseEquals, registry
from eth_utils.abi import collapse_if_tuple
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from chain.client.node import Log

Entry = Mapping[str, Any]


def _decoder() -> ABIDecoder:
    """Where a text is expected anybody may have put bytes that are none: no reason to read nothing more of a contract."""
    lenient = registry.copy()  # type: ignore[no-untyped-call]
    lenient.unregister_decoder("string")
    text = BaseEquals("string", with_sub=False)  # type: ignore[no-untyped-call]
    decoder = StringDecoder(handle_string_errors="replace")  # type: ignore[no-untyped-call]
    lenient.register_decoder(text, decoder, label="string")
    return ABIDecoder(lenient)


_DECODER = _decoder()


class Event(msgspec.Struct, frozen=True):
    """A log, understood."""

    name: str
    fields: dict[str, Any]
    """Indexed ones whose values are only hashed on chain (strings, arrays) are their hashes."""
    log: Log


class Abi:
    """Of one contract. Arguments that do not fit raise ValueError, which names the function."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._functions: dict[str, list[Entry]] = {}
        self._events: dict[str, Entry] = {}
        self._constructor: Entry = {"inputs": []}
        for entry in entries:
            if entry["type"] == "function":
                self._functions.setdefault(entry["name"], []).append(entry)
            elif entry["type"] == "event":
                self._events[_topic(entry)] = entry
            elif entry["type"] == "constructor":
                self._constructor = entry

    def call(self, function: str, *arguments: Any) -> bytes:
        """The data of a call."""
        entry = self._function(function, len(arguments))
        selector = keccak(text=_signature(entry))[:4]
        return selector + _encoded(function, entry["inputs"], arguments)

    def arguments(self, function: str, arguments: int, data: bytes) -> tuple[Any, ...]:
        """What a call with so many arguments was made with. Raises ValueError where it is a call of something else."""
        entry = self._function(function, arguments)
        if data[:4] != keccak(text=_signature(entry))[:4]:
            raise ValueError(f"not a call of {function}")
        return _decoded(function, entry["inputs"], data[4:])

    def result(self, function: str, arguments: int, data: bytes) -> tuple[Any, ...]:
        """What a call with so many arguments has returned. Raises ValueError where it is something else."""
        return _decoded(function, self._function(function, arguments)["outputs"], data)

    def creation(self, bytecode: str, *arguments: Any) -> bytes:
        """The data of the transaction that makes the contract; `bytecode` is hex with 0x."""
        made = bytes.fromhex(bytecode.removeprefix("0x"))
        return made + _encoded("the constructor", self._constructor["inputs"], arguments)

    def topic(self, event: str) -> str:
        """What the first topic of such a log is. Raises LookupError."""
        for topic, entry in self._events.items():
            if entry["name"] == event:
                return topic
        raise LookupError(f"the contract has no event {event!r}")

    def event(self, log: Log) -> Event | None:
        """None where it is no event of the contract."""
        entry = self._events.get(log.topics[0]) if log.topics else None
        if entry is None:
            return None
        indexed = [each for each in entry["inputs"] if each["indexed"]]
        rest = [each for each in entry["inputs"] if not each["indexed"]]
        if len(log.topics) != len(indexed) + 1:
            return None
        topics = [
            _decoded(entry["name"], [_as_topic(each)], bytes.fromhex(topic[2:]))[0]
            for each, topic in zip(indexed, log.topics[1:], strict=True)
        ]
        values = _decoded(entry["name"], rest, log.data)
        found = dict(zip((each["name"] for each in indexed), topics, strict=True))
        found |= dict(zip((each["name"] for each in rest), values, strict=True))
        return Event(
            entry["name"], {each["name"]: found[each["name"]] for each in entry["inputs"]}, log
        )

    def _function(self, name: str, arguments: int) -> Entry:
        for entry in self._functions.get(name, ()):
            if len(entry["inputs"]) == arguments:
                return entry
        known = [len(each["inputs"]) for each in self._functions.get(name, ())]
        if not known:
            raise ValueError(f"the contract has no function {name!r}")
        raise ValueError(f"{name} takes {' or '.join(map(str, known))} arguments, got {arguments}")


def _signature(entry: Entry) -> str:
    return f"{entry['name']}({','.join(_types(entry['inputs']))})"


def _topic(entry: Entry) -> str:
    return "0x" + keccak(text=_signature(entry)).hex()


def _types(parameters: Sequence[Any]) -> list[str]:
    return [collapse_if_tuple(each) for each in parameters]


def _as_topic(parameter: Entry) -> Entry:
    kind = str(parameter["type"])
    hashed = kind in ("string", "bytes") or kind.startswith("tuple") or kind.endswith("]")
    return {"name": parameter["name"], "type": "bytes32"} if hashed else parameter


def _encoded(what: str, parameters: Sequence[Any], arguments: Sequence[Any]) -> bytes:
    try:
        return encode(_types(parameters), list(arguments))
    except (EncodingError, ValueError, TypeError) as error:
        raise ValueError(f"the arguments of {what} do not fit: {error}") from None


def _decoded(what: str, parameters: Sequence[Any], data: bytes) -> tuple[Any, ...]:
    try:
        values = _DECODER.decode(_types(parameters), data)
    except (DecodingError, ValueError, OverflowError) as error:
        raise ValueError(f"{what} returned something else: {error}") from None
    return tuple(_plain(each, value) for each, value in zip(parameters, values, strict=True))


def _plain(parameter: Any, value: Any) -> Any:
    """With addresses as EIP-55 writes them, and lists as tuples."""
    kind = str(parameter["type"])
    if kind.endswith("]"):
        inner = {**parameter, "type": kind[: kind.rindex("[")]}
        return tuple(_plain(inner, each) for each in value)
    if kind == "tuple":
        parts = zip(parameter["components"], value, strict=True)
        return tuple(_plain(part, each) for part, each in parts)
    return to_checksum_address(value) if kind == "address" else value
