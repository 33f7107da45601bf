"""JSON-RPC 2.0 requests and their parameters, decoded without recursion and within bounds."""

from __future__ import annotations

import binascii
import re
from typing import Any

import msgspec

from chain.devchain.pool import MAX_RAW_BYTES

MAX_BODY_BYTES = 1024 * 1024
MAX_BATCH = 100
MAX_DATA_BYTES = MAX_RAW_BYTES
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}", re.ASCII)
TAGS = ("latest", "pending", "safe", "finalized", "earliest")

_Part = bool | int | str | list[str] | dict[str, str | list[str] | None] | None
_Object = dict[str, bool | int | str | list[_Part] | None]
Param = bool | int | float | str | list[float | str] | _Object | None


class Request(msgspec.Struct, frozen=True):
    method: str
    jsonrpc: str = ""
    id: int | str | None = None
    params: list[Param] = []


class RpcError(Exception):
    """What the caller is told, with a code of JSON-RPC or of Ethereum (EIP-1474)."""

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.data = data


def invalid(message: str) -> RpcError:
    return RpcError(-32602, message)


_decoder = msgspec.json.Decoder(Request | list[Request])


def decode(body: bytes) -> Request | list[Request]:
    """Raises RpcError."""
    try:
        found: Request | list[Request] = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise RpcError(-32600, f"invalid request: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RpcError(-32700, f"parse error: {error}") from None
    if isinstance(found, list) and not 0 < len(found) <= MAX_BATCH:
        raise RpcError(-32600, f"a batch has 1 to {MAX_BATCH} requests")
    return found


class Params:
    """A request's parameters by position, each parsed as it is asked for. All raise RpcError."""

    def __init__(self, given: list[Param]) -> None:
        self._given = given

    def get(self, at: int) -> Param:
        return self._given[at] if at < len(self._given) else None

    def data(self, at: int, *, size: int | None = None) -> bytes:
        return to_bytes(self.get(at), f"parameter {at}", size=size)

    def address(self, at: int) -> bytes:
        return self.data(at, size=20)

    def hash(self, at: int) -> bytes:
        return self.data(at, size=32)

    def number(self, at: int, default: int | None = None) -> int:
        value = self.get(at)
        if value is None and default is not None:
            return default
        return to_int(value, f"parameter {at}")

    def flag(self, at: int) -> bool:
        return self.get(at) is True

    def object(self, at: int) -> dict[str, Any]:
        value = self.get(at)
        if not isinstance(value, dict):
            raise invalid(f"parameter {at} must be an object")
        return value

    def block(self, at: int) -> int | bytes | str:
        """A number, a hash (EIP-1898) or one of TAGS; `latest` where nothing is said."""
        value: object = self.get(at)
        if isinstance(value, dict):
            if "blockHash" in value:
                return to_bytes(value["blockHash"], "blockHash", size=32)
            value = value.get("blockNumber")
        return to_block(value, f"parameter {at}")


def to_block(value: object, name: str) -> int | str:
    if value is None:
        return "latest"
    if isinstance(value, str) and value in TAGS:
        return value
    return to_int(value, name)


def to_int(value: object, name: str) -> int:
    """A quantity below 2^256; plain numbers are taken, too, as test clients send them."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise invalid(f"{name} must be a quantity: hex with 0x, at most 256 bits")
    return int(value, 16)


def to_bytes(value: object, name: str, *, size: int | None = None) -> bytes:
    if not isinstance(value, str) or not value.startswith("0x"):
        raise invalid(f"{name} must be hex with 0x")
    if len(value) > 2 + 2 * MAX_DATA_BYTES:
        raise invalid(f"{name} is longer than {MAX_DATA_BYTES} bytes")
    try:
        found = binascii.unhexlify(value[2:])  # bytes.fromhex takes spaces, too
    except ValueError:
        raise invalid(f"{name} is no hexadecimal data") from None
    if size is not None and len(found) != size:
        raise invalid(f"{name} must have {size} bytes, got {len(found)}")
    return found
