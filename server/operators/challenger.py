"""Asks operators for pieces of what they say they keep, at random, and sees each question through.

By the contract's role `challenger`, so without a bond. What is asked for is drawn among the leaves that earn something, each
as likely as it is large. All that is to be done follows from rows that the reader has written and from names of actions: kill
it anywhere, and the next one goes on.
"""

from __future__ import annotations

import functools
import random

import structlog

from chain.attestation import Leaf
from chain.client.contract import Invocation
from chain.client.node import Head
from chain.client.operators import Attested, Terms
from chain.client.operators import Operators as Contract
from chain.content.cid import Cid, Codec
from chain.content.errors import IpfsError
from server.operators.acting import Acts
from server.operators.batches import BadList
from server.operators.doubts import Doubted, Step, attested_since, is_time, may_be_asked, step
from server.operators.lists import Blocks, Heads, Lists
from server.operators.standing import Standing
from server.store.operators import BatchRow, ChallengeRow, Operators
from spaces import merkle

MAX_ELAPSED_S = 600.0
"""A challenger that was away does not ask for all that it has not asked."""

_logger = structlog.get_logger()


class Challenger:
    """One leads; a second one at once, by mistake, asks under the same names and so changes nothing."""

    def __init__(
        self,
        *,
        operators: Operators,
        contract: Contract,
        terms: Terms,
        acts: Acts,
        lists: Lists,
        ipfs: Blocks,
        node: Heads,
        every_s: float,
        rng: random.Random | None = None,
    ) -> None:
        """`every_s`: between two challenges of one operator, on average. `acts` is by the key that has the role."""
        self._operators = operators
        self._contract = contract
        self._terms = terms
        self._acts = acts
        self._lists = lists
        self._ipfs = ipfs
        self._node = node
        self._every_s = every_s
        self._rng = rng or random.SystemRandom()
        # Another deployment on the same chain has challenges of the same numbers.
        self._prefix = f"operators:{contract.address[2:10]}"

    async def round(self, head: Head, elapsed_s: float) -> None:
        """`head` is the chain's newest block, `elapsed_s` what has gone by since the round before. Raises OSError, and what
        the store raises."""
        await self._see_through(head)
        await self._ask(head, min(elapsed_s, MAX_ELAPSED_S))
        await self._expose()

    # ----------------------------------------------------------------------- what is open

    async def _see_through(self, head: Head) -> None:
        for row in await self._operators.open_challenges(self._acts.address):
            doubted = await self._doubted(row)
            if doubted is None:
                continue
            match step(doubted, head.number, head.timestamp, self._terms):
                case Step.DRAW:
                    await self._act(f"draw:{row.id}", self._contract.draw(row.id))
                case Step.MISS:
                    await self._act(f"miss:{row.id}", self._contract.record_miss(row.id))
                case Step.LAPSE:
                    await self._act(f"lapse:{row.id}", self._contract.lapse(row.id))
                case Step.WAIT:
                    pass

    async def _doubted(self, row: ChallengeRow) -> Doubted | None:
        opened_s = await self._time_of(row.number)
        if opened_s is None:
            return None
        return Doubted(row.id, row.number, opened_s, row.drawn_number, row.answer_until or 0)

    async def _time_of(self, number: int) -> int | None:
        """Asked for anew each time: another block may have come in its place."""
        found = await self._node.block(number)
        return None if found is None else found.timestamp

    async def _act(self, name: str, call: Invocation) -> None:
        async def made() -> Invocation:
            return call

        await self._acts.act(f"{self._prefix}:{name}", made)

    # ----------------------------------------------------------------------- what is asked anew

    async def _ask(self, head: Head, elapsed_s: float) -> None:
        for operator, standing in (await self._operators.standings()).items():
            asked = await self._operators.asked(operator, self._acts.address)
            if asked.open or not is_time(self._rng, elapsed_s, self._every_s):
                continue
            last_s = None if asked.newest is None else await self._time_of(asked.newest)
            if may_be_asked(standing, last_s, head.timestamp, self._terms):
                await self._challenge(operator, standing, asked.count, head.timestamp)

    async def _challenge(self, operator: str, standing: Standing, count: int, now_s: int) -> None:
        async def made() -> Invocation | None:
            found = await self._operators.any_keep(
                operator,
                self._rng.random(),
                since_s=attested_since(now_s, self._terms),
                first_batch=standing.first_batch,
            )
            if found is None:
                return None
            return self._contract.open_challenge(operator, found.batch, found.place)

        name = f"{self._prefix}:challenge:{operator}:{self._acts.address[2:10]}:{count}"
        await self._acts.act(name, made)

    # ----------------------------------------------------------------------- lies

    async def _expose(self) -> None:
        """Leaves that contradict the blocks that they name, where the contract can see it."""
        standings = await self._operators.standings()
        lies: dict[str, list[BatchRow]] = {}
        for each in await self._operators.lies():
            if each.batch >= standings[each.operator].first_batch:
                lies.setdefault(each.operator, []).append(each)
        # One of each operator: of a thousand lies most are of nobody who has a stake left.
        for of_one in lies.values():
            batch = self._rng.choice(of_one)
            name = f"{self._prefix}:expose:{batch.operator}:{batch.batch}:{batch.block_hash[2:18]}"
            await self._acts.act(name, functools.partial(self._exposure, batch))

    async def _exposure(self, batch: BatchRow) -> Invocation | None:
        assert batch.lie is not None, "only such batches are asked for"
        try:
            leaves = await self._lists.leaves(batch)
            content = await self._ipfs.block(Cid(Codec.RAW, leaves[batch.lie].digest))
        except (BadList, IpfsError, TimeoutError) as error:
            _logger.warning("a lie is not exposed now", operator=batch.operator, why=str(error))
            return None
        proof = merkle.inclusion_proof([leaf.encode() for leaf in leaves], batch.lie)
        leaf = _attested(leaves[batch.lie])
        return self._contract.expose(batch.operator, batch.batch, batch.lie, leaf, proof, content)


def _attested(leaf: Leaf) -> Attested:
    return Attested(*leaf.fields())
