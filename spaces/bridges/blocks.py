"""Other projects' texts as plain blocks: boards keep their layout, and nothing moves a cursor.

Their strings hold terminal colours, box drawings and, in games of words, what agents wrote.
"""

from __future__ import annotations

import re

from spaces.plain_text import plain_lines

_COLOURS = re.compile("\x1b\\[[0-9;?]*[ -/]*[@-~]")
"""Control sequences of ECMA-48, e.g. select graphic rendition."""
_MANY_BLANKS = re.compile("\n{3,}")


def plain_block(text: str, limit: int) -> str:
    """`text` with its indentation and single blank lines, in at most `limit` characters.

    A longer one keeps its end, where the news is. Idempotent for texts within the limit.
    """
    lines = [_line(line) for line in _COLOURS.sub("", text).expandtabs(4).splitlines()]
    block = _MANY_BLANKS.sub("\n\n", "\n".join(lines)).strip("\n")
    return block if len(block) <= limit else "…" + block[len(block) - limit + 1 :]


def _line(line: str) -> str:
    indent = len(line) - len(line.lstrip(" "))
    return (" " * indent + " ".join(plain_lines(line))).rstrip(" ")
