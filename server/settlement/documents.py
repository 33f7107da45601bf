"""The signed documents of sessions: each made once, and the same bytes for ever after.

A host seals without a key. Here a worker signs what was sealed, before anybody can have had it, and makes the result once the
session is settled and rated, and its seats have signed or had their time for it. Both are functions of what is stored, so it does not matter who does it, or how often.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from chain.content import cid
from chain.documents import result as results
from chain.documents.form import Signature
from chain.documents.result import ResultDocument
from server.clock import Clock, unix_ms
from server.proofs import unsigned_result
from server.settlement.seat_signatures import window_ends_ms
from server.settlement.signing import Signing
from server.store import Store
from server.store.seat_signatures import SeatSignature
from server.store.signed import KeptResult


class SessionDocuments:
    """By one key; any number of processes may have one."""

    def __init__(self, store: Store, signing: Signing, clock: Clock = unix_ms) -> None:
        self._store = store
        self._signing = signing
        self._clock = clock

    async def transcript(self, session: str) -> bytes | None:
        """The transcript as it is handed out and pinned; None while it is live or unknown."""
        sealed = await self._store.signed.transcript(session)
        if sealed is not None and sealed.signer is None and not sealed.pinned:
            signed = self._signing.transcript(sealed.document)
            address = self._signing.address
            sealed = await self._store.signed.sign_transcript(session, signed, address)
        return None if sealed is None else sealed.document

    async def result(self, session: str) -> KeptResult | None:
        """The session's result; None while what follows it is not done, or a seat may still sign."""
        kept = await self._store.signed.result(session)
        if kept is not None:
            return kept
        row = await self._store.sessions.get(session)
        transcript = None if row is None else await self.transcript(session)
        if row is None or transcript is None:
            return None
        wallets = await self._store.epochs.wallets(session)
        made = await unsigned_result(self._store, row, transcript, wallets)
        if made is None:
            return None
        by_seat = await self._store.seat_signatures.of(session)
        if None in by_seat.values() and self._clock() < window_ends_ms(row):
            return None
        made = _with_seats(made, by_seat)
        results.check(made)
        document = self._signing.result(made)
        return await self._store.signed.keep_result(session, document, str(cid.of(document)))

    async def read(self, session: str) -> ResultDocument | None:
        """`result`, read."""
        kept = await self.result(session)
        return None if kept is None else msgspec.json.decode(kept.document, type=ResultDocument)


def _with_seats(
    result: ResultDocument, by_seat: Mapping[int, SeatSignature | None]
) -> ResultDocument:
    """With the signatures that there are; without any it is the same bytes."""
    seats = []
    for each in result.seats:
        made = by_seat.get(each.seat)
        sig = msgspec.UNSET if made is None else Signature(made.signer, made.value)
        seats.append(msgspec.structs.replace(each, sig=sig))
    return msgspec.structs.replace(result, seats=seats)
