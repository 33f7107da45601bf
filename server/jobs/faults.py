"""Why a step fails, by what helps. Whatever is not listed here is tried again, later.

StepFault
├── Permanent    trying again gives the same: a dead letter at once
├── TooEarly     something that must come first has not come yet
├── NotNow       a service outside can do it for nobody now: tried again for as long as it takes
│   └── Awaits   somebody will wake the row; looked at now and then, should that be lost
└── Superseded   (fence.py) the row is not this attempt's any more
"""

from __future__ import annotations


class StepFault(Exception):
    """The message is shown to people as the step's detail."""


class Permanent(StepFault):
    """The step can never succeed with what is stored."""


class NotNow(StepFault):
    """No attempt is counted: a day without that service must leave no dead letters."""


class Awaits(NotNow):
    """Judges who have hours are not asked every few seconds whether they are done."""


class TooEarly(StepFault):
    """Another process is expected to do something first."""
