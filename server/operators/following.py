"""What follows from the logs of `operators`, `rewards` and `fractals`: rows, written with the logs and taken back with them.

Every row is made by one log, or says in columns of its own what a later one has changed: so each log can be undone by
itself, and after a reorganisation the tables are those of the other branch read from its beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from chain.attestation import ANY_LEAF
from chain.client.abi import Event
from chain.client.contract import Contract
from chain.client.node import Log
from server.clock import Clock
from server.operators import standing
from server.store import operators as rows

READER = "operators"


class OperatorsFollower:
    """A `server.store.chain_logs.Follower`."""

    def __init__(
        self, *, operators: Contract, rewards: Contract, fractals: Contract, clock: Clock
    ) -> None:
        self._operators = operators
        self._roots = {
            rewards.address: ("rewards", rewards),
            fractals.address: ("points", fractals),
        }
        self._clock = clock

    @property
    def addresses(self) -> list[str]:
        """Whose logs are to be read."""
        return [self._operators.address, *self._roots]

    async def follow(self, tx: AsyncConnection, logs: Sequence[Log]) -> None:
        """Raises ValueError for a log that is not of such a contract."""
        for log in logs:
            if log.address in self._roots:
                await self._root(tx, log, undo=False)
            elif (event := self._operators.event(log)) is not None:
                await self._follow(tx, event)

    async def undo(self, tx: AsyncConnection, logs: Sequence[Log]) -> None:
        for log in logs:
            if log.address in self._roots:
                await self._root(tx, log, undo=True)
            elif (event := self._operators.event(log)) is not None:
                await self._undo(tx, event)

    async def _follow(self, tx: AsyncConnection, event: Event) -> None:
        fields, number = event.fields, event.log.number
        if event.name in standing.CHANGES:
            who = fields["operator"]
            before = await rows.standing_of(tx, who)
            batches = await rows.batch_count(tx, who) if event.name == "Released" else 0
            after = standing.after(before or standing.Standing(), event.name, fields, batches)
            if after != before:  # most of what is attested and answered changes nothing
                await rows.add_standing(tx, who, number, event.log.index, after)
        match event.name:
            case "Attested":
                await rows.add_batch(tx, _batch(event), self._clock())
            case "Challenged":
                await rows.add_challenge(tx, _challenge(event))
            case "Drawn":
                drawn = {
                    "drawn_leaf": fields["leaf"],
                    "drawn_number": number,
                    "answer_until": fields["answer_until"],
                }
                await rows.change_challenge(tx, fields["id"], drawn)
            case "Answered" | "Missed" | "Lapsed":
                ended = {"ended": event.name.lower(), "ended_number": number}
                lost = {"lost": str(fields["lost"])} if event.name == "Missed" else {}
                await rows.change_challenge(tx, fields["id"], ended | lost)
            case "Exposed":
                await rows.expose(tx, fields["operator"], fields["batch"], number)

    async def _undo(self, tx: AsyncConnection, event: Event) -> None:
        fields = event.fields
        if event.name in standing.CHANGES:
            at = (event.log.number, event.log.index)
            await rows.forget_standing(tx, fields["operator"], *at)
        match event.name:
            case "Attested":
                await rows.forget_batch(tx, fields["operator"], fields["batch"])
            case "Challenged":
                await rows.forget_challenge(tx, fields["id"])
            case "Drawn":
                await rows.change_challenge(
                    tx, fields["id"], dict.fromkeys(("drawn_leaf", "drawn_number", "answer_until"))
                )
            case "Answered" | "Missed" | "Lapsed":
                await rows.change_challenge(
                    tx, fields["id"], dict.fromkeys(("ended", "ended_number", "lost"))
                )
            case "Exposed":
                await rows.expose(tx, fields["operator"], fields["batch"], None)

    async def _root(self, tx: AsyncConnection, log: Log, *, undo: bool) -> None:
        kind, contract = self._roots[log.address]
        event = contract.event(log)
        if event is None or event.name not in ("Posted", "Vetoed"):
            return
        if undo:
            await rows.forget_root(tx, log.number, log.index)
        else:
            await rows.add_root(tx, _posted(kind, event))


def _batch(event: Event) -> dict[str, Any]:
    fields = event.fields
    return {
        "operator": fields["operator"],
        "batch": fields["batch"],
        "root": fields["root"].hex(),
        "leaves": fields["leaves"],
        "list_digest": fields["list_digest"].hex(),
        "number": event.log.number,
        "block_hash": event.log.block_hash,
    }


def _challenge(event: Event) -> dict[str, Any]:
    fields = event.fields
    return {
        "id": fields["id"],
        "operator": fields["operator"],
        "challenger": fields["challenger"],
        "bond": str(fields["bond"]),
        "batch": fields["batch"],
        "leaf": None if fields["leaf"] == ANY_LEAF else fields["leaf"],
        "number": event.log.number,
    }


def _posted(kind: str, event: Event) -> dict[str, Any]:
    fields = event.fields
    return {
        "number": event.log.number,
        "log_index": event.log.index,
        "kind": kind,
        "season": fields.get("season", 0),
        "ordinal": fields["epoch"] if kind == "rewards" else fields["number"],
        "root": fields["root"].hex(),
        "total": str(fields.get("total", 0)),
        "counts_at": fields.get("counts_at", 0),
        "vetoed": event.name == "Vetoed",
    }
