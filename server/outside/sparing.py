"""What a program tells whoever runs it, without saying one thing over and over."""

from __future__ import annotations

from collections.abc import Callable


class Sparing:
    """Says the same of the same thing once, until something else is to be said of it."""

    MOST = 1_000

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._said: dict[str, str] = {}

    def about(self, what: str, line: str) -> None:
        if self._said.get(what) != line:
            if len(self._said) >= self.MOST:
                self._said.clear()
            self._said[what] = line
            self._tell(line)

    def over(self, what: str) -> None:
        self._said.pop(what, None)
