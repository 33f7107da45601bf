"""What a judge learns of an arena: cases, by its channel `court` and by asking, and the bytes of transcripts. Nothing of it is believed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import quote

import msgspec

from bots.api import Api
from bots.client import Client
from bots.link import Link, Moved, News, Welcomed
from bots.reconnect import Reconnect
from chain.content.cid import Cid
from judges.node.node import Never, NotNow
from server.outside.asking import Asking, Unreadable
from server.protocol import CaseView, CourtMessage, CourtView, JudgeView

T = TypeVar("T")

CHANNEL = "court"
CLIENT_NAME = "agon-judge"
PAGE = 50
PAGES = 40
MAX_CASES_BYTES = 4 * 1024 * 1024
MAX_CASE_BYTES = 1024 * 1024
MAX_TRANSCRIPT_BYTES = 1024 * 1024
MAX_MESSAGE_BYTES = 64 * 1024
"""The most that an arena takes."""
GONE = frozenset({400, 409, 413, 415, 422})
"""Answers to a message that trying again would not change, but for these:"""
EARLY = frozenset({"early", "not-called", "not-drawn"})


class _Page(msgspec.Struct, frozen=True):
    cases: list[CaseView]
    next: str | None = None


class _Refusal(msgspec.Struct, frozen=True):
    """The part of a problem document (RFC 9457) that is looked at."""

    code: str = ""
    detail: str = ""


class Arena(Asking):
    """The arena at `url`. Enter it in the event loop that uses it."""

    async def open_cases(self, judge: str) -> list[CaseView]:
        """Those on whose panel a judge is, at most PAGES * PAGE. Raises Unreadable."""
        found: list[CaseView] = []
        before = ""
        for _ in range(PAGES):
            path = f"/v1/court/cases?judge={judge}&state=open&limit={PAGE}{before}"
            page = await self._typed(path, MAX_CASES_BYTES, _Page)
            found += page.cases
            if page.next is None:
                break
            before = f"&before={quote(page.next, safe='')}"
        return found

    async def case(self, session: str) -> CaseView:
        """All that is told of one. Raises Unreadable."""
        return await self._typed(f"/v1/court/cases/{session}", MAX_CASE_BYTES, CaseView)

    async def judge(self, address: str) -> JudgeView:
        """Raises Unreadable."""
        return await self._typed(f"/v1/judges/{address}", MAX_CASE_BYTES, JudgeView)

    async def content(self, id_: Cid) -> bytes:
        """A block's bytes, unchecked. Raises Unreadable."""
        return await self.get(f"/v1/content/{id_}", MAX_TRANSCRIPT_BYTES)

    async def say(self, session: str, message: CourtMessage) -> None:
        """Hand in what a judge has signed. The same again is harmless. Raises NotNow, Never."""
        body = msgspec.json.encode(message)
        if len(body) > MAX_MESSAGE_BYTES:
            raise Never(
                f"the message has {len(body)} bytes, and at most {MAX_MESSAGE_BYTES} are taken"
            )
        try:
            await self.post(f"/v1/court/cases/{session}/messages", body, MAX_CASE_BYTES)
        except Unreadable as error:
            refusal = _refusal(error.body)
            why = f"{error}: {refusal.detail[:300]}" if refusal.detail else str(error)
            # Without a code it is nobody's answer: a proxy that says 400 once must not cost a lock.
            final = error.status in GONE and refusal.code not in {"", *EARLY}
            raise (Never if final else NotNow)(why) from None

    async def _typed(self, path: str, most: int, kind: type[T]) -> T:
        body = await self.get(path, most)
        try:
            return msgspec.json.decode(body, type=kind)
        except msgspec.DecodeError as error:
            raise Unreadable(f"{self.url}{path} is none of an arena: {error}") from None


def _refusal(body: bytes) -> _Refusal:
    """The arena's own words, where it has some."""
    try:
        return msgspec.json.decode(body, type=_Refusal)
    except msgspec.DecodeError:
        return _Refusal()


class Listening:
    """Follows the channel; `rang` is called when a case with our seat may have moved."""

    def __init__(
        self, url: str, judge: str, *, rang: Callable[[], None], tell: Callable[[str], None]
    ) -> None:
        self._url = url
        self._judge = judge.lower()
        self._rang = rang
        self._tell = tell

    async def run(self) -> None:
        """Until cancelled. Raises BotError for what trying again does not mend."""
        client = Client(
            Link(None, CLIENT_NAME),
            Api(self._url).gateway,
            self.hear,
            Reconnect(random.Random()),  # noqa: S311 - jitter
            say=self._tell,
        )
        client.follow(CHANNEL)
        await client.run()

    def hear(self, heard: News) -> None:
        """What the channel says: only that it is time to ask, for what it leaves out is asked for anyway."""
        if isinstance(heard, Welcomed) or (
            isinstance(heard, Moved) and heard.channel == CHANNEL and self._concerns_us(heard)
        ):
            self._rang()

    def _concerns_us(self, moved: Moved) -> bool:
        if not isinstance(moved.view, CourtView):
            return True  # inside a replay
        return any(
            seat.judge.lower() == self._judge for case in moved.view.cases for seat in case.panel
        )
