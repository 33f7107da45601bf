"""Answers for what was attested: draws where nobody has, shows the piece that was drawn, soonest due first.

It needs no journal. Which leaf is asked for stands on the chain, the list of leaves lies under the digest that stands there,
and the block under the leaf's: whoever has lost all but the key and the node answers all the same.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from chain import attestation
from chain.attestation import Leaf
from chain.client.contract import Invocation
from chain.client.nonces import Tx
from chain.client.operators import Attested, Operators
from chain.content.cid import Cid, Codec
from chain.operator.roll import Attestation, Challenge, Roll

LISTS_KEPT = 8


class Acts(Protocol):
    """See `keeper.Acts`."""

    async def act(
        self, name: str, make: Callable[[], Awaitable[Invocation | None]]
    ) -> Tx | None: ...


class Look(Protocol):
    """See `keeper.Look`."""

    @property
    def roll(self) -> Roll: ...
    @property
    def head(self) -> int: ...


class Unanswerable(Exception):
    """What was attested is not what is there: no answer would be taken."""


class Answering:
    """Of one operator. `block` gives blocks that it has attested, or raises why not."""

    def __init__(
        self,
        *,
        address: str,
        contract: Operators,
        acts: Acts,
        block: Callable[[Cid], Awaitable[bytes]],
        tell: Callable[[str], None],
    ) -> None:
        self._address = address
        self._contract = contract
        self._acts = acts
        self._block = block
        self._tell = tell
        self._lists: dict[bytes, list[Leaf]] = {}
        self._said: set[str] = set()

    async def round(self, look: Look) -> None:
        """What one challenge needs, and is not to be had, keeps no other one waiting."""
        for challenge in look.roll.open_at(self._address):
            name = f"{self._contract.address[2:10]}:{challenge.block}:{challenge.id}"
            if challenge.seed is not None:
                batch = look.roll.operators[self._address].batches[challenge.batch]
                await self._answer(name, challenge, batch)
            elif challenge.can_be_drawn(look.head):
                self._once(f"challenge {challenge.id} is drawn, to be answered")
                await self._act(f"draw:{name}", self._contract.draw(challenge.id))

    async def _answer(self, name: str, challenge: Challenge, batch: Attestation) -> None:
        assert challenge.seed is not None, "only drawn ones are answered"
        try:
            call = await self._shown(challenge, batch)
        except Exception as error:  # whatever our node says: the others are answered
            self._once(f"challenge {challenge.id} CANNOT be answered now: {error}")
            return
        await self._act(f"answer:{name}:{challenge.seed.hex()[:16]}", call)

    async def _act(self, name: str, call: Invocation) -> None:
        async def made() -> Invocation:
            return call

        await self._acts.act(name, made)

    async def _shown(self, challenge: Challenge, batch: Attestation) -> Invocation:
        assert challenge.seed is not None, "only drawn ones are answered"
        leaves = await self._leaves(batch)
        leaf = leaves[challenge.leaf]
        block = await self._block(Cid(Codec.RAW, leaf.digest))
        shown = attestation.answer(leaves, challenge.leaf, block, challenge.seed)
        return self._contract.answer(
            challenge.id, Attested(*leaf.fields()), shown.leaf_proof, shown.piece, shown.piece_proof
        )

    async def _leaves(self, batch: Attestation) -> list[Leaf]:
        found = self._lists.get(batch.list_digest)
        if found is None:
            data = await self._block(Cid(Codec.RAW, batch.list_digest))
            found = attestation.read_leaves(data)
            if len(found) != batch.leaves or attestation.batch_root(found) != batch.root:
                raise Unanswerable(f"the list of batch {batch.number} does not lead to its root")
            if len(self._lists) >= LISTS_KEPT:
                self._lists.clear()
            self._lists[batch.list_digest] = found
        return found

    def _once(self, line: str) -> None:
        """Each line once, however often the round comes by."""
        if line not in self._said:
            if len(self._said) > 1_000:
                self._said.clear()
            self._said.add(line)
            self._tell(line)
