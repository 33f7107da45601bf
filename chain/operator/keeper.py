"""The operator's rounds: decide which blocks are its own, keep them, attest them, answer for them.

What is to be done follows from the journal, the roll of the chain and the names of actions, never from memory: kill it between
any two steps, and the next round goes on. Nothing that it is told is believed: a block is what its CID says, or is not kept.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec

from chain.attestation import MAX_BLOCK_BYTES, leaf_of
from chain.client.contract import Invocation
from chain.client.nonces import Tx
from chain.client.operators import Operators
from chain.content import cid
from chain.content.cid import Cid, Codec, NotACid
from chain.content.errors import IpfsError, Refused
from chain.operator import assign
from chain.operator.answering import Answering
from chain.operator.journal import Journal, Made, Wanted
from chain.operator.roll import Roll

TOGETHER = 32
"""Blocks that are fetched at once and pinned in one request."""
DECIDED_AT_ONCE = 2_000
FIRST_WAIT_MS = 5_000
MAX_WAIT_MS = 3_600_000
DEFAULT_REPLICAS = 3
MAX_BATCH = 1_024
"""Leaves of a batch of ours: the list of one has 160 KiB at most."""
LISTS_AT_ONCE = 8
LIST_WAIT_MS = (10_000, 3_600_000)
"""Between two tries of handing in a list: as long as it has waited already, within these."""
LIST_GIVEN_UP_MS = 5 * 86_400_000
RENEW_S = 45 * 86_400
"""After which a block is attested again: half of what a batch is kept for, as the first deployments fix it."""


class NotHad(Exception):
    """Nobody gives the block now; the message says why."""


class NotTaken(Exception):
    """The list is not taken now; the message says why."""


class Source(Protocol):
    """Where blocks are had from besides our own node, which knows its network."""

    async def fetch(self, id_: Cid) -> bytes:
        """Bytes that the caller checks, at most 1 MiB. Raises NotHad."""
        ...

    async def hand_in(self, operator: str, batch: int, list_: bytes) -> None:
        """Give it the list of a batch that stands on the chain, for it may not reach our node. Idempotent. Raises NotTaken."""
        ...


class Node(Protocol):
    """Our own IPFS node; `chain.content.ipfs.Ipfs` is one."""

    async def block(self, id_: Cid) -> bytes: ...
    async def keep(self, documents: Sequence[bytes]) -> list[Cid]: ...


class Acts(Protocol):
    """Actions on the chain by our key, each done once; `server.operators.acting.Acts` is one."""

    async def act(
        self, name: str, make: Callable[[], Awaitable[Invocation | None]]
    ) -> Tx | None: ...


class Look(msgspec.Struct, frozen=True):
    """What was read of the chain."""

    roll: Roll
    head: int
    """The number of the chain's newest block; the roll is of some blocks before."""
    changed: bool = False
    """A reorganisation took back what was read before."""


class Plan(msgspec.Struct, frozen=True):
    """How an operator works."""

    address: str
    """Its own, EIP-55."""
    min_stake: int
    batch_leaves: int = 256
    """A batch is made of so many blocks, or of those that have waited `batch_every_ms`."""
    batch_every_ms: int = 600_000
    max_bytes: int = 10 * 1024**3
    """Of blocks; past it nothing more is taken."""


