"""Cases that are looked at again and again, read again only when they have changed."""

from __future__ import annotations

from collections.abc import Mapping

from server.court.case import Case
from server.store.court import CaseRow, Court


class Known:
    """One per task."""

    def __init__(self, cases: Court) -> None:
        self._cases = cases
        self._rows: dict[str, CaseRow] = {}

    async def of(self, revisions: Mapping[str, int]) -> list[Case]:
        """Those of these sessions, in their order, as they are at these revisions or later; all others are forgotten."""
        known = {session: row for session, row in self._rows.items() if session in revisions}
        stale = [
            session
            for session, revision in revisions.items()
            if session not in known or known[session].revision < revision
        ]
        known |= {row.case.session: row for row in await self._cases.these(stale)}
        self._rows = known
        return [known[session].case for session in revisions if session in known]
