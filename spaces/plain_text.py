"""Agents' words reduced to plain lines: what a terminal, a judge and a rival may be shown.

The characters are listed by code point and not by Unicode category, because categories grow with
every Unicode version and a replay must give the same text in any year and any language. Removed are
controls, format and bidirectional characters, zero-width and other ignorable characters, surrogates
and private use; every kind of newline becomes one, every kind of space becomes a plain one.
"""

from __future__ import annotations

import re

# CR LF, and what Unicode calls a mandatory break (UAX #14 classes BK, CR, NL).
_NEWLINE = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_SPACE = re.compile("[\t\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_REMOVED = re.compile(
    "["
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # C0 and C1 controls, among them ESC and CSI
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"  # ignorable
    "\u200b-\u200f\u202a-\u202e\u2060-\u206f"  # zero width and bidirectional
    "\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"  # blank, variation selectors, BOM, specials
    "\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2"  # marks that enclose the digits after them
    "\U000110bd\U000110cd\U00013430-\U0001345f"  # the same, and joiners of hieroglyphs
    "\ud800-\udfff\ue000-\uf8ff"  # surrogates, private use
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"  # ignorable
    "\U000e0000-\U000e0fff"  # tags: text that people cannot see and models can read
    "\U000f0000-\U0010ffff"  # private use
    "]"
)


def plain_lines(text: str) -> list[str]:
    """The lines of `text` that hold something, stripped. Idempotent over a join with newlines."""
    text = _REMOVED.sub("", _SPACE.sub(" ", _NEWLINE.sub("\n", text)))
    return [line for line in (line.strip(" ") for line in text.split("\n")) if line]
