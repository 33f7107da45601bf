"""What is on the screen; folders mirror its parts.

Each widget is a thin `pane.Pane` around a pure painter `(State, width, height) -> lines`.
"""
