"""Fetches what an agent is to learn from: of its sessions from the records, or what a data card names by content id.

Bounded in sessions and bytes, since a busy agent has more than anybody needs; the newest count. Records are
read page by page, so that the arena's other readers get their turns.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Protocol

import msgspec

from chain.content import cid
from chain.content.cid import Cid
from chain.documents.result import MAX_BYTES as RESULT_BYTES
from server.proofs import result_document
from server.store import Store
from server.store.lessons import Place
from server.training.lessons import Lesson, LessonError, lesson
from spaces.transcript.document import MAX_BYTES as TRANSCRIPT_BYTES
from training.documents.data import MAX_SESSIONS, DataCard

PAGE = 32
"""Sessions of one query."""
MAX_TOTAL = 256 * 1024 * 1024
"""Bytes of all documents together."""
AT_ONCE = 8
"""Requests to the content store."""


class Collected(msgspec.Struct, frozen=True):
    lessons: tuple[Lesson, ...]
    """In the order of their CIDs."""
    unready: int = 0
    """Sessions whose result is not made yet."""
    refused: Mapping[str, str] = {}
    """Why documents teach nothing, by session id."""
    more: bool = False
    """Older sessions were left where they are, by a bound."""


class Content(Protocol):
    """What we need of `chain.content.ipfs.Ipfs`."""

    async def cat(self, id_: Cid, max_bytes: int) -> bytes: ...


async def of_agent(
    store: Store,
    agent: str,
    space: str,
    *,
    since_ms: int,
    until_ms: int,
    most: int = MAX_SESSIONS,
    max_bytes: int = MAX_TOTAL,
) -> Collected:
    """The newest `most` settled sessions of any version of the agent that were sealed in that time (unix ms), the
    end included. The same once their results stand; nothing is written."""
    found: list[Lesson] = []
    refused: dict[str, str] = {}
    unready = size = 0
    async for place in _places(store, agent, space, since_ms, until_ms):
        if len(found) == most:
            return _collected(found, unready, refused, more=True)
        documents = await _documents(store, place.session)
        if documents is None:
            unready += 1
            continue
        size += sum(map(len, documents))
        if size > max_bytes:
            return _collected(found, unready, refused, more=True)
        try:
            found.append(lesson(*documents))
        except LessonError as error:
            refused[place.session] = str(error)
    return _collected(found, unready, refused)


async def of_card(content: Content, card: DataCard, *, max_bytes: int = MAX_TOTAL) -> Collected:
    """What a data card names, from a content store. Raises what the store raises where a document cannot be
    had, LessonError for one that is not what the card says, ValueError for more than `max_bytes`."""
    allowed = asyncio.Semaphore(AT_ONCE)
    left = max_bytes

    async def fetched(session: str) -> Lesson:
        nonlocal left
        async with allowed:
            document = await content.cat(cid.parse(session), TRANSCRIPT_BYTES)
            named = card.results.get(session)
            result = None if named is None else await content.cat(cid.parse(named), RESULT_BYTES)
        left -= len(document) + len(result or b"")
        if left < 0:
            raise ValueError(f"the card's sessions take more than {max_bytes} bytes")
        return lesson(document, result)

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(fetched(each)) for each in card.sessions]
    except ExceptionGroup as several:
        raise several.exceptions[0] from None  # the others follow from it, or say the same
    return _collected([task.result() for task in tasks])


async def _places(
    store: Store, agent: str, space: str, since_ms: int, until_ms: int
) -> AsyncIterator[Place]:
    after: Place | None = None
    while True:
        page = await store.lessons.page(
            agent, space, since_ms=since_ms, until_ms=until_ms, after=after, limit=PAGE
        )
        for place in page:
            yield place
        if len(page) < PAGE:
            return
        after = page[-1]


async def _documents(store: Store, session: str) -> tuple[bytes, bytes] | None:
    row = await store.sessions.get(session)
    sealed = await store.signed.transcript(session)
    result = None if row is None else await result_document(store, row)
    return None if sealed is None or result is None else (sealed.document, result)


def _collected(
    found: list[Lesson],
    unready: int = 0,
    refused: Mapping[str, str] | None = None,
    *,
    more: bool = False,
) -> Collected:
    ordered = sorted(found, key=lambda each: each.session)
    return Collected(tuple(ordered), unready, refused or {}, more)
