"""The screen as plain text, for asserts and snapshots."""

from __future__ import annotations

from typing import Any

from textual.app import App


def dump(app: App[Any]) -> str:
    """The uppermost screen as it is now, one line a row, blanks kept; empty while it goes down."""
    if not app.screen_stack:
        return ""
    # Textual has no public way to read the screen but SVG, whose text is cut into spans.
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())
