"""Owners' words, made fit to be stored, shown and sent to a model. Pure.

Prompts are hostile text: strangers' models read them, owners' terminals show them. What nobody can see is
taken out; what cannot be stored (NUL, half a surrogate pair) is refused, since it is a program's mistake.
"""

from __future__ import annotations

import re
import unicodedata

ABOUT_CHARS = 280
_MAX_MARKS = 2
"""Combining marks that may follow one letter; towers of them spill over the lines of a terminal."""

# CR LF, and what Unicode calls a mandatory break (UAX #14 classes BK, CR, NL).
_NEWLINE = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_UNSEEN = re.compile(
    "["
    "\x01-\x08\x0e-\x1f\x7f-\x84\x86-\x9f"  # C0 and C1 controls, among them ESC and CSI
    "\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff"  # bidirectional, zero width, BOM
    "\U000e0000-\U000e0fff"  # tags: text that people cannot see and models can read
    "]"
)
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class BadWords(ValueError):
    """A text cannot be stored; the message says which and why."""


def prompt_of(raw: str, what: str) -> str:
    """A prompt as it is stored: newlines are `\\n`, nothing unseen in it, no blank ends. Idempotent.

    Joiners stay, since scripts and emoji need them. `what` names the text in errors. Raises BadWords.
    """
    _check_storable(raw, what)
    return _UNSEEN.sub("", _NEWLINE.sub("\n", raw)).strip()


def about_of(raw: str) -> str:
    """An agent's `about`: one line, as a name is cleaned. May be empty. Raises BadWords."""
    _check_storable(raw, "about")
    line = one_line(raw)
    if len(line) > ABOUT_CHARS:
        raise BadWords(f"about has {len(line)} characters; at most {ABOUT_CHARS} fit")
    return line


def one_line(raw: str) -> str:
    """NFC, printable, single spaces; may be empty. Idempotent."""
    kept = "".join(_printable(unicodedata.normalize("NFC", raw)))
    return " ".join(kept.split())


def _printable(text: str) -> list[str]:
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if category.startswith("Z") or char in "\t\n\r\v\f":
            kept.append(" ")
        elif category.startswith("C"):  # control, format (bidi, zero width), surrogate, private
            continue
        elif category.startswith("M"):
            marks += 1
            if marks <= _MAX_MARKS and kept:
                kept.append(char)
            continue
        else:
            kept.append(char)
        marks = 0
    return kept


def _check_storable(raw: str, what: str) -> None:
    found = _UNSTORABLE.search(raw)
    if found is not None:
        kind = "a NUL" if found[0] == "\x00" else "half a surrogate pair"
        raise BadWords(f"{what} holds {kind} at character {found.start()}; send text")
