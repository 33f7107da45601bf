"""The two-player games of TextArena as Spaces: `textarena:tictactoe-v0`.

Guertler et al., "TextArena" (2025), arXiv:2504.11442.
"""

from spaces.bridges.theirs.textarena.space import TextArenaSpace, resolve

__all__ = ["TextArenaSpace", "resolve"]
