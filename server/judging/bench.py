"""Judging one case: the transcript by its CID, checked and replayed, and what our judge finds in it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from chain.content import cid
from chain.content.cid import Cid
from chain.content.errors import IpfsError
from chain.court.filing import Filing
from judges.judge import Judge
from judges.llm import Call
from judges.node.duty import Told
from judges.node.node import Never, NotNow
from judges.node.sheet import Scored, scored
from judges.reading import NoCase, Read, read_case
from judges.rubric import rubric_of
from judges.screen import screen
from server.clock import unix_ms
from server.judging.arena import MAX_TRANSCRIPT_BYTES, Arena
from server.judging.seating import Misfiled, check_case
from server.outside.asking import Unreadable


class Blocks(Protocol):
    """An IPFS node; `chain.content.ipfs.Ipfs` is one."""

    async def block(self, id_: Cid) -> bytes: ...


class Bench:
    """One judge's. `filing` gives what was found right of a hearing; `blocks`: a node of ours that is asked where the arena does
    not give a transcript."""

    def __init__(
        self,
        *,
        judge: Judge,
        arena: Arena,
        filing: Callable[[Told], Filing],
        blocks: Blocks | None = None,
    ) -> None:
        self._judge = judge
        self._arena = arena
        self._filing = filing
        self._blocks = blocks

    async def judge(self, told: Told) -> tuple[Scored, tuple[Call, ...]]:
        """See `judges.node.node.Bench`."""
        document = await self._transcript(cid.parse(told.transcript))
        read = await asyncio.to_thread(_read, document)  # replaying hashes every entry
        if read.session != told.session or read.case.space != told.space:
            raise Never(f"the transcript is of {read.case.space} {read.session}")
        rubric = rubric_of(read.case.space)
        try:
            check_case(self._filing(told), read.case, rubric)
        except Misfiled as error:
            raise Never(str(error)) from None
        left_s = max(0.0, (told.commit_by_ms - unix_ms()) / 1_000)
        try:
            async with asyncio.timeout(left_s):
                opinion, calls = await self._judge.opinion(rubric, read.case, read.nonce)
        except TimeoutError:
            raise NotNow("the time for commitments was over before it was judged") from None
        return scored(opinion, screen(read.case).forfeited), calls

    async def _transcript(self, id_: Cid) -> bytes:
        """From the arena, else from our node's network. Raises NotNow."""
        try:
            block = await self._arena.content(id_)
            if id_.is_of(block):
                return block
            why = "the arena gives other bytes than those of the id"
        except Unreadable as error:
            why = str(error)
        if self._blocks is not None:
            try:
                block = await self._blocks.block(id_)
            except IpfsError as error:
                raise NotNow(f"{why}; {error}") from None
            if len(block) <= MAX_TRANSCRIPT_BYTES:
                return block
            why += f"; it has {len(block)} bytes, more than a transcript"
        raise NotNow(f"the transcript {id_} is not to be had: {why}")


def _read(document: bytes) -> Read:
    try:
        return read_case(document)
    except NoCase as error:
        raise Never(str(error)) from None
