"""Closes epochs of rewards: what operators earned is reckoned into documents, these are kept, and their root is posted.

An epoch ends with the first block that was read when its time is over; one in which nobody has earned anything goes on. All
of it follows from rows, from the document of the epoch before and from names of actions: kill it anywhere, and the next one
goes on. The document is made anew only where nothing was sent for it and a reorganisation has taken its last block away.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

import msgspec
import structlog

from chain.client.claims import Rewards
from chain.client.contract import Invocation
from chain.client.index import Position
from chain.client.node import Head
from chain.client.operators import Terms
from chain.content.cid import parse
from chain.documents import form
from chain.documents.earnings import build_rewards
from chain.documents.reward_epoch import Earned, RewardEpoch, read, tree_of
from server.clock import Clock
from server.operators import reward_rule
from server.operators.acting import Acts
from server.operators.lists import Heads
from server.operators.reward_rule import Kept, Span
from server.store.operators import Operators, Paying, Posted, RootDocument

TASKS = 4_096
"""Blocks that are looked at together."""

_logger = structlog.get_logger()


class Adding(Protocol):
    """Where documents are kept; `server.jobs.pin.ContentStore` is one."""

    async def add(self, document: bytes) -> object: ...


class Budget(msgspec.Struct, frozen=True):
    """What the arena pays, by its configuration."""

    amount: int
    """FRAC an epoch, in its smallest part."""
    every_s: int
    """The least time of an epoch."""
    replicas: int
    """How many keepers of a block are paid for it."""


class RewardEpochs:
    """By the key that has the role `publisher`. `alarm` is called with what a person has to decide."""

    def __init__(
        self,
        *,
        operators: Operators,
        rewards: Rewards,
        terms: Terms,
        chain_id: int,
        first_block: int,
        newest: Callable[[], Awaitable[Position | None]],
        acts: Acts,
        content: Adding,
        node: Heads,
        budget: Budget,
        clock: Clock,
        alarm: Callable[[str, str], None] = lambda kind, detail: None,
    ) -> None:
        """`first_block`: that of the deployment, with which the first epoch begins; `newest`: what was read last."""
        self._operators = operators
        self._rewards = rewards
        self._terms = terms
        self._chain_id = chain_id
        self._first_block = first_block
        self._newest = newest
        self._acts = acts
        self._content = content
        self._node = node
        self._budget = budget
        self._clock = clock
        self._alarm = alarm

    async def round(self, head: Head) -> None:
        """Raises OSError, and what store and content store raise."""
        posted = await self._operators.posted("rewards")
        newest = posted[-1] if posted else None
        if newest is not None and newest.vetoed:
            self._alarm("vetoed", f"the root of epoch {newest.ordinal} of rewards was vetoed")
            return
        if newest is not None and head.timestamp < newest.counts_at:
            return  # the contract takes the next one only when this one counts
        before = await self._before(newest)
        epoch = 1 if newest is None else newest.ordinal + 1
        made = await self._operators.root_document("rewards", 0, epoch)
        if made is not None and not await self._is_current(made):
            await self._operators.drop_root(made)
            made = None
        if made is None:
            made = await self._close(epoch, before)
        if made is not None:
            await self._post(made)

    async def _before(self, newest: Posted | None) -> RewardEpoch | None:
        """The document of the epoch before. Raises LookupError where somebody else has posted another."""
        if newest is None:
            return None
        found = await self._operators.root_document("rewards", 0, newest.ordinal)
        if found is None or found.root != newest.root:
            raise LookupError(
                f"epoch {newest.ordinal} of rewards was posted with root {newest.root}, of which there is no document here:"
                " restore the database that has it"
            )
        return read(found.document)[0]

    async def _is_current(self, made: RootDocument) -> bool:
        """Whether it is of the chain that there is; once it may have been sent it stands, whatever it is of."""
        if await self._acts.standing(self._name(made)) is not None:
            return True
        rewards, _ = read(made.document)
        block = await self._node.block(rewards.last_block)
        return block is not None and block.hash == rewards.last_hash

    async def _close(self, epoch: int, before: RewardEpoch | None) -> RootDocument | None:
        last = await self._last_block()
        if last is None:
            return None
        span = await self._span(before, last)
        if span is None or span.to_s - span.from_s < self._budget.every_s:
            return None
        document = await self._reckon(epoch, before, last, span)
        if document is None:
            return None
        encoded = form.encode(document)
        await self._content.add(encoded)
        earned = {each.account: int(each.cumulative) for each in document.accounts}
        list_, _ = build_rewards(epoch, self._chain_id, self._rewards.address, earned)
        cid = await self._content.add(form.encode(list_))
        return await self._operators.put_root(
            RootDocument(
                "rewards", 0, epoch, document.root, document.total, encoded, str(cid), self._clock()
            )
        )

    async def _last_block(self) -> Head | None:
        newest = await self._newest()
        if newest is None:
            return None
        block = await self._node.block(newest.number)
        return block if block is not None and block.hash == newest.hash else None

    async def _span(self, before: RewardEpoch | None, last: Head) -> Span | None:
        if before is not None:
            return Span(before.to_s, last.timestamp)
        first = await self._node.block(self._first_block)
        return None if first is None else Span(first.timestamp, last.timestamp)

    async def _reckon(
        self, epoch: int, before: RewardEpoch | None, last: Head, span: Span
    ) -> RewardEpoch | None:
        """None where nobody has earned anything."""
        kept = await self._kept(before, last, span)
        spent = 0 if before is None else int(before.total)
        funded = await self._rewards.funded(last.number)
        budget = reward_rule.budget_of(self._budget.amount, funded, spent)
        earned = reward_rule.shares(kept, budget)
        if not earned:
            return None
        had = {} if before is None else {e.account: int(e.cumulative) for e in before.accounts}
        after = reward_rule.cumulative(had, earned)
        tree = tree_of(after)
        return RewardEpoch(
            epoch=epoch,
            chain_id=self._chain_id,
            rewards=self._rewards.address,
            from_s=span.from_s,
            to_s=span.to_s,
            last_block=last.number,
            last_hash=last.hash,
            budget=str(budget),
            replicas=self._budget.replicas,
            root=tree.root.hex(),
            total=str(tree.total),
            accounts=[
                Earned(who, str(kept.get(who, 0)), str(earned.get(who, 0)), str(amount))
                for who, amount in after.items()
            ],
        )

    async def _kept(self, before: RewardEpoch | None, last: Head, span: Span) -> dict[str, int]:
        """Byte-seconds of everybody who is counted, by address in lower case."""
        standings = await self._operators.standings(last.number)
        standing = [who for who, it in standings.items() if it.stands(self._terms.min_stake)]
        after = self._first_block - 1 if before is None else before.last_block
        fault = await self._operators.at_fault(after, last.number)
        counted = {who: standings[who].first_batch for who in reward_rule.counted(standing, fault)}
        found = dict.fromkeys((who.lower() for who in counted), 0)
        newest = await self._operators.last_task()
        for task in range(0, newest, TASKS):
            leaves = await self._operators.paying(
                counted,
                upto=last.number,
                since_s=span.from_s - self._terms.retention_s,
                after=task,
                tasks=TASKS,
            )
            bound = [each for each in leaves if each.batch >= counted[each.operator]]
            for who, weight in await asyncio.to_thread(self._weights, bound, span):
                found[who.lower()] += weight
        return {who: weight for who, weight in found.items() if weight}

    def _weights(self, leaves: Sequence[Paying], span: Span) -> list[tuple[str, int]]:
        """Byte-seconds by operator, block by block; `leaves` in the order of their tasks."""
        found = []
        for _, same in itertools.groupby(leaves, lambda leaf: leaf.task):
            of = list(same)
            digest = parse(of[0].cid).digest
            kept = [Kept(each.operator, each.at_s) for each in of]
            times = reward_rule.seconds(
                kept, digest, span, self._terms.retention_s, self._budget.replicas
            )
            found += [(who, of[0].bytes * time) for who, time in times.items()]
        return found

    async def _post(self, made: RootDocument) -> None:
        async def call() -> Invocation:
            return self._rewards.post(made.ordinal, bytes.fromhex(made.root), int(made.total))

        tx = await self._acts.act(self._name(made), call)
        if tx is not None and not tx.done:
            _logger.info(
                "rewards", epoch=made.ordinal, root=made.root, total=made.total, cid=made.cid
            )

    def _name(self, made: RootDocument) -> str:
        return f"rewards:{self._rewards.address[2:10]}:{made.ordinal}:{made.root[:16]}"
