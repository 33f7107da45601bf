"""Documents that bear a signature, and are the same bytes for ever after."""

from __future__ import annotations

import msgspec
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.store import schema
from server.store.engine import Database

_t = schema.transcript
_d = schema.result_document
_p = schema.pin


class SealedTranscript(msgspec.Struct, frozen=True):
    document: bytes
    signer: str | None
    """None: it bears no signature."""
    pinned: bool
    """It has been handed out under its content id, and is what it is."""


class KeptResult(msgspec.Struct, frozen=True):
    document: bytes
    cid: str


class SignedDocuments:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def transcript(self, session: str) -> SealedTranscript | None:
        """None while it is live or unknown."""
        async with self._db.reading() as tx:
            return await _transcript(tx, session)

    async def sign_transcript(
        self, session: str, signed: bytes, signer: str
    ) -> SealedTranscript | None:
        """Put the signed bytes in the place of the unsigned ones. The first signature stands, and a transcript that was
        pinned without one stays without: what stands is returned."""
        pinned = select(_p.c.session).where(_p.c.session == session).exists()
        async with self._db.writing() as tx:
            await tx.execute(
                update(_t)
                .where(_t.c.session == session, _t.c.signer.is_(None), ~pinned)
                .values(document=signed, signer=signer)
            )
            return await _transcript(tx, session)

    async def result(self, session: str) -> KeptResult | None:
        """None while it is not made, and for ever where no chain moves the money."""
        async with self._db.reading() as tx:
            return await _result(tx, session)

    async def keep_result(self, session: str, document: bytes, cid: str) -> KeptResult:
        """The first one stands, and is returned."""
        row = {"session": session, "document": document, "cid": cid, "made_ms": self._clock()}
        async with self._db.writing() as tx:
            await tx.execute(self._db.insert(_d).values(row).on_conflict_do_nothing())
            found = await _result(tx, session)
        assert found is not None, "the insert refuses only what stands"
        return found


async def _transcript(tx: AsyncConnection, session: str) -> SealedTranscript | None:
    pinned = select(_p.c.session).where(_p.c.session == session).exists()
    query = select(_t.c.document, _t.c.signer, pinned).where(_t.c.session == session)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else SealedTranscript(row[0], row[1], bool(row[2]))


async def _result(tx: AsyncConnection, session: str) -> KeptResult | None:
    query = select(_d.c.document, _d.c.cid).where(_d.c.session == session)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else KeptResult(*row)
