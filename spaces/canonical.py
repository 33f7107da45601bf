"""Canonical JSON: RFC 8785 (JCS) for documents without floats (PROOFS).

Leaving floats out leaves out the one hard part of the RFC, the shortest form of an IEEE 754 number,
so that a verifier in any language is a page of code. Integers stay within +-(2^53 - 1), where every
language's JSON agrees (RFC 7493, section 2.2).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import msgspec

MAX_INTEGER = 2**53 - 1
MAX_DEPTH = 64
"""Our documents nest less than ten deep; the bound keeps hostile ones from the recursion limit."""


class CanonicalError(ValueError):
    """The value has no canonical form; the message gives its place as a path from `$`."""


def encode(value: Any) -> bytes:
    """The canonical UTF-8 bytes of None, bool, int, str, and lists, tuples and dicts of them.

    Raises CanonicalError for floats, integers beyond 2^53 - 1, lone surrogates, keys that are not
    strings, values of any other type, and more than MAX_DEPTH levels.
    """
    if _is_plain(value, 0):
        # msgspec escapes as json does below, and sorts by code point, which for ASCII is no difference.
        with contextlib.suppress(UnicodeEncodeError):
            return msgspec.json.encode(value, order="sorted")
    ordered = _ordered(value, "$", 0)
    # With ensure_ascii off json escapes exactly what RFC 8785, section 3.2.2.2 asks for: the quote,
    # the backslash, \b \t \n \f \r, and the other controls as \u00xx in lower case.
    text = json.dumps(ordered, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8")


def decode(document: bytes) -> Any:
    """The value of canonical bytes, which may come from anybody. Raises CanonicalError for all others."""
    try:
        value = msgspec.json.decode(document)
        same = encode(value) == document
    except (msgspec.DecodeError, UnicodeDecodeError, CanonicalError) as error:
        raise CanonicalError(f"not canonical JSON: {error}") from None
    except RecursionError:
        raise CanonicalError("not canonical JSON: nested too deep") from None
    if not same:
        raise CanonicalError("not canonical JSON: the bytes differ from RFC 8785's")
    return value


def sha256(value: Any) -> str:
    """The hex SHA-256 of the canonical bytes. Raises CanonicalError."""
    return hashlib.sha256(encode(value)).hexdigest()


def _is_plain(value: Any, depth: int) -> bool:
    """Whether msgspec's encoder, many times faster, writes the canonical form of `value` as it is: nothing
    but these very types, within the bounds, and keys in ASCII. Lone surrogates it finds itself."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-MAX_INTEGER <= value <= MAX_INTEGER)
    if depth == MAX_DEPTH:
        return False
    if kind is list or kind is tuple:
        return all(_is_plain(item, depth + 1) for item in value)
    return kind is dict and all(
        type(key) is str and key.isascii() and _is_plain(item, depth + 1)
        for key, item in value.items()
    )


def _ordered(value: Any, path: str, depth: int) -> Any:
    """A copy that json.dumps may write as it is: checked, with the keys of objects in order."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        _check_text(value, path)
        return str(value)  # a subclass (an enum) is written as its text
    if isinstance(value, int):
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise CanonicalError(f"integer beyond 2^53 - 1 at {path}")
        return int(value)
    if depth == MAX_DEPTH:
        raise CanonicalError(f"more than {MAX_DEPTH} levels at {path}")
    if isinstance(value, list | tuple):
        return [_ordered(item, f"{path}[{i}]", depth + 1) for i, item in enumerate(value)]
    if isinstance(value, Mapping):
        return _ordered_object(value, path, depth)
    raise CanonicalError(f"no canonical form for {type(value).__name__} at {path}")


def _ordered_object(value: Mapping[Any, Any], path: str, depth: int) -> dict[str, Any]:
    for key in value:
        if not isinstance(key, str):
            raise CanonicalError(f"key {key!r} is not a string at {path}")
        _check_text(key, path)
    # Section 3.2.3: by UTF-16 code units. Big-endian bytes compare as the units do; in ASCII, where
    # nearly all keys are, so does the text.
    if all(map(str.isascii, value)):
        keys = sorted(value)
    else:
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
    return {key: _ordered(value[key], f"{path}.{key}", depth + 1) for key in keys}


def _check_text(text: str, path: str) -> None:
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise CanonicalError(f"lone surrogate at {path}") from None
