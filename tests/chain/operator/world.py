"""A world for an operator's keeper: a source of blocks, a node, a chain that takes what it is given; and death at any step."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from eth_abi.abi import decode

from chain.attestation import batch_root, leaf_list, read_leaves
from chain.client.abi import Event
from chain.client.contract import Invocation
from chain.client.node import Log
from chain.client.nonces import Tx
from chain.client.operators import Operators
from chain.content import cid
from chain.content.cid import Cid
from chain.content.errors import NotThere
from chain.operator.journal import Journal, Task
from chain.operator.keeper import Keeper, Look, NotHad, NotTaken, Plan
from chain.operator.roll import Roll

ME = "0x" + "11" * 20
OTHERS = tuple(f"0x{number:040x}" for number in range(1, 6))
CONTRACT = "0x" + "cc" * 20
MIN_STAKE = 1_000


class Killed(BaseException):
    """As SIGKILL does it: nothing that follows is done, and nothing is caught."""


class World:
    """What outlives the operator's process."""

    def __init__(self, folder: Path, blocks: int = 0) -> None:
        self.folder = folder
        self.blocks = {cid.of(block): block for block in map(block_of, range(blocks))}
        self.pinned: dict[Cid, bytes] = {}
        self.acts: dict[str, Invocation] = {}
        self.events: list[Event] = []
        self.head = 10
        self.now_ms = 1_700_000_000_000
        self.told: list[str] = []
        self.steps_left: int | None = None
        self.lists: dict[int, bytes] = {}
        self.takes_lists = True
        self.join(ME)

    # ------------------------------------------------------------------ the chain

    def join(self, operator: str) -> None:
        self.log("Registered", operator=operator, endpoint="https://x", peer_id="12D")
        self.log("Staked", operator=operator, amount=MIN_STAKE, bonded=MIN_STAKE)

    def log(self, name: str, **fields: Any) -> None:
        log = Log(CONTRACT, (), b"", self.head, "0x", len(self.events), "0x", 0)
        self.events.append(Event(name, fields, log))

    @property
    def batches(self) -> list[dict[str, Any]]:
        return [event.fields for event in self.events if event.name == "Attested"]

    # ------------------------------------------------------------------ what the keeper uses

    def step(self) -> None:
        if self.steps_left is not None:
            if self.steps_left == 0:
                raise Killed
            self.steps_left -= 1

    async def fetch(self, id_: Cid) -> bytes:
        self.step()
        if id_ not in self.blocks:
            raise NotHad("the arena has no such block")
        return self.blocks[id_]

    async def hand_in(self, operator: str, batch: int, list_: bytes) -> None:
        self.step()
        if not self.takes_lists:
            raise NotTaken("not now")
        self.lists[batch] = list_
        self.step()

    async def block(self, id_: Cid) -> bytes:
        self.step()
        if id_ not in self.pinned:
            raise NotThere(f"not here: {id_}")
        return self.pinned[id_]

    async def keep(self, documents: Sequence[bytes]) -> list[Cid]:
        self.step()
        for document in documents:
            self.pinned[cid.of(document)] = document
        self.step()
        return [cid.of(document) for document in documents]

    async def act(self, name: str, make: Callable[[], Awaitable[Invocation | None]]) -> Tx | None:
        if name not in self.acts:
            call = await make()
            self.step()
            assert call is not None
            self.acts[name] = call
            self._done(name.split(":")[1], call.data[4:])
            self.step()
        return None

    def _done(self, what: str, data: bytes) -> None:
        if what == "attest":
            root, leaves, digest = decode(["bytes32", "uint256", "bytes32"], data)
            number = len(self.batches)
            self.log("Attested", operator=ME, batch=number, root=root, leaves=leaves, list_digest=digest)  # fmt: skip

    # ------------------------------------------------------------------ the operator

    def look(self, changed: bool = False) -> Look:
        return Look(Roll(self.events), self.head, changed)

    def take(self, journal: Journal, replicas: int = 3) -> None:
        tasks = [
            Task(str(id_), len(block), "transcript", f"session {number}")
            for number, (id_, block) in enumerate(self.blocks.items())
        ]
        journal.take(tasks, len(tasks), replicas)

    def keeper(self, journal: Journal, **plan: Any) -> Keeper:
        wanted = {"batch_leaves": 4, "batch_every_ms": 60_000, **plan}
        return Keeper(
            plan=Plan(ME, MIN_STAKE, **wanted),
            journal=journal,
            node=self,
            source=self,
            contract=Operators(NO_NODE, CONTRACT),
            acts=self,
            clock=lambda: self.now_ms,
            tell=self.told.append,
        )

    def open(self) -> Journal:
        return Journal(self.folder / "keeper.sqlite")

    def attested(self) -> list[bytes]:
        """Digests of all leaves that the chain has, once for each batch that they are in; every list is pinned."""
        found = []
        for batch in self.batches:
            list_ = self.pinned[Cid(cid.Codec.RAW, batch["list_digest"])]
            leaves = read_leaves(list_)
            assert batch_root(leaves) == batch["root"]
            assert len(leaves) == batch["leaves"]
            assert leaf_list(leaves) == list_
            found += [leaf.digest for leaf in leaves]
        return found


class _NoNode:
    async def call(self, to: str, data: bytes, block: int | None = None) -> bytes:
        raise AssertionError("nothing is asked of the chain but by its logs")


NO_NODE = _NoNode()


def block_of(number: int) -> bytes:
    return hashlib.sha256(b"%d" % number).digest() * (1 + number % 90)
