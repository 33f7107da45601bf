"""The reading of a session's observation, remembered: every pane of a screen asks for the same one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from server.protocol import SessionView

T = TypeVar("T")


class Remembered(Generic[T]):
    """A pure reader of views that keeps what it made of the last one."""

    def __init__(self, read: Callable[[SessionView], T | None]) -> None:
        self._read = read
        self._view: SessionView | None = None
        self._told: T | None = None

    def __call__(self, view: SessionView | None) -> T | None:
        """None for no view, and for one that the reader cannot read."""
        if view is None:
            return None
        if view is not self._view:  # views are never changed, so the same one reads the same
            self._told, self._view = self._read(view), view
        return self._told
