"""The screen of a session's proof."""
