"""What is true of every painting, whatever is painted."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from rich.text import Text

FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def words_on(rows: Sequence[Text]) -> str:
    return "\n".join(row.plain for row in rows)


def assert_fills(rows: Sequence[Text], width: int, height: int) -> None:
    """A frame of exactly this size that holds nothing that moves a cursor."""
    assert [row.cell_len for row in rows] == [width] * height
    found = {unicodedata.category(character) for row in rows for character in row.plain}
    assert not found & FORBIDDEN