class Keeper:
    """One per journal. `tell` is called with what a person should know, in one line."""

    def __init__(
        self,
        *,
        plan: Plan,
        journal: Journal,
        node: Node,
        source: Source,
        contract: Operators,
        acts: Acts,
        clock: Callable[[], int],
        tell: Callable[[str], None],
    ) -> None:
        self._plan = plan
        self._journal = journal
        self._node = node
        self._source = source
        self._contract = contract
        self._acts = acts
        self._clock = clock
        self._tell = tell
        self._among: list[str] | None = None
        self._full = False
        self._kept_bytes = journal.totals().kept_bytes
        self._answering = Answering(
            address=plan.address, contract=contract, acts=acts, block=self._own, tell=tell
        )

    async def round(self, look: Look) -> bool:
        """One of everything; True where there is more to do at once. Raises OSError of the chain, IpfsError of our own node,
        and whatever the store behind `acts` raises; what is left undone is done in the next round."""
        if look.changed:
            self._journal.forget_confirmations()
        await self._answering.round(look)  # before all else: it is this that costs stake
        self._confirm(look.roll)
        more = self._decide(look.roll)
        more = await self._keep() or more
        await self._attest(look.roll)
        await self._hand_in()
        return more

    # ----------------------------------------------------------------------- which are ours

    def _decide(self, roll: Roll) -> bool:
        among = roll.standing(self._plan.min_stake)
        if among != self._among:
            self._journal.forget_decisions()
            self._among = among
        names = self._journal.undecided(DECIDED_AT_ONCE)
        self._journal.decide([(name, self._is_mine(name, among)) for name in names])
        return len(names) == DECIDED_AT_ONCE

    def _is_mine(self, name: str, among: list[str]) -> bool:
        try:
            id_ = cid.parse(name)
        except NotACid:
            return False
        replicas = self._journal.replicas() or DEFAULT_REPLICAS
        return id_.codec is Codec.RAW and assign.keeps(
            self._plan.address, among, id_.digest, replicas
        )

    # ----------------------------------------------------------------------- keeping

    async def _keep(self) -> bool:
        wanted = self._journal.wanted(self._clock(), TOGETHER)
        if not wanted or self._is_full():
            return False
        found = await asyncio.gather(*(self._fetched(each) for each in wanted))
        blocks = [(each.task, block) for each, block in zip(wanted, found, strict=True) if block]
        if blocks:
            try:
                await self._node.keep([block for _, block in blocks])
            except Refused as error:  # one of them, perhaps, or its disk is full
                self._tell(f"our node does not keep what it is given: {error}")
                for task, _ in blocks:
                    self._journal.put_off(task.cid, self._clock() + FIRST_WAIT_MS)
                return False
            now_ms = self._clock()
            leaves = [(task.cid, leaf_of(task.session, block, now_ms)) for task, block in blocks]
            self._journal.keep(leaves)
            self._kept_bytes += sum(leaf.size for _, leaf in leaves)
            self._tell(f"{len(leaves)} blocks kept, {sum(leaf.size for _, leaf in leaves)} bytes")
        return len(wanted) == TOGETHER

    def _is_full(self) -> bool:
        full = self._kept_bytes >= self._plan.max_bytes
        if full and not self._full:
            self._tell(
                f"{self._plan.max_bytes} bytes are kept: nothing more is taken (--max-bytes)"
            )
        self._full = full
        return full

    async def _fetched(self, wanted: Wanted) -> bytes | None:
        """The block, from whoever has it; None where it is to be tried again."""
        id_ = cid.parse(wanted.task.cid)
        try:
            return await self._had(id_)
        except NotHad as error:
            wait_ms = min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** min(wanted.tries, 16))
            self._journal.put_off(wanted.task.cid, self._clock() + wait_ms)
            if wanted.tries in (0, 4):
                self._tell(f"{id_} is not to be had yet: {error}")
            return None

    async def _had(self, id_: Cid) -> bytes:
        """From the source, else by our node from its network. Raises NotHad."""
        try:
            block = await self._source.fetch(id_)
            if 1 <= len(block) <= MAX_BLOCK_BYTES and id_.is_of(block):
                return block
            why = "the source gives other bytes than those of the id"
        except NotHad as error:
            why = str(error)
        try:
            block = await self._node.block(id_)
        except IpfsError as error:
            raise NotHad(f"{why}; {error}") from None
        if not 1 <= len(block) <= MAX_BLOCK_BYTES:
            raise NotHad(f"it has {len(block)} bytes, and a block that is attested 1 to 1 MiB")
        return block

    async def _own(self, id_: Cid) -> bytes:
        """A block that we have attested, or the list of a batch: from our node, which is given it again where it has lost it.
        Raises NotHad."""
        try:
            return await self._node.block(id_)
        except IpfsError as error:
            self._tell(f"our node does not have {id_} any more: {error}")
        list_ = self._journal.list_of(id_.digest)
        block = list_ if list_ is not None else await self._had(id_)
        await self._node.keep([block])
        return block

    # ----------------------------------------------------------------------- attesting

    async def _attest(self, roll: Roll) -> None:
        now_ms = self._clock()
        me = roll.operators.get(self._plan.address)
        if me is None or not me.peer_id or me.bonded < self._plan.min_stake:
            return  # nothing may be attested; what is kept waits
        await self._renew(now_ms - RENEW_S * 1_000, me.first_batch, TOGETHER)
        count, oldest_ms = self._journal.unattested()
        standing = self._journal.unconfirmed()
        if me.silent and count == 0 and not standing:
            # Nothing is given to who is silent; one block that it attests again is a sign of life.
            await self._renew(now_ms, 0, 1)
            count, oldest_ms = self._journal.unattested()
        if count >= self._plan.batch_leaves or (
            count and now_ms - oldest_ms >= self._plan.batch_every_ms
        ):
            self._journal.gather(min(MAX_BATCH, max(count, self._plan.batch_leaves)), now_ms)
        for made in self._journal.unconfirmed():
            await self._submit(made)

    async def _renew(self, made_ms: int, first_batch: int, limit: int) -> None:
        """Have blocks attested anew that are here; one that is lost is no longer said to be kept."""
        for name in self._journal.ageing(made_ms, first_batch, limit):
            try:
                await self._own(cid.parse(name))
            except NotHad as error:
                self._tell(f"{name} is lost, and is to be had anew: {error}")
                self._journal.lose(name)
            else:
                self._journal.renew(name)

    async def _submit(self, made: Made) -> None:
        async def call() -> Invocation:
            # Whoever reads the event looks for the list at once.
            await self._node.keep([made.list])
            return self._contract.attest(made.root, made.count, cid.of(made.list).digest)

        name = f"{self._contract.address[2:10]}:attest:{made.root.hex()[:32]}:{made.id}"
        await self._acts.act(name, call)

    def _confirm(self, roll: Roll) -> None:
        me = roll.operators.get(self._plan.address)
        if me is None:
            return
        for made in self._journal.unconfirmed():
            taken = self._journal.confirmed(made.root)
            numbers = [each.number for each in me.batches if each.root == made.root]
            free = [number for number in numbers if number not in taken]
            if free:
                self._journal.confirm(made.id, free[0])
                self._tell(f"batch {free[0]}: {made.count} blocks attested")

    async def _hand_in(self) -> None:
        now_ms = self._clock()
        for number, list_, made_ms in self._journal.lists_due(now_ms, LISTS_AT_ONCE):
            try:
                await self._source.hand_in(self._plan.address, number, list_)
                self._journal.list_due(number, None)
            except NotTaken as error:
                waited_ms = now_ms - made_ms
                if waited_ms > LIST_GIVEN_UP_MS:
                    self._tell(f"nobody takes the list of batch {number}: {error}")
                    self._journal.list_due(number, None)
                    continue
                least, most = LIST_WAIT_MS
                self._journal.list_due(number, now_ms + min(most, max(least, waited_ms)))
