"""What an operator learns of an arena: tasks, by its channel `pins` and its pages, and the bytes of blocks. Nothing of it is believed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence

import msgspec

from bots.api import Api
from bots.client import Client
from bots.link import Link, Moved, News, Welcomed
from bots.reconnect import Reconnect
from chain.attestation import MAX_BLOCK_BYTES
from chain.content.cid import Cid
from chain.operator.intake import Told, goes_on, news
from chain.operator.journal import Journal, Task
from chain.operator.keeper import NotHad, NotTaken
from server.outside.asking import Asking, Unreadable
from server.protocol import PinsView, PinTask

CHANNEL = "pins"
CLIENT_NAME = "agon-operator"
PAGE = 100
MAX_PAGE_BYTES = 256 * 1024
MAX_REPLICAS = 64
AGAIN_S = (1.0, 2.0, 5.0, 15.0, 60.0)
"""Waits while pages are not to be had."""


class _Page(msgspec.Struct, frozen=True):
    tasks: list[PinTask]
    next: int | None
    replicas: int


class Arena(Asking):
    """The arena at `url`. Enter it in the event loop that uses it."""

    async def page(self, after: int) -> tuple[list[PinTask], bool, int]:
        """Tasks behind a number, whether there are more, and on how many operators each is to be. Raises Unreadable."""
        body = await self.get(f"/v1/pins?after={after}&limit={PAGE}", MAX_PAGE_BYTES)
        try:
            found = msgspec.json.decode(body, type=_Page)
        except msgspec.DecodeError as error:
            raise Unreadable(f"{self.url}/v1/pins is none of an arena: {error}") from None
        return found.tasks, found.next is not None, found.replicas

    async def fetch(self, id_: Cid) -> bytes:
        """A block's bytes, unchecked. Raises NotHad."""
        try:
            return await self.get(f"/v1/content/{id_}", MAX_BLOCK_BYTES)
        except Unreadable as error:
            raise NotHad(str(error)) from None

    async def hand_in(self, operator: str, batch: int, list_: bytes) -> None:
        """The list of leaves of a batch. Raises NotTaken."""
        try:
            await self.put(f"/v1/operators/{operator}/batches/{batch}/list", list_)
        except Unreadable as error:
            raise NotTaken(str(error)) from None


class Listening:
    """Follows the channel into the journal, and asks for what was missed. `took` is called when there is something new."""

    def __init__(
        self,
        arena: Arena,
        journal: Journal,
        *,
        took: Callable[[], None],
        tell: Callable[[str], None],
    ) -> None:
        self._arena = arena
        self._journal = journal
        self._took = took
        self._tell = tell
        self._behind = asyncio.Event()
        self._behind.set()
        self._same = False
        """The arena counts its tasks as it did when we last heard of it; asked anew at each connection."""

    async def run(self) -> None:
        """Until cancelled. Raises BotError for what trying again does not mend."""
        client = Client(
            Link(None, CLIENT_NAME),
            Api(self._arena.url).gateway,
            self.hear,
            Reconnect(random.Random()),  # noqa: S311 - jitter
            say=self._tell,
        )
        client.follow(CHANNEL)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(client.run())
            tasks.create_task(self._catch_up())

    def hear(self, heard: News) -> None:
        """What the channel says."""
        if isinstance(heard, Welcomed):
            self._same = False
            self._behind.set()
        if not isinstance(heard, Moved) or heard.channel != CHANNEL:
            return
        view = heard.view if isinstance(heard.view, PinsView) else PinsView([], 0)
        try:
            told = [msgspec.convert(each.body, PinTask) for each in heard.events if each.type == "pin"]  # fmt: skip
        except msgspec.ValidationError as error:
            self._tell(f"a task that cannot be read: {error}")
            return
        self._take(told or view.tasks, view.replicas)

    def _take(self, tasks: Sequence[PinTask], replicas: int) -> None:
        if not self._same:
            return  # until it is known to be the same arena, its numbers mean nothing
        found = news([_told(task) for task in tasks], self._journal.after())
        wanted = replicas if 1 <= replicas <= MAX_REPLICAS else self._journal.replicas()
        if found.fresh or wanted != self._journal.replicas():
            self._journal.take(found.fresh, found.after, wanted)
            self._took()
        if found.missing:
            self._behind.set()

    async def _catch_up(self) -> None:
        failures = 0
        while True:
            await self._behind.wait()
            self._behind.clear()
            try:
                await self._check_same()
                while await self._next_page():
                    pass
                failures = 0
            except Unreadable as error:
                self._behind.set()
                if failures == 0:
                    self._tell(f"tasks are not to be had now: {error}")
                await asyncio.sleep(AGAIN_S[min(failures, len(AGAIN_S) - 1)])
                failures += 1

    async def _check_same(self) -> None:
        after = self._journal.after()
        if not self._same and after:
            tasks, _, _ = await self._arena.page(after - 1)
            if not goes_on([_told(task) for task in tasks], after, self._journal.last()):
                self._tell("the arena counts its tasks anew: all are asked for again")
                self._journal.begin_anew()
        self._same = True

    async def _next_page(self) -> bool:
        before = self._journal.after()
        tasks, more, replicas = await self._arena.page(before)
        self._take(tasks, replicas)
        return more and self._journal.after() > before


def _told(task: PinTask) -> Told:
    return Told(task.number, Task(task.cid, task.bytes, task.kind, task.session))
