"""Agents' words made safe for a terminal: what arrives is hostile, what leaves only has width.

Every string that came over the wire passes `clean` or `clean_lines` before it is painted. What they
return holds no control, escape, bidi or invisible character, no tower of combining marks, and
nothing whose width depends on its neighbour (joiners, variation selectors, flags, skin tones), so
that the sum of the characters' widths is what the terminal draws. Nothing here is ever read as
Rich or Textual markup: painters build `rich.text.Text` from plain strings.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size

MAX_MARKS = 2
"""Combining marks kept on one base character: enough for Vietnamese, too few for Zalgo."""
MAX_CHARS = 16_384
"""Characters of one text that are looked at: the protocol's bound on an answer."""
MAX_LINES = 200
ELLIPSIS = "…"
TAB = 4
"""Columns of a tab in a block."""

_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Me"})
_SPACES = frozenset({"Zs", "Zl", "Zp"})
_FLAG_A = 0x1F1E6
_FLAG_Z = 0x1F1FF
# Drawn wider than any width table says, or as blank letters.
_DROPPED = frozenset(
    map(chr, (0x115F, 0x1160, 0x3164, 0xFFA0, 0xFDFD, 0x2E3B, 0x12031, 0x1242B, 0x12219))
)


def clean(text: str, limit: int = MAX_CHARS) -> str:
    """`text` as one safe line of at most `limit` characters, an ellipsis marking what was cut."""
    safe = " ".join(_safe(text[: limit * 2 + 64]).split())
    return safe if len(safe) <= limit and len(text) <= limit * 2 + 64 else _cut(safe, limit)


def clean_lines(text: str, limit: int = MAX_CHARS) -> list[str]:
    """`text` as safe lines, at most MAX_LINES; breaks stay where the author put them."""
    lines = [" ".join(_safe(line).split()) for line in text[:limit].splitlines()[:MAX_LINES]]
    while lines and not lines[-1]:
        lines.pop()
    return lines


def block_lines(text: str, limit: int = MAX_CHARS) -> list[str]:
    """`text` as safe lines whose blanks stay, since in a board, a grid or a table they tell where
    things stand; at most MAX_LINES, without the empty ones around them."""
    lines = [_safe(line.expandtabs(TAB)).rstrip() for line in text[:limit].splitlines()[:MAX_LINES]]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        del lines[0]
    return lines


@lru_cache(maxsize=2048)
def _safe(text: str) -> str:
    # Normalised again at the end: what was dropped may have stood between a letter and its mark.
    plain = "".join(_safe_characters(unicodedata.normalize("NFC", text)))
    return unicodedata.normalize("NFC", plain)


def _safe_characters(text: str) -> Iterator[str]:
    marks = MAX_MARKS  # a mark without a base before it is dropped
    for character in text:
        if "!" <= character <= "~":
            marks = 0
            yield character
            continue
        plain = _plain(character)
        if not plain:
            continue
        if get_character_cell_size(plain) == 0:
            marks += 1
            if marks > MAX_MARKS:
                continue
        else:
            marks = MAX_MARKS if plain == " " else 0
        yield plain


def _plain(character: str) -> str:
    """The character itself, a stand-in, or nothing."""
    if character in "\t\n\r\v\f\x85":
        return " "
    category = unicodedata.category(character)
    if category in _SPACES:
        return " "
    if category in _DROPPED_CATEGORIES or character in _DROPPED:
        return ""
    code = ord(character)
    if _FLAG_A <= code <= _FLAG_Z:
        return chr(ord("A") + code - _FLAG_A)
    if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF or 0x1F3FB <= code <= 0x1F3FF:
        return ""
    return character


def glyph(character: str) -> str:
    """What stands for one character in an editor, whose text stays what it is: the character, or a
    dot for what must not reach a terminal. A combining mark has no place of its own: nothing."""
    plain = _plain(character)
    return "" if plain and get_character_cell_size(plain) == 0 else plain or "·"


def glyphs(text: str) -> str:
    """What stands for each character of a row in an editor, with MAX_MARKS on a letter at most."""
    found, marks = [], MAX_MARKS
    for character in text:
        shown = glyph(character)
        marks = marks + 1 if not shown or get_character_cell_size(shown) == 0 else 0
        found.append(shown if marks == 0 else character if marks <= MAX_MARKS else "")
    return "".join(found)


def _cut(text: str, limit: int) -> str:
    return text[: max(0, limit - 1)].rstrip() + ELLIPSIS


def fit(text: str, width: int) -> str:
    """A safe line cut to at most `width` cells, an ellipsis marking what was cut."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    return head(text, width - 1).rstrip() + ELLIPSIS


def head(text: str, width: int) -> str:
    """The longest start of a safe line that fits `width` cells."""
    used = 0
    for at, character in enumerate(text):
        used += get_character_cell_size(character)
        if used > width:
            return text[:at]
    return text


def wrap(text: str, width: int) -> list[str]:
    """A safe line broken at spaces into lines of at most `width` cells; longer words are cut.

    Always at least one line. A `width` below 2 yields only what fits, since a wide character has no
    place there.
    """
    rows: list[str] = []
    row = ""
    for word in _pieces(text.split(), width):
        joined = f"{row} {word}" if row else word
        if cell_len(joined) <= width:
            row = joined
        else:
            rows.append(row)
            row = word
    return [*rows, row]


def wrap_block(lines: Iterable[str], width: int) -> list[str]:
    """Safe lines as they stand; the ones that are too wide are broken at their spaces."""
    return [
        row for each in lines for row in ([each] if cell_len(each) <= width else wrap(each, width))
    ]


def _pieces(words: Iterable[str], width: int) -> Iterator[str]:
    for word in words:
        rest = word
        while cell_len(rest) > width:
            piece = head(rest, width)
            if not piece:
                return
            yield piece
            rest = rest[len(piece) :]
        if rest:
            yield rest
