"""Why content could not be kept or had, by whose matter it is.

IpfsError
├── Unavailable    the node does not answer, or not in time: the same may go well later
├── Refused        the node answers that it will not or cannot; its own words
│   └── NotThere   it has not got the content
├── TooLarge       more than was asked for: cut off, and not kept
└── WrongContent   what came is not what the id says: the node, or its disk, lies
"""

from __future__ import annotations


class IpfsError(Exception):
    """The message says what was asked of which node, in plain words; it never holds a password."""

    reason = ""
    """Set where the message says all there is to know: no trace of the program helps."""


class Unavailable(IpfsError):
    """Nothing is known of what was asked: it may even have been done."""


class Refused(IpfsError):
    """It was not done."""


class NotThere(Refused):
    """Neither this node nor, where it is part of a network, anybody it could reach in time has the content."""


class TooLarge(IpfsError):
    """The bound is the asker's."""


class WrongContent(IpfsError):
    """Never to be used for anything."""
