"""How Agon logs: structlog, one canonical line per connection, session and job, JSON unless on a tty.

Lines are for machines; on a terminal somebody reads along. There the canonical lines of what goes well
are counted and told once a minute, unless he asks for all of them (`log_level` debug).
"""

from __future__ import annotations

import logging
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

import structlog

ROUTINE: Mapping[str, str] = {
    "session formed": "formed",
    "session sealed": "sessions",
    "job": "jobs",
    "connection": "connections",
    "http.request": "requests",
    "session taken over": "",
    "session let go": "",
    "llm_answer_fault": "",
    "leads": "",
    "queue taken over": "",
    "tournament taken up": "",
    "gateway listens": "",
    "gateway drains": "",
}
"""Events at level info that are no news to who watches an arena -> what they are counted as; those
counted as nothing are told by others, or happen for every queue at each start."""
EVERY_S = 60.0
"""Between two counts, at least; without any routine there is none."""


class Calm:
    """A processor for terminals: holds routine back and tells its counts. `clock` in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = clock()
        self._counts: Counter[str] = Counter()

    def __call__(
        self, logger: Any, method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """The event, or in place of a routine one the counts if they are due. Raises DropEvent."""
        counted = ROUTINE.get(str(event.get("event")))
        if counted is None or method != "info":
            return event
        if counted:
            self._counts[counted] += 1
        waited_s = self._clock() - self._since
        if waited_s < EVERY_S or not self._counts:
            raise structlog.DropEvent
        told, self._counts, self._since = self._counts, Counter(), self._clock()
        return {"event": f"in {waited_s:.0f} s", "level": event.get("level", method), **told}


def configure(level: str, *, as_json: bool) -> None:
    """Set up logging for this process; lines go to standard error."""
    number = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(stream=sys.stderr, level=max(number, logging.WARNING), format="%(message)s")
    for_machines = as_json or not sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            *(_machine() if for_machines else _terminal(number)),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def _machine() -> list[structlog.typing.Processor]:
    return [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]


def _terminal(level: int) -> list[structlog.typing.Processor]:
    return [
        *([Calm()] if level > logging.DEBUG else []),
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        structlog.dev.ConsoleRenderer(
            pad_event_to=24, exception_formatter=structlog.dev.plain_traceback
        ),
    ]
