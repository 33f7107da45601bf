"""Canonical JSON against the package rfc8785, and what has no canonical form."""

from __future__ import annotations

import json
import math
from enum import StrEnum
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from spaces.canonical import MAX_DEPTH, MAX_INTEGER, CanonicalError, encode, sha256

SCALARS = st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | st.text()
DOCUMENTS: st.SearchStrategy[Any] = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=30
)


KEYS = st.text(st.characters(codec="ascii")) | st.text(max_size=2)
"""Ours are in ASCII, and such documents are written another way."""
DOCUMENTS |= st.recursive(
    SCALARS,
    lambda inner: st.tuples(inner, inner) | st.lists(inner) | st.dictionaries(KEYS, inner),
    max_leaves=30,
)


@given(DOCUMENTS)
def test_the_bytes_are_those_of_rfc8785(document: Any) -> None:
    assert encode(document) == rfc8785.dumps(document)


@given(DOCUMENTS)
def test_reading_gives_the_document_back(document: Any) -> None:
    assert msgspec.json.decode(encode(document)) == json.loads(json.dumps(document))


def test_keys_are_ordered_by_utf16_code_units() -> None:
    """The example of RFC 8785, section 3.2.3; code points would put the emoji last."""
    document = {
        "\u20ac": "Euro Sign",
        "\r": "Carriage Return",
        "\ufb33": "Hebrew Letter Dalet With Dagesh",
        "1": "One",
        "\U0001f600": "Emoji: Grinning Face",
        "\u0080": "Control",
        "\u00f6": "Latin Small Letter O With Diaeresis",
    }
    values = list(msgspec.json.decode(encode(document)).values())
    assert [value.split()[0] for value in values] == [
        "Carriage", "One", "Control", "Latin", "Euro", "Emoji:", "Hebrew",
    ]  # fmt: skip


def test_strings_are_escaped_as_section_3_2_2_2_says() -> None:
    assert encode('\b\t\n\f\r"\\/\x00\x1f\x7f\u20ac') == (
        b'"\\b\\t\\n\\f\\r\\"\\\\/\\u0000\\u001f\x7f\xe2\x82\xac"'
    )


def test_tuples_and_string_enums_are_written_as_json() -> None:
    class Suit(StrEnum):
        CLUBS = "clubs"

    assert encode({"a": (1, Suit.CLUBS)}) == b'{"a":[1,"clubs"]}'


def test_the_hash_is_of_the_canonical_bytes() -> None:
    assert sha256({"b": 1, "a": 2}) == sha256({"a": 2, "b": 1})


def nested(depth: int) -> Any:
    document: Any = 0
    for _ in range(depth):
        document = [document]
    return document


@pytest.mark.parametrize(
    ("document", "fact"),
    [
        (1.0, r"float at \$"),
        ({"a": [1, {"b": math.nan}]}, r"float at \$\.a\[1\]\.b"),
        (MAX_INTEGER + 1, "integer beyond"),
        (-MAX_INTEGER - 1, "integer beyond"),
        ("\ud800", "lone surrogate"),
        ({"\udfff": 1}, "lone surrogate"),
        ({1: 2}, "key 1 is not a string"),
        ({None: 2}, "key None is not a string"),
        (b"bytes", "bytes at"),
        ({"a": {1, 2}}, "set at"),
        (nested(MAX_DEPTH + 1), "levels"),
    ],
)
def test_what_has_no_canonical_form_is_refused(document: Any, fact: str) -> None:
    with pytest.raises(CanonicalError, match=fact):
        encode(document)


def test_the_deepest_allowed_document_is_encoded() -> None:
    assert encode(nested(MAX_DEPTH)) == b"[" * MAX_DEPTH + b"0" + b"]" * MAX_DEPTH
