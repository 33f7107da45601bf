"""Entries that cost nothing, for tests of queues without a store."""

from __future__ import annotations

from server.live.records import TicketRecord
from server.store.holds import HoldRow


class FreeEntries:
    """Remembers what was held and released."""

    def __init__(self) -> None:
        self.holding: dict[str, TicketRecord] = {}

    async def hold(self, ticket: TicketRecord, run: int | None = None) -> None:
        self.holding[ticket.ticket] = ticket

    async def release(self, ticket: str, *, missed: bool = False) -> bool:
        return self.holding.pop(ticket, None) is not None

    async def held(self, older_than_ms: int, after: str, limit: int) -> list[HoldRow]:
        return []
