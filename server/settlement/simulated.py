"""No chain at all: every deposit and withdrawal is confirmed after a while. Its money is play-acting, and
whoever asks is told so. For trying the platform out, and for its tests.
"""

from __future__ import annotations

from server.clock import Clock
from server.settlement.seam import Confirmed, Failed
from server.store.crossings import Crossing

NAME = "simulated"


class SimulatedSettlement:
    name = NAME

    def __init__(self, clock: Clock, delay_ms: int) -> None:
        self._clock = clock
        self._delay_ms = delay_ms

    async def outcome(self, crossing: Crossing) -> Confirmed | Failed | None:
        if self._clock() < crossing.made_ms + self._delay_ms:
            return None
        return Confirmed(f"simulated:{crossing.id}"[:80])
