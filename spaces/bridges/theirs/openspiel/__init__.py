"""The turn-based and simultaneous games of OpenSpiel as Spaces: `openspiel:kuhn_poker`.

Lanctot et al., "OpenSpiel: a framework for reinforcement learning in games" (2019), arXiv:1908.09453.
"""

from spaces.bridges.theirs.openspiel.space import OpenSpielSpace, resolve

__all__ = ["OpenSpielSpace", "resolve"]
