"""Why a training is not begun, or ends: each message says what to do.

CannotTrain
├── OtherRun   the folder holds another run
├── Diverged   the loss is no number any more
└── BadFile    the file is not what the recipe learns from
"""

from __future__ import annotations


class CannotTrain(ValueError):
    """The configuration and the examples do not make a training."""


class OtherRun(CannotTrain):
    """The folder holds a run that is not this one."""


class Diverged(CannotTrain):
    """The loss is no number any more; this folder's checkpoints lead there again."""


class BadFile(CannotTrain):
    """A file of examples cannot be read; the message names the line."""
