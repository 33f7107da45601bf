"""Reading messages of our own from streams that processes of several versions write."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import msgspec
import structlog

_logger = structlog.get_logger()
T = TypeVar("T")


def decoded(decode: Callable[[bytes], T], messages: Iterable[bytes]) -> Iterator[T]:
    """The messages that can be read. One that cannot must not stop the reader of a stream; what it
    held is sent again, or read from the log."""
    for message in messages:
        try:
            yield decode(message)
        except msgspec.MsgspecError as error:
            _logger.warning("unreadable message in redis", error=str(error))
