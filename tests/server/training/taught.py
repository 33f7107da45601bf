"""Sessions in the store that were really played, so that their transcripts replay."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import Any

import msgspec

from judges.rubric import rubric_of
from server.identity import Identity, new_id
from server.live.records import SessionRecord
from server.protocol import RubricLine, VerdictView
from spaces import registry
from spaces.seed import commitment
from spaces.transcript import SeatCommit, order, seal, seat_commit
from tests.conformance.rig import Session
from tests.server.money_world import session_of, ticket_of
from tests.server.played_world import World


class Played(Session):
    """A session under its own id, of the seats that sit in it."""

    record: SessionRecord | None = None

    @property
    def seats(self) -> list[SeatCommit]:
        assert self.record is not None
        return [
            SeatCommit(each.seat, seat_commit(each.version, each.salt))
            for each in self.record.seats
        ]

    def _opening(self) -> dict[str, Any]:
        assert self.record is not None
        committed = commitment(self.record.session, self.record.seed)
        return {**super()._opening(), "seed_commit": committed}

    def document(self) -> bytes:
        assert self.record is not None
        record = self.record
        return seal(
            session=record.session,
            space=record.space,
            rules=self.space.rules,
            params=self.params,
            opened_ms=record.opened_ms,
            sealed_ms=record.opened_ms + self.clock_ms,
            seats=self.seats,
            seed=record.seed,
            entries=order(self.log),
            outcome=self.outcome,
        )


async def teach(
    world: World,
    *agents: Identity,
    space: str,
    number: int = 0,
    params: dict[str, Any] | None = None,
    totals: Sequence[int] = (),
) -> bytes:
    """A session that was played at random, sealed now, settled and rated; the transcript. `totals`: by seat,
    as a judge found."""
    tickets = [ticket_of(agent, tier=0, space=space) for agent in agents]
    record = session_of(tickets, new_id(), opened_ms=world.clock.ms - 60_000)
    seed = hashlib.sha256(f"taught {number}".encode()).digest()
    rules = registry.get(space)
    seats = tuple(msgspec.structs.replace(each, ticket=None) for each in record.seats)
    record = msgspec.structs.replace(
        record, seats=seats, seed=seed, rules=rules.rules, params=params or {}
    )
    played = Played(
        rules, params or {}, seed, random.Random(f"taught/{number}"), record=record
    ).play()
    assert played.outcome is not None
    document = played.document()
    await world.store.sessions.form(record)
    returns = played.outcome.returns
    await world.store.sessions.seal(
        session=record.session,
        status="ended",
        outcome={"termination": played.outcome.termination, "returns": returns},
        document=document,
        digest=hashlib.sha256(document).hexdigest(),
        steps=(),
        now_ms=world.clock.ms,
    )
    scores = list(totals) if totals else list(returns or ())
    ranks = [1 + sum(other > mine for other in scores) for mine in scores]
    if totals:
        await _judged(world, record.session, space, totals, ranks)
    await world.store.results.settle(record.session, ranks, scores)
    await world._rate(record.session, space, agents, ranks)
    return document


async def _judged(
    world: World, session: str, space: str, totals: Sequence[int], ranks: Sequence[int]
) -> None:
    rubric = rubric_of(space)
    lines = [RubricLine(line.name, list(totals), [""] * len(totals)) for line in rubric.lines]
    view = VerdictView(rubric=rubric.id, lines=lines, totals_milli=list(totals), ranks=list(ranks))
    await world.store.verdicts.put(session, msgspec.json.encode(view))
