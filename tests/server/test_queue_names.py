from __future__ import annotations

import msgspec

from server.live.queue_names import Queue, session_of
from server.protocol import Confirm, Dequeue


def test_a_ticket_of_the_longest_space_and_the_highest_fee_fits_the_wire() -> None:
    queue = Queue("openspiel:" + "x" * 54, 10**12)
    name = queue.new_name()
    assert Queue.of(name) == queue
    assert len(session_of(name)) == 26
    assert msgspec.convert({"type": "dequeue", "ticket": name}, Dequeue).ticket == name
    assert msgspec.convert({"type": "confirm", "offer": name}, Confirm).offer == name
