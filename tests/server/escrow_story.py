"""A made-up escrow: blocks of what owners and a settler do, as logs; what is in them can be taken back and told otherwise."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import Any

import msgspec
from eth_abi.abi import encode
from eth_utils.address import to_checksum_address

from chain.client.abi import Abi
from chain.client.escrow import Escrow, session_id
from chain.client.index import Batch, Position
from chain.client.node import Log

ADDRESS = to_checksum_address("0x" + "e5" * 20)


class NoNode:
    async def call(self, to: str, data: bytes, block: int | None = None) -> bytes:
        raise AssertionError("nothing here asks a node")


ESCROW = Escrow(NoNode(), ADDRESS)


def wallet(number: int) -> str:
    return to_checksum_address(f"0x{number:040x}")


class Event(msgspec.Struct, frozen=True):
    name: str
    fields: dict[str, Any]


class Block(msgspec.Struct, frozen=True):
    number: int
    hash: str
    events: tuple[Event, ...]


def log_of(block: Block, index: int) -> Log:
    """By the contract's ABI; two logs that follow each other may be of one transaction."""
    event = block.events[index]
    topics, data = _encoded(ESCROW.abi, event)
    tx = "0x" + hashlib.sha256(f"{block.hash}:{index // 2}".encode()).hexdigest()
    return Log(ADDRESS, topics, data, block.number, block.hash, index, tx, index // 2)


def _encoded(abi: Abi, event: Event) -> tuple[tuple[str, ...], bytes]:
    topic = abi.topic(event.name)
    inputs = abi._events[topic]["inputs"]
    indexed = [each for each in inputs if each["indexed"]]
    plain = [each for each in inputs if not each["indexed"]]
    words = [encode([each["type"]], [event.fields[each["name"]]]) for each in indexed]
    data = encode([each["type"] for each in plain], [event.fields[each["name"]] for each in plain])
    return (topic, *("0x" + word.hex() for word in words)), data


class Owner(msgspec.Struct):
    balance: int = 0
    leaving: int = 0
    claimed: int = 0


class State:
    """What the contract would have after some blocks."""

    def __init__(self, sessions: Sequence[str]) -> None:
        self.owners: dict[str, Owner] = {}
        self.sessions: dict[bytes, tuple[str, int, tuple[str, ...]]] = {
            session_id(each): ("unknown", 0, ()) for each in sessions
        }
        self.epoch = 0
        self.held = 0
        self.unclaimed = 0

    def of(self, owner: str) -> Owner:
        return self.owners.setdefault(owner, Owner())

    def happen(self, event: Event) -> None:
        fields = event.fields
        amount = fields.get("amount", 0)
        match event.name:
            case "Deposited":
                self.of(fields["owner"]).balance += amount
                self.held += amount
            case "WithdrawalRequested":
                self.of(fields["owner"]).balance -= amount
                self.of(fields["owner"]).leaving += amount
            case "WithdrawalCancelled":
                self.of(fields["owner"]).balance += amount
                self.of(fields["owner"]).leaving -= amount
            case "Withdrawn":
                self.of(fields["owner"]).leaving -= amount
                self.held -= amount
            case "Claimed":
                self.of(fields["owner"]).balance += amount
                self.of(fields["owner"]).claimed += amount
                self.unclaimed -= amount
            case "Opened":
                for owner in fields["owners"]:
                    self.of(owner).balance -= fields["entry"]
                self.sessions[fields["session"]] = "open", fields["entry"], fields["owners"]
            case "Refunded":
                for owner in fields["owners"]:
                    self.of(owner).balance += fields["entry"]
                self.sessions[fields["session"]] = "refunded", fields["entry"], fields["owners"]
            case "EpochClosed":
                self.epoch = fields["epoch"]
                for id_ in fields["sessions"]:
                    _, entry, owners = self.sessions[id_]
                    self.sessions[id_] = "settled", entry, owners
                    self.unclaimed += entry * len(owners)


class Story:
    """A chain that is made up as it goes. `sessions` are ours; one more is of another arena."""

    def __init__(
        self, chance: random.Random, owners: Sequence[str], sessions: Sequence[str], roots: bytes
    ) -> None:
        self.chance = chance
        self.owners = owners
        self.sessions = [*sessions, "a session of another arena"]
        self.roots = roots
        self.blocks: list[Block] = [Block(0, "0x" + "00" * 32, ())]
        self.forks = 0

    def state(self, upto: int | None = None) -> State:
        state = State(self.sessions)
        for block in self.blocks[: None if upto is None else upto + 1]:
            for event in block.events:
                state.happen(event)
        return state

    def grow(self, most: int = 4) -> None:
        """One more block."""
        state, events = self.state(), []
        for _ in range(self.chance.randrange(most)):
            event = self._next(state)
            if event is not None:
                state.happen(event)
                events.append(event)
        self._add(*events)

    def tell(self, name: str, **fields: Any) -> None:
        """A block with just that."""
        self._add(Event(name, fields))

    def tell_all(self, *events: Event) -> None:
        """A block with all of that."""
        self._add(*events)

    def fork(self, depth: int) -> None:
        """Forget the newest blocks."""
        self.forks += 1
        del self.blocks[len(self.blocks) - depth :]

    def batch(self, after: int | None, upto: int) -> Batch:
        first = -1 if after is None else after
        logs = [
            log_of(block, index)
            for block in self.blocks[first + 1 : upto + 1]
            for index in range(len(block.events))
        ]
        return Batch(
            None if after is None else self.position(after), self.position(upto), tuple(logs)
        )

    def position(self, number: int) -> Position:
        return Position(number, self.blocks[number].hash)

    def _add(self, *events: Event) -> None:
        number = len(self.blocks)
        parent = self.blocks[-1].hash
        hash_ = hashlib.sha256(f"{parent}:{number}:{self.forks}:{events}".encode()).hexdigest()
        self.blocks.append(Block(number, "0x" + hash_, events))

    def _next(self, state: State) -> Event | None:
        kind = self.chance.choice(
            ["deposit"] * 4 + ["request"] * 3 + ["cancel", "withdraw", "limits", "pause"]
            + ["open"] * 3 + ["refuse", "again", "refund", "close", "claim", "claim"]
        )  # fmt: skip
        owner = self.chance.choice(self.owners)
        has = state.of(owner)
        amount = self.chance.randint(1, 5)
        match kind:
            case "deposit":
                return Event(
                    "Deposited", {"owner": owner, "amount": self.chance.choice([0, 1, 7, 20])}
                )
            case "request" if has.balance >= amount:
                fields = {"owner": owner, "amount": amount, "total": has.leaving + amount}
                return Event("WithdrawalRequested", fields | {"ready_at": 2**64 - 1})
            case "cancel" if has.leaving:
                return Event("WithdrawalCancelled", {"owner": owner, "amount": has.leaving})
            case "withdraw" if has.leaving:
                fields = {"owner": owner, "to": wallet(999), "amount": has.leaving}
                return Event("Withdrawn", fields)
            case "limits":
                most = self.chance.choice([0, 5, 2**64 - 1])
                fields = {"max_entry": most, "daily_cap": most, "expires": most, "nonce": 1}
                return Event("LimitsSet", {"owner": owner} | fields)
            case "pause":
                return Event("PauseSet", {"paused": True})
            case "claim" if state.unclaimed >= amount:
                return Event("Claimed", {"owner": owner, "amount": amount, "cumulative": 2**64 - 1})
        return self._of_sessions(kind, state)

    def _of_sessions(self, kind: str, state: State) -> Event | None:
        id_ = session_id(self.chance.choice(self.sessions))
        now, entry, owners = state.sessions[id_]
        pair = tuple(self.chance.sample(self.owners, 2))
        match kind, now:
            case "open", "unknown" if all(state.of(each).balance >= 1 for each in pair):
                return Event("Opened", {"session": id_, "entry": 1, "owners": pair})
            case "refuse", "unknown":
                reason = self.chance.randint(2, 6)
                return Event("Refused", {"session": id_, "owner": pair[0], "reason": reason})
            case "again", "open" | "settled" | "refunded":
                return Event("Refused", {"session": id_, "owner": "0x" + "00" * 20, "reason": 1})
            case "refund", "open":
                return Event("Refunded", {"session": id_, "entry": entry, "owners": owners})
            case "close", "open":
                fields = {"epoch": state.epoch + 1, "sessions": (id_,), "settled": 0, "allotted": 0}
                roots = {"result_root": self.roots, "payout_root": self.roots}
                return Event("EpochClosed", fields | roots)
        return None
