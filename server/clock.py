"""The one place that reads the wall clock; everything else is handed a `Clock`."""

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Unix milliseconds."""


def unix_ms() -> int:
    return time.time_ns() // 1_000_000
