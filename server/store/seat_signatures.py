"""By which keys agents sign what they played, and what their seats have signed."""

from __future__ import annotations

import msgspec
from sqlalchemy import and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from server.clock import Clock
from server.store import schema
from server.store.engine import Database

_k = schema.agent_signing_key
_s = schema.seat_signature
_e = schema.entry
_d = schema.result_document


class SeatSignature(msgspec.Struct, frozen=True):
    signer: str
    """EIP-55: the agent's key when it signed."""
    value: str
    """65 bytes, hex with 0x."""


class SeatSignatures:
    """Every method is one transaction."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._db = database
        self._clock = clock

    async def set_key(self, agent: str, address: str | None) -> None:
        """The address (EIP-55) by whose key the agent signs from now on; None: it signs nothing. The agent must exist."""
        async with self._db.writing() as tx:
            await tx.execute(delete(_k).where(_k.c.agent == agent))
            if address is not None:
                row = {"agent": agent, "address": address, "set_ms": self._clock()}
                await tx.execute(self._db.insert(_k).values(row).on_conflict_do_nothing())

    async def key_of(self, agent: str) -> str | None:
        async with self._db.reading() as tx:
            found: str | None = await tx.scalar(select(_k.c.address).where(_k.c.agent == agent))
        return found

    async def of(self, session: str) -> dict[int, SeatSignature | None]:
        """By seat: what stands, and None for a seat that may still sign, since its agent has a key and plays by itself."""
        query = (
            select(_e.c.seat, _s.c.signer, _s.c.value)
            .select_from(_e)
            .outerjoin(_s, and_(_s.c.session == _e.c.session, _s.c.seat == _e.c.seat))
            .outerjoin(_k, _k.c.agent == _e.c.agent)
            .where(_e.c.session == session)
            .where(
                or_(
                    _s.c.signer.is_not(None),
                    and_(_k.c.address.is_not(None), _e.c.kind.is_distinct_from("hosted")),
                )
            )
            .order_by(_e.c.seat)
        )
        async with self._db.reading() as tx:
            return {
                seat: None if signer is None else SeatSignature(signer, value)
                for seat, signer, value in await tx.execute(query)
            }

    async def keep(self, session: str, seat: int, made: SeatSignature) -> bool:
        """The first one of a seat stands. False where the result was made without one: it is too late."""
        row = {
            "session": session,
            "seat": seat,
            "signer": made.signer,
            "value": made.value,
            "made_ms": self._clock(),
        }
        async with self._db.writing() as tx:
            if await _stands(tx, session, seat):
                return True
            if await tx.scalar(select(_d.c.session).where(_d.c.session == session)) is not None:
                return False
            await tx.execute(self._db.insert(_s).values(row).on_conflict_do_nothing())
        return True


async def _stands(tx: AsyncConnection, session: str, seat: int) -> bool:
    query = select(_s.c.signer).where(_s.c.session == session, _s.c.seat == seat)
    return await tx.scalar(query) is not None
