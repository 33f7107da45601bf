"""Seats' own word for what they played: `sign` of the protocol, answered.

A transcript is signed by the arena's key. A seat whose agent has a key signs it, too, and its signature stands in the result. What
is signed is fixed by the seal, so nothing here needs the live log; telling whose signature it is takes a millisecond or two, so a thread does it.
"""

from __future__ import annotations

import asyncio

import msgspec

from chain.documents.signature import recovered
from server.clock import Clock
from server.identity import Identity
from server.protocol import Accepted, Rejected, Sign
from server.store import Store
from server.store.seat_signatures import SeatSignature
from server.store.sessions import SessionRow
from spaces.transcript.typed import transcript_data

WAIT_MS = 5_000
"""After the seal: so long seats may sign, and so long at most the result waits for them."""


def window_ends_ms(row: SessionRow) -> int:
    """Unix ms, of a sealed session."""
    assert row.sealed_ms is not None, "it is sealed"
    return row.sealed_ms + WAIT_MS


class _Refused(Exception):
    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class _Head(msgspec.Struct, frozen=True):
    """Of a transcript, what is signed besides its digest; a long one is read in a few milliseconds."""

    root: str
    entries: list[msgspec.Raw]


class Desk:
    """Takes signatures for one escrow on one chain; a gateway has one."""

    def __init__(self, store: Store, chain_id: int, escrow: str, clock: Clock) -> None:
        self._store = store
        self._chain_id = chain_id
        self._escrow = escrow
        self._clock = clock

    async def sign(self, player: Identity, request: Sign) -> Accepted | Rejected:
        """Keep the signature of the player's seat, or say why not. Idempotent."""
        try:
            await self._take(player, request)
        except _Refused as refused:
            return Rejected(request.id, request.session, refused.code, refused.reason)
        return Accepted(request.id, request.session, -1)

    async def _take(self, player: Identity, request: Sign) -> None:
        row, seat = await self._seat(player, request)
        value = request.signature.lower()
        standing = (await self._store.seat_signatures.of(row.session)).get(seat)
        if standing is not None and standing.value == value:
            return
        if self._clock() >= window_ends_ms(row):
            words = f"a seat signs within {WAIT_MS // 1000} s of the seal"
            raise _Refused("late", words)
        signer = await self._signer(row, value)
        key = await self._store.seat_signatures.key_of(player.agent)
        if key is None:
            raise _Refused("no-key", "your agent has no signing key: agon agents key")
        if signer != key:
            words = f"it is by {signer or 'no key'}, for this chain and escrow; your agent signs by {key}"
            raise _Refused("other-key", words)
        if not await self._store.seat_signatures.keep(row.session, seat, SeatSignature(key, value)):
            raise _Refused("late", "the result is made")

    async def _seat(self, player: Identity, request: Sign) -> tuple[SessionRow, int]:
        row = await self._store.sessions.get(request.session)
        if row is None:
            raise _Refused("unknown-session", f"no session {request.session}")
        seat = next((each.seat for each in row.seats if each.agent == player.agent), None)
        if seat is None:
            raise _Refused("no-seat", "your agent has no seat in this session")
        if row.digest is None:
            raise _Refused("not-over", "the session has no sealed transcript yet")
        if row.digest != request.digest:
            raise _Refused("other-digest", f"the transcript's digest is {row.digest}")
        return row, seat

    async def _signer(self, row: SessionRow, value: str) -> str | None:
        sealed = await self._store.signed.transcript(row.session)
        assert sealed is not None, "a digest stands only beside its transcript"
        return await asyncio.to_thread(self._recover, row, sealed.document, value)

    def _recover(self, row: SessionRow, document: bytes, value: str) -> str | None:
        head = msgspec.json.decode(document, type=_Head)
        assert row.digest is not None, "checked"
        data = transcript_data(
            self._chain_id,
            self._escrow,
            session=row.session,
            digest=row.digest,
            root=head.root,
            entries=len(head.entries),
        )
        return recovered(data, value)
